"""Names and bounds of an exported space, and opening files below a root without following links."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from flowide.errors import BadInput

FORMAT = 1
MANIFEST = "flowide-space.json"
EVENTS = "events.jsonl"
REPLIES = "replies.jsonl"
LIVE = "live.jsonl"
BLOBS = "blobs"
FILES = "files"
MAX_LINE = 32 * 1024 * 1024
"""Bytes of one line; nothing that a command can carry is longer."""
SHA256 = re.compile(r"[0-9a-f]{64}\Z")

_BENEATH = os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | _BENEATH
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BENEATH
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | _BENEATH


class Moved(Struct, frozen=True):
    """What went out or came in."""

    events: int
    blobs: int
    artifacts: int
    """Newest versions, those of deleted artifacts not counted."""
    skipped: list[str] = []
    """Paths that could not be written below `files`, because another artifact is a folder or file in the way."""


class Folder:
    """A folder below which names are opened one by one; a link on the way is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """The file with this name.

        Raises:
            BadInput: It is missing, or no plain file, or reached through a link.
        """
        try:
            with self._parent(name, make=False) as (folder, last):
                file = os.fdopen(os.open(last, _READ, dir_fd=folder), "rb")
        except OSError as error:
            raise BadInput(
                f"{self.path / name} cannot be read: {error.strerror}",
                hint="An export holds plain files only.",
            ) from error
        with file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput(
                    f"{self.path / name} is no plain file", hint="An export holds plain files only."
                )
            yield file

    def names(self, name: str) -> Iterator[str]:
        """Names of files two levels below a folder, where contents are; links and other things are named too."""
        try:
            with self._parent(f"{name}/-", make=False) as (folder, _):
                parts = sorted(os.listdir(folder))
        except FileNotFoundError:
            return
        for part in parts:
            with self._parent(f"{name}/{part}/-", make=False) as (folder, _):
                yield from sorted(os.listdir(folder))

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A new file; folders on the way are made.

        Raises:
            OSError: Something with this name is there.
        """
        with (
            self._parent(name, make=True) as (folder, last),
            os.fdopen(os.open(last, _WRITE, 0o600, dir_fd=folder), "wb") as file,
        ):
            yield file

    @contextmanager
    def _parent(self, name: str, *, make: bool) -> Iterator[tuple[int, str]]:
        *folders, last = name.split("/")
        here = os.dup(self._fd)
        try:
            for part in folders:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=here)
                below = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
            yield here, last
        finally:
            os.close(here)


def blob_file(sha256: str) -> str:
    """Name of a content's file below the root."""
    return f"{BLOBS}/{sha256[:2]}/{sha256}"
