"""What the app remembers of a project from one time to the next: the file that was open, the place in it, the panes.

Loads nothing of Textual. A file that cannot be read is as good as none.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
from msgspec import Struct

FILE = "app.json"
MOST_FOLDERS = 200


class Remembered(Struct, kw_only=True, omit_defaults=True):
    """Everything that is kept; defaults are a first visit."""

    open: str = ""
    """Path of the file that was open."""
    line: int = 0
    """The first line in view, from 0."""
    pane: str = ""
    """The pane that had the keys."""
    right: str = ""
    """What the right pane showed: `side` or `thread`."""
    thread: str = ""
    """Id of the thread that was open."""
    folders: list[str] = []
    """Folders of the tree that were opened or closed by hand."""
    theme: str = ""
    """A theme that was chosen in the app."""


def load(root: Path) -> Remembered:
    """What is remembered of a project."""
    try:
        return msgspec.json.decode((root / ".flowide" / FILE).read_bytes(), type=Remembered)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return Remembered()


def save(root: Path, what: Remembered) -> None:
    """Remember it; nothing happens where that cannot be written."""
    folder = root / ".flowide"
    with contextlib.suppress(OSError):
        with NamedTemporaryFile(dir=folder, prefix=f".{FILE}.", delete=False) as out:
            out.write(msgspec.json.encode(what))
        try:
            os.replace(out.name, folder / FILE)
        except OSError:
            os.unlink(out.name)
            raise
