"""The workspace database.

Every write takes its turn (`filelock`), then `BEGIN IMMEDIATE`, and commits with `synchronous=FULL`.
Reads have a connection of their own: they wait for no writer, and see what was committed last.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.errors import StorageFailed
from flowide.store.api import Position, Store, Tx
from flowide.store.explained import explained, is_busy, sqlite3, storage_failed
from flowide.store.filelock import WriterTurn
from flowide.store.journal import journal_mode
from flowide.store.sqlite_views import Reader, Writer

SCHEMA_VERSION = 1
APPLICATION_ID = 0x464C4F57
"""Marks a database as a FlowIDE workspace, for `file` and for us."""
BUSY_S = 5.0
TURN_S = 20.0


class SqliteStore:
    """One space in one SQLite file, shared by the processes of one machine."""

    def __init__(self, path: Path) -> None:
        """Open or make the database.

        Raises:
            StorageFailed: Not a workspace, a newer schema, no permission, or no such folder.
        """
        self.path = path
        self._reading = threading.RLock()
        self._writing = threading.Lock()
        self._connections: list[Any] = []
        with explained(path):
            _make_private(path)
            self._turn = WriterTurn(path.with_name(path.name + ".turn"))
        try:
            with explained(path):
                mode, self.notice = journal_mode(path, sqlite3.sqlite_version_info)
                self._writer = self._connect()
                self._prepare(mode)
                self._reader = self._connect()
                self._reader.execute("PRAGMA query_only=ON")
                self._file = _identity(path)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Any:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_S, cached_statements=256
        )
        self._connections.append(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "mmap_size=0", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    def _prepare(self, mode: str) -> None:
        """Bring the file to the journal mode and schema of this version; mostly there is nothing to do."""
        if self._pragma("journal_mode").upper() == mode and self._checked_schema() == SCHEMA_VERSION:
            return
        self._turn.acquire(timeout_s=TURN_S)
        try:
            current = self._checked_schema()
            self._writer.execute(f"PRAGMA journal_mode={mode}").fetchall()
            if current < SCHEMA_VERSION:
                from flowide.store import schema

                schema.migrate(self._writer, self.path, current=current)
        finally:
            self._turn.release()

    def _checked_schema(self) -> int:
        version = int(self._pragma("user_version"))
        if version == 0:
            empty = self._writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            ours = empty
        else:
            ours = int(self._pragma("application_id")) == APPLICATION_ID
        if not ours:
            raise StorageFailed(
                f"{self.path} is a database of another program",
                hint="Move the file away; FlowIDE then makes a new one.",
            )
        if version > SCHEMA_VERSION:
            raise StorageFailed(
                f"{self.path} was written by a newer FlowIDE: schema {version}, known {SCHEMA_VERSION}",
                hint="Update FlowIDE, or open another project.",
                schema=version,
            )
        return version

    def _pragma(self, name: str) -> str:
        return str(self._writer.execute(f"PRAGMA {name}").fetchone()[0])

    # --- writing ------------------------------------------------------------------------------------

    def write(self) -> AbstractContextManager[Tx]:
        self._turn.acquire(timeout_s=TURN_S)
        try:
            with explained(self.path):
                return self._begin()
        except BaseException:
            self._turn.release()
            raise

    def try_write(self) -> AbstractContextManager[Tx] | None:
        if not self._turn.try_acquire():
            return None
        try:
            with explained(self.path):
                self._writer.execute("PRAGMA busy_timeout=0")
                try:
                    return self._begin()
                except sqlite3.OperationalError as error:
                    if not is_busy(error):
                        raise
                finally:
                    self._writer.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")
        except BaseException:
            self._turn.release()
            raise
        self._turn.release()
        return None

    def _begin(self) -> AbstractContextManager[Tx]:
        if _identity(self.path) != self._file:
            # SQLite would go on writing into the file that has no name any more.
            raise StorageFailed(
                f"the workspace {self.path} was removed or replaced while it was open",
                hint="Open it again; what was committed before is in the file that was moved away.",
            )
        self._writing.acquire()
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._writing.release()
            raise
        return _Transaction(self.path, self._writer, self._ended)

    def _ended(self) -> None:
        self._writing.release()
        self._turn.release()

    # --- reading ------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[View]:
        with self._reading, explained(self.path):
            if self._reader.in_transaction:
                yield Reader(self._reader)
                return
            self._reader.execute("BEGIN")
            try:
                yield Reader(self._reader)
            finally:
                self._reader.execute("COMMIT")

    @contextmanager
    def aside(self) -> Iterator[Store]:
        store = SqliteStore(self.path)
        try:
            yield store
        finally:
            store.close()

    def position(self) -> Position:
        with self._reading, explained(self.path):
            return Reader(self._reader).position()

    def events(self, after: int, limit: int) -> list[Event]:
        decode = msgspec.json.decode
        return [Event(chain=chain, **decode(body)) for _, chain, body in self.bodies(after, limit)]

    def bodies(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        with self._reading, explained(self.path):
            found = self._reader.execute(
                'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?',
                (after, limit),
            ).fetchall()
        return [(seq, chain, body.encode()) for seq, chain, body in found]

    def blob(self, sha256: str) -> bytes | None:
        with self._reading, explained(self.path):
            return Reader(self._reader).blob(sha256)

    def blob_names(self) -> list[str]:
        with self._reading, explained(self.path):
            return [name for (name,) in self._reader.execute('SELECT "sha256" FROM "blobs"')]

    def change_token(self) -> int:
        with self._reading, explained(self.path):
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def search(self, text: str, limit: int) -> list[tuple[str, str, str]]:
        from flowide.store.search import search

        return search(self, text, limit)

    def reader(self) -> Any:
        """The connection of reads, for SQL that is not on the hot path."""
        return self._reader

    def trace(self, told: Callable[[str], None] | None) -> None:
        """Have each statement of the writer told, for measuring; None stops it."""
        self._writer.set_trace_callback(told)

    def close(self) -> None:
        with self._reading, self._writing:
            for connection in self._connections:
                connection.close()
            self._turn.close()


class _Transaction:
    """A write transaction that has begun. Leaving it commits, an exception undoes."""

    def __init__(self, path: Path, connection: Any, ended: Any) -> None:
        self._path = path
        self._connection = connection
        self._ended = ended
        self._tx = Writer(connection)

    def __enter__(self) -> Tx:
        return self._tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with explained(self._path):
                    self._commit()
            else:
                self._undo()
        finally:
            self._ended()
        if isinstance(error, sqlite3.Error):
            raise storage_failed(self._path, error) from error
        if isinstance(error, OverflowError | UnicodeEncodeError):
            with explained(self._path):
                raise error

    def _commit(self) -> None:
        try:
            self._tx.finish()
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        # Some errors, such as a full disk, have undone it already.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _make_private(path: Path) -> None:
    """Make the file when it is missing, readable by its owner only.

    A file that is there is never opened here: closing it would drop the locks that SQLite holds on it
    in this process (sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))
    except FileExistsError:
        return


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
