"""Errors of SQLite and the file system, said in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from flowide.errors import BadInput, StorageFailed

try:
    import pysqlite3 as sqlite3
except ImportError:
    import sqlite3

__all__ = ["explained", "is_busy", "sqlite3", "storage_failed"]

_PAGE = 64 * 1024
"""Free bytes below which a disk is called full: SQLite's index of a WAL needs half of it."""
_HINTS = {
    "full": "Free some space on the disk; nothing was changed, and work goes on when there is room.",
    "No space": "Free some space on the disk; nothing was changed, and work goes on when there is room.",
    "readonly": "Make the file and its folder writable.",
    "read-only": "Make the file and its folder writable.",
    "Read-only": "Make the file and its folder writable.",
    "Permission": "Make the file and its folder writable.",
    "not a database": "Move the file away; FlowIDE then makes a new one.",
    "malformed": "Keep a copy of the file. `flowide verify` says what is damaged; an export brings it back.",
    "unable to open": "Check that the folder exists and is writable.",
    "No such file": "Check that the folder exists and is writable.",
    "disk I/O": "Check the disk and its free space.",
    "closed database": "Open the workspace again.",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise `StorageFailed` for what SQLite and the file system could not do.

    Raises:
        BadInput: A number or text that no database can hold.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise storage_failed(path, error) from error
    except msgspec.DecodeError as error:
        raise StorageFailed(
            f"the workspace {path} holds a row that cannot be read: {error}",
            hint="Keep a copy of the file. `flowide verify` names it; `flowide verify --rebuild` makes it again.",
        ) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise BadInput(
            f"a value cannot be stored: {error}", hint="Numbers have 64 bits, texts are valid Unicode."
        ) from error


def storage_failed(path: Path, error: Exception) -> StorageFailed:
    """What happened to the workspace, and what to do now."""
    if is_busy(error):
        return StorageFailed(
            f"another program has kept {path} busy for too long", hint="Close it, then try again."
        )
    text = str(error)
    if "disk I/O" in text and _is_full(path):
        # SQLite says so when it cannot make the files beside its database.
        text = f"the disk is full ({text})"
    hint = next((hint for sign, hint in _HINTS.items() if sign in text), "Check the disk, then try again.")
    return StorageFailed(f"the workspace {path} could not be used: {text}", hint=hint)


def _is_full(path: Path) -> bool:
    import shutil

    try:
        return shutil.disk_usage(path.parent).free < _PAGE
    except OSError:
        return False


def is_busy(error: BaseException) -> bool:
    """Whether another connection is in the way, and trying again may help."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
