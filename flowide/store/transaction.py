"""A write to the workspace database, from its first statement to its commit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from flowide.errors import StorageFailed
from flowide.store.api import Tx
from flowide.store.explained import explained, is_busy, sqlite3, storage_failed
from flowide.store.opening import BUSY_S
from flowide.store.remembered import Remembered
from flowide.store.views import Writer


class Transaction:
    """A write transaction that has begun. Leaving it commits, an exception undoes."""

    __slots__ = ("_cursor", "_done", "_ended", "_path", "_tx")

    def __init__(
        self,
        path: Path,
        cursor: Any,
        remembered: Remembered,
        committed: Callable[..., None],
        ended: Callable[[], None],
    ) -> None:
        """`committed` is told the cursor, and whether an event was `appended`; `ended` is called in any case."""
        self._path = path
        self._cursor = cursor
        self._done = committed
        self._ended = ended
        self._tx = Writer(cursor, remembered)

    def __enter__(self) -> Tx:
        return self._tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._commit()
            else:
                self._undo()
        except (sqlite3.Error, OSError) as failed:
            raise storage_failed(self._path, failed) from failed
        finally:
            self._ended()
        if isinstance(error, sqlite3.Error):
            raise storage_failed(self._path, error) from error
        if isinstance(error, OverflowError | UnicodeEncodeError):
            with explained(self._path):
                raise error

    def _commit(self) -> None:
        deadline = time.monotonic() + BUSY_S
        try:
            self._tx.finish()
            while not self._committed():
                # Only with a rollback journal: somebody is reading.
                if time.monotonic() >= deadline:
                    raise StorageFailed(
                        f"another program has been reading {self._path} for {BUSY_S:g} s",
                        hint="Close it, then try again; nothing was changed.",
                    )
                time.sleep(0.005)
            self._done(self._cursor, appended=self._tx.appended)
        except BaseException:
            self._tx.lost()
            self._undo()
            raise
        self._tx.committed()

    def _committed(self) -> bool:
        try:
            self._cursor.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return False
            raise
        return True

    def _undo(self) -> None:
        # Some errors, such as a full disk, have undone it already.
        if self._cursor.connection.in_transaction:
            self._cursor.execute("ROLLBACK")
