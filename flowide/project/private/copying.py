"""A private copy of the project: its files are files of their own, so nothing written there reaches the original."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from flowide.errors import FlowError, StorageFailed, TooLarge
from flowide.project.git_command import run_git

MAX_COPY = 1024 * 1024 * 1024
"""Bytes of project files that are copied."""
INSTALLED = ("node_modules", ".venv", "venv")
"""Folders of installed packages that no version control has."""
_MANIFEST = "copy.msgpack"
_FICLONE = 0x40049409
"""Linux: give a file the blocks of another, to be copied when either is written (btrfs, xfs, bcachefs)."""
_PART = 1024 * 1024


class Laid(Struct, frozen=True, array_like=True):
    """A file as it was laid into the copy."""

    sha256: str
    mode: int
    """Permission bits."""
    stamp: tuple[int, int, int, int]
    """Size, change and modification time (ns), and number: a file that was written to has another."""


class PrivateCopy(Struct):
    """A copy, and what was laid into it."""

    base: Path
    """Folder of all that belongs to it."""
    files: dict[str, Laid]
    """By path."""
    links: list[str]
    """Links to the project's installed packages."""

    @property
    def folder(self) -> Path:
        """The copy of the project."""
        return self.base / "project"

    def keep(self, beside: Path) -> None:
        """Note what was laid, so that another process can compare; not where the copy's user can write."""
        write_atomically(beside / _MANIFEST, msgspec.msgpack.encode((self.files, self.links)))


def kept_copy(base: Path, beside: Path) -> PrivateCopy | None:
    """A copy that another process has laid; None when there is none that is whole."""
    try:
        files, links = msgspec.msgpack.decode(
            (beside / _MANIFEST).read_bytes(), type=tuple[dict[str, Laid], list[str]]
        )
    except (OSError, msgspec.MsgspecError):
        return None
    copy = PrivateCopy(base, files, links)
    return copy if copy.folder.is_dir() and not copy.folder.is_symlink() else None


def lay(
    root: Path, base: Path, paths: Iterable[str], *, link_installed: bool, limit: int = MAX_COPY
) -> PrivateCopy:
    """Copy these files, and the repository's history where there is one, to `base/project`.

    `link_installed` = folders of installed packages are linked to; whoever works there can then read them, and
    write to them unless something keeps him from it.

    Raises:
        TooLarge: The files have more than `limit` bytes.
        StorageFailed: The disk does not take it.
    """
    copy = PrivateCopy(base, {}, [])
    try:
        copy.folder.mkdir(parents=True)
        _lay_history(root, copy.folder)
        left = limit
        for path in paths:
            laid = _lay_file(root / path, copy.folder / path)
            if laid is None:
                continue
            copy.files[path] = laid
            left -= laid.stamp[0]
            if left < 0:
                raise TooLarge(
                    f"the project has more than {limit // 2**20} MiB to copy",
                    hint="Put large files that nobody needs into .gitignore.",
                )
        if link_installed:
            _link_installed(root, copy)
    except OSError as error:
        raise StorageFailed(
            f"no copy of the project could be made in {base}: {error.strerror}",
            hint="Is there room on that disk?",
        ) from error
    return copy


def stamp_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file is written to: its user cannot set the change time."""
    return (status.st_size, status.st_ctime_ns, status.st_mtime_ns, status.st_ino)


def write_atomically(file: Path, data: bytes) -> None:
    """Replace a file, readable by its owner only, at once."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
    temporary.replace(file)


def _lay_file(source: Path, target: Path) -> Laid | None:
    """Copy one file with its mode and time; None when it is no regular file any more."""
    try:
        found = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None  # gone since it was listed, or unreadable: then it is not in the copy either
    with os.fdopen(found, "rb") as reader:
        status = os.fstat(found)
        if not stat.S_ISREG(status.st_mode):
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as writer:
            digest = sha256()
            cloned = _clone(found, writer.fileno())
            while part := reader.read(_PART):
                digest.update(part)
                if not cloned:
                    writer.write(part)
            writer.flush()
            mode = stat.S_IMODE(status.st_mode) & 0o777 | stat.S_IWUSR
            os.fchmod(writer.fileno(), mode)
            os.utime(writer.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
            return Laid(digest.hexdigest(), mode, stamp_of(os.fstat(writer.fileno())))


def _clone(source: int, target: int) -> bool:
    """Share the blocks until either file is written to; whether the file system can."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _lay_history(root: Path, folder: Path) -> None:
    """A repository of its own, with the project's history and without a way back to it.

    Its objects are read where they are; what is committed in the copy stays in the copy.
    """
    if not (root / ".git").exists():
        return
    with contextlib.suppress(FlowError):
        made = run_git(
            folder.parent,
            [
                "clone",
                "--quiet",
                "--shared",
                "--no-checkout",
                "--no-tags",
                "--template=",
                "--",
                str(root),
                str(folder),
            ],
        )
        if made.returncode != 0:
            shutil.rmtree(folder / ".git", ignore_errors=True)
            return
        run_git(folder, ["remote", "remove", "origin"])
        run_git(folder, ["read-tree", "HEAD"])
        exclude = root / ".git" / "info" / "exclude"
        if exclude.is_file():
            (folder / ".git" / "info").mkdir(exist_ok=True)
            shutil.copyfile(exclude, folder / ".git" / "info" / "exclude")


def _link_installed(root: Path, copy: PrivateCopy) -> None:
    for above in {"", *(path.rpartition("/")[0] for path in copy.files)}:
        for name in INSTALLED:
            path = f"{above}/{name}" if above else name
            source, link = root / path, copy.folder / path
            if source.is_dir() and not os.path.lexists(link) and link.parent.is_dir():
                link.symlink_to(source.resolve())
                copy.links.append(path)
