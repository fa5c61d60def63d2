"""Files of an agent's folder, read and written for it without following a link out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

MAX_FILE = 16 * 1024 * 1024


class Outside(Exception):
    """A path that is not in the agent's folder, or goes through a link."""


def relative(folder: Path, path: str) -> str:
    """The path below the folder.

    Raises:
        Outside: It is not.
    """
    given = path if os.path.isabs(path) else os.path.join(folder, path)
    for root in (folder, Path(os.path.realpath(folder))):
        try:
            found = PurePosixPath(os.path.normpath(given)).relative_to(root)
        except ValueError:
            continue
        if found.parts:
            return found.as_posix()
    raise Outside(f"{path} is not in {folder}")


def read(folder: Path, path: str) -> bytes:
    """The bytes of a regular file.

    Raises:
        FileNotFoundError: There is none.
        Outside: It is no regular file in the folder, or too large.
    """
    with _walked(folder, path, make=False) as (at, name):
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Outside(f"{path} cannot be read: {error.strerror}") from error
        with os.fdopen(file, "rb") as source:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE:
                raise Outside(f"{path} is no file of at most {MAX_FILE // 2**20} MiB")
            return source.read(MAX_FILE)


def write(folder: Path, path: str, data: bytes) -> None:
    """Make or replace a file, with the folders above it.

    Raises:
        Outside: It is not in the folder, too large, or cannot be written.
    """
    if len(data) > MAX_FILE:
        raise Outside(f"{path} would have more than {MAX_FILE // 2**20} MiB")
    with _walked(folder, path, make=True) as (at, name):
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(name, flags, 0o666, dir_fd=at)
            with os.fdopen(file, "wb") as out:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise Outside(f"{path} is no regular file")
                out.truncate(0)
                out.write(data)
        except OSError as error:
            raise Outside(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _walked(folder: Path, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """The open folder that holds the file, and the file's name in it."""
    *folders, name = relative(folder, path).split("/")
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for part in folders:
            try:
                if make and not _there(here, part):
                    os.mkdir(part, dir_fd=here)
                deeper = os.open(
                    part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here
                )
            except FileNotFoundError:
                raise
            except OSError as error:
                raise Outside(f"{path} goes through {part}: {error.strerror}") from error
            os.close(here)
            here = deeper
        yield here, name
    finally:
        os.close(here)


def _there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
