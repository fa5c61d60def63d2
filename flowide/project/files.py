"""Reading and writing files below a root, without ever following a link out of it."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from flowide.domain.commands import MAX_BLOB
from flowide.domain.paths import checked_path
from flowide.errors import BadInput, BadPath, Conflict, StorageFailed, TooLarge
from flowide.project.ledger import stamp_of
from flowide.project.swapping import exchange, place_new

_OWN = frozenset({"agents", "flows", "themes", "config.toml"})
"""What may be an artifact inside `.flowide`, when it is asked for by name."""


class Found(Struct, frozen=True):
    """A file as it was at one moment."""

    data: bytes
    changed_ns: int
    """When its bytes or name last changed (`st_ctime_ns`); unlike the modification time, nobody sets it."""
    stamp: str
    """See `stamp_of`."""

    @property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        return sha256(self.data).hexdigest()


class Overtaken(Conflict):
    """Another program changed the file at the very moment; it stands as that program left it."""


class Tree:
    """The files below `root`, which is a real path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate(self, path: str) -> str:
        """The artifact path of a file: relative, NFC, links inside the root resolved; it need not exist.

        Raises:
            BadPath: Absolute, with `..`, out of the root, or inside `.git` or the workspace.
        """
        path = _permitted(checked_path(path))
        real = os.path.realpath(self.root / path)
        try:
            inside = Path(real).relative_to(self.root).as_posix()
        except ValueError:
            raise BadPath(
                f"{path} leads out of the project",
                hint="Open the folder it leads to as a project of its own.",
                path=path,
            ) from None
        return _permitted(checked_path(inside)) if inside != path else path

    def read(self, path: str) -> Found | None:
        """The file, or None when there is none.

        Raises:
            BadInput: A folder, no regular file, unreadable, or it does not hold still.
            TooLarge: Above 16 MiB.
        """
        with _readable(path):
            try:
                with self._folder_of(path) as (folder, name):
                    return _read(folder, name, path)
            except FileNotFoundError:
                return None

    def exists(self, path: str) -> bool:
        """Whether there is anything of this name, be it a link or a folder."""
        return self.status(path) is not None

    def status(self, path: str) -> os.stat_result | None:
        """Size and times of what has this name, links not followed; None when nothing has."""
        with _readable(path):
            try:
                with self._folder_of(path) as (folder, name):
                    return os.stat(name, dir_fd=folder, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def stage(self, path: str, data: bytes, *, like: str | None = None) -> Staged:
        """Write a content beside its file, flushed to the disk, ready to take its place at once.

        It gets the mode of the file it will replace, or of `like` when there is none yet.

        Raises:
            StorageFailed: The folder or the disk does not take it.
        """
        with _writable(path):
            return Staged(self, path, data, None if like is None else self.status(like))

    def left_over(self, path: str) -> bool:
        """Whether a writer ended before its content could take its place."""
        try:
            with self._folder_of(path) as (folder, _):
                os.stat(_temporary(path), dir_fd=folder, follow_symlinks=False)
        except OSError:
            return False
        return True

    def clear_left_over(self, path: str) -> None:
        """Remove what such a writer left."""
        with suppress(OSError), self._folder_of(path) as (folder, _):
            os.unlink(_temporary(path), dir_fd=folder)

    def remove(self, path: str, expected: Found | None) -> None:
        """Remove the file that was found; none is no error.

        Raises:
            Overtaken: It is another one by now, which stays.
        """
        with _writable(path), suppress(FileNotFoundError), self._folder_of(path) as (folder, name):
            aside = _temporary(path)
            os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
            if not _is_still(folder, aside, path, expected):
                with suppress(FileExistsError):
                    place_new(folder, aside, name)
                raise _overtaken(path)
            os.unlink(aside, dir_fd=folder)
            os.fsync(folder)

    def on_disk(self, path: str) -> str:
        """The path with the names that the disk has, which may be decomposed; it need not exist."""
        parts: list[str] = []
        folder: str | None = os.fspath(self.root)
        for part in path.split("/"):
            name = part
            if folder is not None and not part.isascii():
                name = _alike_in(folder, part)
            parts.append(name)
            folder = None if folder is None else os.path.join(folder, name)
        return "/".join(parts)

    @contextmanager
    def _folder_of(self, path: str, *, made: list[str] | None = None) -> Iterator[tuple[int, str]]:
        """The open folder that holds `path` and the file's name in it, walking down without following links.

        Missing folders are made, and noted in `made`, when that is given.
        """
        *folders, name = path.split("/")
        here = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for depth, part in enumerate(folders):
                on_disk = _name_on_disk(here, part)
                if made is not None:
                    with suppress(FileExistsError):
                        os.mkdir(on_disk, dir_fd=here)
                        made.append("/".join(folders[: depth + 1]))
                deeper = os.open(
                    on_disk, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here
                )
                os.close(here)
                here = deeper
            yield here, _name_on_disk(here, name)
        finally:
            os.close(here)


class Staged:
    """A content that waits beside its file. End it with `commit` or `abandon`."""

    def __init__(self, tree: Tree, path: str, data: bytes, like: os.stat_result | None) -> None:
        self._tree = tree
        self._path = path
        self._made: list[str] = []
        with tree._folder_of(path, made=self._made) as (folder, name):
            before = _status(folder, name) or like
            temporary = _temporary(path)
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(temporary, flags, 0o666, dir_fd=folder)
            try:
                with os.fdopen(file, "wb") as out:
                    if before is not None and stat.S_ISREG(before.st_mode):
                        _take_after(file, before)
                    out.write(data)
                    out.flush()
                    os.fsync(file)
            except BaseException:
                os.unlink(temporary, dir_fd=folder)
                self._remove_made()
                raise

    def commit(self, expected: Found | None) -> None:
        """Take the place of the file that was found there, or of none.

        Raises:
            Overtaken: Something else stands there by now, and stays.
            BadPath: A link or folder stands there.
            StorageFailed: The disk does not let it.
        """
        with _writable(self._path), self._tree._folder_of(self._path) as (folder, name):
            there = _status(folder, name)
            if there is not None and not stat.S_ISREG(there.st_mode):
                raise _in_the_way(self._path, there)
            if there is None:
                try:
                    place_new(folder, _temporary(self._path), name)
                except FileExistsError:
                    raise _overtaken(self._path) from None
            else:
                self._exchange(folder, name, expected)
            os.fsync(folder)

    def _exchange(self, folder: int, name: str, expected: Found | None) -> None:
        temporary = _temporary(self._path)
        if not exchange(folder, temporary, name):
            if not _is_still(folder, name, self._path, expected):
                raise _overtaken(self._path)
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        elif _is_still(folder, temporary, self._path, expected):
            os.unlink(temporary, dir_fd=folder)
        else:
            exchange(folder, temporary, name)
            raise _overtaken(self._path)

    def abandon(self) -> None:
        """Leave the file, and the folders, as they were."""
        self._tree.clear_left_over(self._path)
        self._remove_made()

    def _remove_made(self) -> None:
        for folder in reversed(self._made):
            with suppress(OSError), self._tree._folder_of(folder) as (parent, name):
                os.rmdir(name, dir_fd=parent)


def _permitted(path: str) -> str:
    parts = [part.casefold() for part in path.split("/")]
    if ".git" in parts:
        raise BadPath(f"{path} belongs to git", hint="Change it with git.", path=path)
    if ".flowide" in parts and (parts[0] != ".flowide" or len(parts) < 2 or parts[1] not in _OWN):
        raise BadPath(
            f"{path} belongs to the workspace",
            hint=f"Of .flowide only {', '.join(sorted(_OWN))} can be edited.",
            path=path,
        )
    return path


def _read(folder: int, name: str, path: str) -> Found:
    for _ in range(3):
        # Without O_NONBLOCK a pipe would block until somebody writes to it.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with os.fdopen(file, "rb") as source:
            before = os.fstat(file)
            if not stat.S_ISREG(before.st_mode):
                raise _in_the_way(path, before)
            if before.st_size > MAX_BLOB:
                raise TooLarge(
                    f"{path} has {before.st_size} bytes",
                    hint=f"An artifact has at most {MAX_BLOB} bytes; add the file to .gitignore.",
                    limit=MAX_BLOB,
                    path=path,
                )
            data = source.read(MAX_BLOB + 1)
            after = os.fstat(file)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) == (
            len(data), before.st_mtime_ns,
        ):  # fmt: skip
            return Found(data, after.st_ctime_ns, stamp_of(after))
    raise BadInput(f"{path} is being written to by another program", hint="Try again in a moment.", path=path)


