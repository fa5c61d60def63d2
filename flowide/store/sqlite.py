"""The workspace database.

Every write takes its turn (`filelock`), then `BEGIN IMMEDIATE`, and commits with `synchronous=FULL`.
Reads have a connection of their own: they wait for no writer, and see what was committed last.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from flowide.domain.events import Event
from flowide.domain.rows import Row
from flowide.domain.view import View
from flowide.errors import StorageFailed
from flowide.store.api import Expected, Position, Store, StoredReply, Threads, Tx
from flowide.store.explained import explained, is_busy, sqlite3, storage_failed
from flowide.store.filelock import WriterTurn
from flowide.store.mapping import table
from flowide.store.opening import (
    BUSY_S,
    TURN_S,
    Machine,
    connect,
    make_private,
    open_read_only,
    prepare,
)
from flowide.store.remembered import Remembered
from flowide.store.texts import Found
from flowide.store.transaction import Transaction
from flowide.store.views import Reader

R = TypeVar("R", bound=Row)
_PAGE = 500
_TOUCH = 'UPDATE "space" SET "seq" = "seq"'
"""Changes nothing, and is written all the same."""


class SqliteStore:
    """One space in one SQLite file, shared by the processes of one machine."""

    def __init__(self, path: Path, *, machine: Machine | None = None, durable: bool = True) -> None:
        """Open or make the database. Without `durable` a power failure may undo the newest transactions.

        Raises:
            StorageFailed: Not a workspace, a newer schema, no permission, or no such folder.
        """
        self.path = path
        self.notice: str | None = None
        self.threads: Threads | None = None
        self._reading = threading.RLock()
        self._writing = threading.Lock()
        self._connections: list[Any] = []
        self._remembered = Remembered()
        self._may_hurry = False
        """Whether a commit that need not last may leave out to wait for the disk; only a WAL stays whole then."""
        self._lasting = True
        """How the next commit is made, as the writing connection stands."""
        self._unsynced = False
        self._elsewhere = 0
        self._turn: WriterTurn | None = None
        """Taken for each write; None where nothing can be written."""
        with explained(path):
            try:
                make_private(path)
                self._turn = WriterTurn(path.with_name(path.name + ".turn"))
            except OSError as error:
                self._reader, self.notice = open_read_only(path, error)
                self._connections.append(self._reader)
                self._look = self._reader.cursor()
                self._file = _identity(path)
                return
        try:
            with explained(path):
                self._writer = self._connect()
                self.notice = prepare(self._writer, path, self._turn, machine or Machine())
                self._may_hurry = durable and self.notice is None
                if not durable and self.notice is None:
                    self._writer.execute("PRAGMA synchronous=NORMAL")
                # Waiting is ours: SQLite's own handler would hold the event loop up.
                self._writer.execute("PRAGMA busy_timeout=0")
                self._reader = self._connect()
                self._reader.execute("PRAGMA query_only=ON")
                self._look = self._reader.cursor()
                self._file = _identity(path)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Any:
        connection = connect(self.path)
        self._connections.append(connection)
        return connection

    # --- writing ------------------------------------------------------------------------------------

    def time(self) -> tuple[int, str] | None:
        return None

    def write(self, expected: Expected | None = None, *, lasting: bool = True) -> AbstractContextManager[Tx]:
        self._writers_turn().acquire(timeout_s=TURN_S)
        deadline = time.monotonic() + BUSY_S
        try:
            with explained(self.path):
                begun = self._begin(lasting)
                while begun is None:
                    if time.monotonic() >= deadline:
                        raise StorageFailed(
                            f"another program has kept {self.path} busy for {BUSY_S:g} s",
                            hint="Close it, then try again.",
                        )
                    time.sleep(0.005)
                    begun = self._begin(lasting)
                return begun
        except BaseException:
            self._writers_turn().release()
            raise

    def try_write(self, *, lasting: bool = True) -> AbstractContextManager[Tx] | None:
        if not self._writers_turn().try_acquire():
            return None
        try:
            begun = self._begin(lasting)
        except (sqlite3.Error, OSError) as error:
            self._writers_turn().release()
            raise storage_failed(self.path, error) from error
        except BaseException:
            self._writers_turn().release()
            raise
        if begun is None:
            self._writers_turn().release()
        return begun

    def _writers_turn(self) -> WriterTurn:
        if self._turn is None:
            raise StorageFailed(
                f"the workspace {self.path} is read-only here", hint="Make the file and its folder writable."
            )
        return self._turn

    def _begin(self, lasting: bool) -> AbstractContextManager[Tx] | None:
        """A transaction, or None while another program writes."""
        self._check_file()
        self._writing.acquire()
        cursor = self._writer.cursor()
        lasting = lasting or not self._may_hurry
        try:
            if lasting != self._lasting:
                cursor.execute(f"PRAGMA synchronous={'FULL' if lasting else 'NORMAL'}")
                self._lasting = lasting
            cursor.execute("BEGIN IMMEDIATE")
            self._remembered.check(cursor.execute("PRAGMA data_version").fetchall()[0][0])
        except BaseException as error:
            self._writing.release()
            if is_busy(error):
                return None
            raise
        return Transaction(self.path, cursor, self._remembered, self._committed, self._ended)

    def _committed(self, cursor: Any, *, appended: bool) -> None:
        """A transaction was committed; an event has to last in any case."""
        if self._lasting:
            self._unsynced = False
            return
        self._unsynced = True
        if appended:
            self._sync(cursor)

    def _ended(self) -> None:
        self._writing.release()
        self._writers_turn().release()

    def sync(self) -> None:
        if self._unsynced:
            with self.write() as tx:
                tx.send(_TOUCH)  # type: ignore[attr-defined] # the transaction of this class

    def _sync(self, cursor: Any) -> None:
        """A commit that waits for the disk has it take all commits before it, too: they are in the same file."""
        cursor.execute("PRAGMA synchronous=FULL")
        self._lasting = True
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(_TOUCH)
        cursor.execute("COMMIT")
        self._unsynced = False

    def _check_file(self) -> None:
        if _identity(self.path) != self._file:
            # SQLite would go on with the file that has no name any more.
            raise StorageFailed(
                f"the workspace {self.path} was removed or replaced while it was open",
                hint="Open it again; what was committed before is in the file that was moved away.",
            )

    # --- reading ------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[View]:
        with self._looking():
            if self._reader.in_transaction:
                yield Reader(self._look)
                return
            self._look.execute("BEGIN")
            try:
                yield Reader(self._look)
            finally:
                # A damaged file refuses to commit even what was only read.
                self._look.execute("ROLLBACK")

    @contextmanager
    def _looking(self) -> Iterator[None]:
        with self._reading, explained(self.path):
            self._check_file()
            yield

    @contextmanager
    def aside(self) -> Iterator[Store]:
        store = SqliteStore(self.path)
        try:
            yield store
        finally:
            store.close()

    def position(self) -> Position:
        with self._looking():
            return Reader(self._look).position()

    def events(self, after: int, limit: int) -> list[Event]:
        decode = msgspec.json.decode
        return [Event(chain=chain, **decode(body)) for _, chain, body in self.bodies(after, limit)]

    def bodies(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        with self._looking():
            found = self._look.execute(
                'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?',
                (after, limit),
            ).fetchall()
        return [(seq, chain, body.encode()) for seq, chain, body in found]

    def blob(self, sha256: str) -> bytes | None:
        with self._looking():
            return Reader(self._look).blob(sha256)

    def replies(self, after: str, limit: int) -> list[tuple[str, StoredReply, int]]:
        with self._looking():
            found = self._look.execute(
                'SELECT "id", "body", "reply", "wall_ms" FROM "replies" WHERE "id" > ? ORDER BY "id" LIMIT ?',
                (after, limit),
            ).fetchall()
        return [(id, StoredReply(body, bytes(reply)), wall_ms) for id, body, reply, wall_ms in found]

    def blob_names(self) -> list[str]:
        with self._looking():
            return [name for (name,) in self._look.execute('SELECT "sha256" FROM "blobs"').fetchall()]

    def rows(self, row: type[R]) -> Iterator[R]:
        kept = table(row)
        cursor = self._reader.cursor()
        cursor.execute(kept.select)
        while page := cursor.fetchmany(_PAGE):
            yield from map(kept.decode, page)

    def damage(self) -> list[str]:
        from flowide.store.audit import damage

        with self._reading, explained(self.path):
            return damage(self._look)

    def rebuild(self) -> None:
        from flowide.store.projections import BrokenLog
        from flowide.store.rebuild import rebuild
        from flowide.store.replacing import forget_search

        with self.write() as tx:
            try:
                forget_search(tx.cursor)  # type: ignore[attr-defined] # as below
                rebuild(tx.cursor)  # type: ignore[attr-defined] # the transaction of this class
            except (BrokenLog, ValueError, TypeError) as error:
                raise StorageFailed(
                    f"the log cannot be folded: {error}", hint="Run `flowide verify`."
                ) from error

    def change_token(self) -> int:
        with self._looking():
            return int(self._look.execute("PRAGMA data_version").fetchall()[0][0])

    def change_elsewhere(self) -> int:
        if self._turn is None:
            return self.change_token()
        # The connection that writes is told of the commits of others only. While it writes, it is asked later.
        if self._writing.acquire(blocking=False):
            try:
                with explained(self.path):
                    self._check_file()
                    [(self._elsewhere,)] = self._writer.execute("PRAGMA data_version").fetchall()
            finally:
                self._writing.release()
        return self._elsewhere

    def on_change(self, told: Callable[[], None]) -> None:
        """The token is looked at."""

    def search(self, text: str, limit: int, *, history: bool = False) -> list[Found]:
        from flowide.store.search import search

        return search(self, text, limit, history=history)

    def trace(self, told: Callable[[str], None] | None) -> None:
        """Have each statement of the writer told, for measuring; None stops it."""
        self._writer.set_trace_callback(told)

    def close(self) -> None:
        with self._reading, self._writing:
            for connection in self._connections:
                connection.close()
            if self._turn is not None:
                self._turn.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