def _is_still(folder: int, name: str, path: str, expected: Found | None) -> bool:
    """Whether the file holds what was found; its times would not tell for sure, so it is read again."""
    if expected is None:
        return False
    try:
        return _read(folder, name, path).data == expected.data
    except BadInput:
        return False  # no file any more, too large, or being written to


def _overtaken(path: str) -> Overtaken:
    return Overtaken(
        f"another program changed {path} at this very moment",
        hint="Nothing was overwritten. Look at the file, then try again.",
        path=path,
    )


def _status(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _take_after(file: int, before: os.stat_result) -> None:
    """Give a new file the mode, and where we may the owner, of the one it will replace."""
    own = os.fstat(file)
    if (own.st_uid, own.st_gid) != (before.st_uid, before.st_gid):
        with suppress(PermissionError):
            os.fchown(file, before.st_uid, before.st_gid)
    os.fchmod(file, stat.S_IMODE(before.st_mode))


def _temporary(path: str) -> str:
    return f".flowide-{sha256(path.encode()).hexdigest()[:12]}.tmp"


def _name_on_disk(folder: int, name: str) -> str:
    """The name as the disk has it: paths are NFC, but some programs write names decomposed."""
    if name.isascii() or _status(folder, name) is not None:
        return name
    return _alike_in(folder, name)


def _alike_in(folder: int | str, name: str) -> str:
    with suppress(OSError):
        entries = os.listdir(folder)
        if name not in entries:
            return next((each for each in entries if unicodedata.normalize("NFC", each) == name), name)
    return name


def _in_the_way(path: str, there: os.stat_result) -> BadInput:
    if stat.S_ISDIR(there.st_mode):
        return BadInput(f"{path} is a folder", hint="Name a file.", path=path)
    if stat.S_ISLNK(there.st_mode):
        return BadPath(f"{path} is a link", hint="Name the file it leads to.", path=path)
    return BadInput(f"{path} is no regular file", hint="Name a file.", path=path)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _path_trouble(path, error) or BadInput(
            f"{path} cannot be read: {error.strerror}", hint="Check its permissions.", path=path
        ) from error


@contextmanager
def _writable(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _path_trouble(path, error) or StorageFailed(
            f"{path} cannot be written: {error.strerror}",
            hint="Check the permissions of its folder and the free space; nothing was overwritten.",
            path=path,
        ) from error


def _path_trouble(path: str, error: OSError) -> BadInput | None:
    if error.errno == errno.ELOOP:
        return BadPath(f"{path} goes through a link", hint="Name the file it leads to.", path=path)
    if error.errno == errno.ENOTDIR:
        return BadPath(f"{path} goes through a file, or a link, as if it was a folder", path=path)
    if error.errno == errno.ENAMETOOLONG:
        return BadPath(f"{path[:200]} is too long a name", path=path[:1000])
    return None
