"""One space in a PostgreSQL database that several hubs may use at the same time.

A writer holds the row of its space (`SELECT … FOR UPDATE`), which carries the counter of the log, from its first
statement to its commit. The server ends a transaction whose program says nothing for some seconds, so a hub that was
stopped holds nobody up. What a command writes goes to the server together with its commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import msgspec

from flowide.domain.events import GENESIS, Event
from flowide.domain.rows import Row
from flowide.domain.view import View
from flowide.errors import Exists, NotFound, StorageFailed
from flowide.store.api import Expected, Position, Store, StoredReply, Threads, Tx
from flowide.store.mapping import for_postgres, table
from flowide.store.postgres.database import Database, opening, patiently
from flowide.store.postgres.doorbell import Bell
from flowide.store.postgres.explained import explained
from flowide.store.postgres.statements import Statements
from flowide.store.postgres.wire import Lost, Refused, Session, Statement
from flowide.store.postgres.writing import REPLY, Hints, SpaceWriter, Transaction
from flowide.store.shape import shape
from flowide.store.texts import Found
from flowide.store.views import Reader

R = TypeVar("R", bound=Row)
TURN_S = 30.0
"""Longest wait for the other writers of this process."""
RESOLVE_S = 20.0
"""So long it is tried to find out whether a commit happened whose answer was lost."""
_PAGE = 500
_BEGIN: Statement = ("BEGIN", ())
_LOOK: Statement = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
_CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_FIND = f'SELECT "space", {_CLOCK} FROM space WHERE "name" = $1'  # noqa: S608 - our own names
_CREATE = (
    'INSERT INTO space ("name", "seq", "chain", "shape") VALUES ($1, 0, $2, $3) '
    'ON CONFLICT ("name") DO NOTHING RETURNING "space"'
)
_EMPTY = 'SELECT 1 FROM space WHERE "name" = $1 AND "tick" = 0'
_LOCK = 'SELECT "seq", "chain", "tick", "shape" FROM space WHERE "space" = $1 FOR UPDATE'
_MOMENT: Statement = (f"SELECT {_CLOCK}, pg_current_xact_id()::text", ())
"""Asked once the row is ours: a value beside the row would be of before the wait for it."""


class PostgresStore:
    """Implements `Store` on one space of a database."""

    def __init__(self, url: str, name: str) -> None:
        """Open a space that is there.

        Raises:
            BadInput: The address cannot be read.
            NotFound: There is no such space.
            StorageFailed: The database cannot be used, or is of a newer schema.
        """
        self.notice: str | None = None
        self._name = name
        self._closed = False
        self._database, self.space, now_ms = opening(lambda: _find(url, name))
        self._clock = _Clock(now_ms)
        self._turn = threading.Lock()
        self._here = threading.local()
        self._bell: Bell | None = None
        self._guard = threading.Lock()
        self._on_change: list[Callable[[], None]] = []
        writer = ThreadPoolExecutor(1, thread_name_prefix="flowide-write")
        self.threads: Threads | None = Threads(write=writer, read=self._database.readers)

    def time(self) -> tuple[int, str] | None:
        return self._clock.now_ms(), f"postgresql {self.space}"

    # --- writing ------------------------------------------------------------------------------------

    def write(self, expected: Expected | None = None, *, lasting: bool = True) -> AbstractContextManager[Tx]:
        if not self._turn.acquire(timeout=TURN_S):
            raise StorageFailed(
                f"the space {self._name} was busy for {TURN_S:g} s", hint="Try again.", again=True
            )
        try:
            with explained(self._database.shown):
                return self._begin(expected, lasting)
        except BaseException:
            self._turn.release()
            raise

    def try_write(self, *, lasting: bool = True) -> AbstractContextManager[Tx] | None:
        if not self._turn.acquire(blocking=False):
            return None
        try:
            with explained(self._database.shown):
                return self._begin(None, lasting)
        except BaseException:
            self._turn.release()
            raise

    def sync(self) -> None:
        """The server does it by itself within three times `wal_writer_delay`, which is less than a second."""

    def _begin(self, expected: Expected | None, lasting: bool) -> AbstractContextManager[Tx]:
        asked = [_BEGIN, (_LOCK, (self.space,)), _MOMENT]
        hints = Hints(expected) if expected is not None else None
        if hints is not None:
            asked += [(for_postgres(sql), (self.space, *parameters)) for sql, parameters in hints.asked]
        session, answers = self._database.begin(asked)
        try:
            if not answers[1]:
                raise NotFound(f"the space {self._name} was removed", hint="Nothing was changed.")
            [(seq, chain, tick, form)] = answers[1]
            if form != shape():
                raise StorageFailed(
                    f"the tables of {self._database.shown} were brought to another version meanwhile",
                    hint="Restart this program; if it is the older one, update it first.",
                )
            [(now_ms, transaction)] = answers[2]
            self._clock.set(now_ms)
            tx = SpaceWriter(Statements(session, self.space), Position(seq, chain), tick)
            if hints is not None:
                hints.tell(tx, answers[3:])
            tx.lasting = lasting
        except BaseException:
            session.leave("ROLLBACK")
            self._database.end(session)
            raise
        return Transaction(
            self._database.shown,
            session,
            tx,
            happened=lambda: self._happened(tx, transaction),
            ended=lambda tick: self._ended(session, tick),
        )

    def _ended(self, session: Session, tick: int | None) -> None:
        """After a transaction; `tick` is the space's counter when it changed something."""
        self._database.end(session)
        self._turn.release()
        if tick is not None:
            self._database.doorbell.ring(self.space, tick, self._bell)

    def _happened(self, tx: SpaceWriter, transaction: str) -> bool:
        """Whether a commit happened whose answer was lost.

        Waits for the row of the space: whoever holds it is either the lost transaction, then it is not over, or not.

        Raises:
            StorageFailed: The database was away for too long to tell.
        """
        asked = [_BEGIN, (_LOCK, (self.space,))]
        if tx.replied is not None:
            asked.append((for_postgres(REPLY), (self.space, tx.replied)))
        else:
            asked.append(("SELECT 1 WHERE pg_xact_status($1::xid8) = 'committed'", (transaction,)))
        why: Exception | None = None
        for _ in patiently(RESOLVE_S):
            try:
                with self._database.fresh() as session:
                    answers = session.run(asked)
                return bool(answers[-1])
            except (Lost, Refused, StorageFailed) as error:
                why = error
        raise StorageFailed(
            f"the connection to the database {self._database.shown} broke during a commit: {why}",
            hint="It is not known whether the command was carried out. Send it again with the same id: "
            "the answer then tells, and nothing happens twice.",
        ) from why

    # --- reading ------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[View]:
        current = getattr(self._here, "reader", None)
        if current is not None:
            yield current
            return
        with explained(self._database.shown):
            statements = Statements(None, self.space, self._begin_reading)
            self._here.reader = Reader(statements)
            try:
                yield self._here.reader
            finally:
                self._here.reader = None
                session = statements.session
                if session is not None:
                    if not session.broken:
                        session.leave("ROLLBACK")
                    self._database.end(session)

    def _begin_reading(self, statements: Sequence[Statement]) -> tuple[Session, list[Any]]:
        session, rows = self._database.begin([_LOOK, *statements])
        return session, rows[1:]

    def _ask(self, sql: str, *parameters: Any) -> list[Any]:
        """The rows of one statement, at the moment of the reading that is open in this thread, if one is."""
        current = getattr(self._here, "reader", None)
        if current is not None:
            return list(current.execute(sql, parameters))
        with explained(self._database.shown):
            return list(self._database.ask((for_postgres(sql), (self.space, *parameters)))[0])

    @contextmanager
    def aside(self) -> Iterator[Store]:
        # Each reading has a connection of its own anyhow.
        yield self

    def position(self) -> Position:
        [(seq, chain)] = self._ask('SELECT "seq", "chain" FROM "space"')
        return Position(seq, chain)

    def events(self, after: int, limit: int) -> list[Event]:
        decode = msgspec.json.decode
        with explained(self._database.shown):
            return [Event(chain=chain, **decode(body)) for _, chain, body in self.bodies(after, limit)]

    def bodies(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        found = self._ask(
            'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?', after, limit
        )
        return [(seq, chain, body.encode()) for seq, chain, body in found]

    def blob(self, sha256: str) -> bytes | None:
        with self.read() as view:
            return view.blob(sha256)

    def replies(self, after: str, limit: int) -> list[tuple[str, StoredReply, int]]:
        found = self._ask(
            'SELECT "id", "body", "reply", "wall_ms" FROM "replies" WHERE "id" > ? ORDER BY "id" LIMIT ?',
            after,
            limit,
        )
        return [(id, StoredReply(body, reply), wall_ms) for id, body, reply, wall_ms in found]

    def blob_names(self) -> list[str]:
        return [name for (name,) in self._ask('SELECT "sha256" FROM "blobs"')]

    def rows(self, row: type[R]) -> Iterator[R]:
        kept = table(row)
        with self.read() as view:
            assert isinstance(view, Reader)
            key, after = row.KEY, None
            names = ", ".join(f'"{name}"' for name in key)
            marks = ", ".join("?" for _ in key)
            at = [kept.columns.index(name) for name in key]
            while True:
                beyond = f" WHERE ({names}) > ({marks})" if after is not None else ""
                page = view.execute(
                    f"{kept.select}{beyond} ORDER BY {names} LIMIT {_PAGE}", after or ()
                ).fetchall()
                yield from map(kept.decode, page)
                if len(page) < _PAGE:
                    return
                after = [page[-1][each] for each in at]

    def damage(self) -> list[str]:
        from flowide.store.postgres.audit import damage

        with self.read() as view:
            assert isinstance(view, Reader)
            return damage(view)

    def rebuild(self) -> None:
        from flowide.store.projections import BrokenLog
        from flowide.store.rebuild import rebuild

        with self.write() as tx:
            try:
                rebuild(tx.cursor)  # type: ignore[attr-defined] # the transaction of this class
            except (BrokenLog, ValueError, TypeError) as error:
                raise StorageFailed(
                    f"the log cannot be folded: {error}", hint="Run `flowide verify`."
                ) from error

    def search(self, text: str, limit: int, *, history: bool = False) -> list[Found]:
        from flowide.store.postgres.search import search

        return search(self, text, limit, history=history)

    # --- news ---------------------------------------------------------------------------------------

    def change_token(self) -> int:
        return self._listening().changes

    def change_elsewhere(self) -> int:
        return self._listening().elsewhere

    def on_change(self, told: Callable[[], None]) -> None:
        self._listening()
        self._on_change.append(told)

    def _listening(self) -> Bell:
        with self._guard:
            if self._bell is None:
                self._bell = Bell(self._changed)
                self._database.doorbell.watch(self.space, self._bell)
            return self._bell

    def _changed(self) -> None:
        for told in list(self._on_change):
            told()

    def close(self) -> None:
        with self._guard:
            if self._closed:
                return
            self._closed = True
        if self.threads is not None:
            self.threads.write.shutdown(wait=True)
        if self._bell is not None:
            self._database.doorbell.unwatch(self.space, self._bell)
        self._database.close()


class _Clock:
    """The server's clock, which all hubs share, as of its last answer and carried on by this machine's.

    It is never ahead of the server, so no lease runs out too early; and never goes back by itself.
    """

    def __init__(self, now_ms: int) -> None:
        self.set(now_ms)

    def set(self, now_ms: int) -> None:
        """The server said this a moment ago."""
        self._anchor = (now_ms, time.monotonic_ns())

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        said, at = self._anchor
        return said + (time.monotonic_ns() - at) // 1_000_000


def _find(url: str, name: str) -> tuple[Database, int, int]:
    """The database, which has to be closed, with the number of a space in it and the server's time."""
    database = Database.of(url)
    try:
        with explained(database.shown):
            [found] = database.ask((_FIND, (name,)))
        if not found:
            raise NotFound(f"there is no space {name} in {database.shown}", hint="Make it first.")
    except BaseException:
        database.close()
        raise
    return database, *found[0]


def create(url: str, name: str) -> None:
    """Make a new, empty space.

    Raises:
        Exists: It is there already.
        StorageFailed: The database cannot be used.
    """
    tries = 0

    def make() -> list[Any]:
        nonlocal tries
        tries += 1
        return _ask(url, (_CREATE, (name, GENESIS, shape())))

    # When an answer was lost, an empty space of that name is the one that was made then.
    if not opening(make) and (tries == 1 or not _ask(url, (_EMPTY, (name,)))):
        raise Exists(
            f"there is a space {name} already", hint="Take another name, or join the one that is there."
        )


def names(url: str) -> list[str]:
    """Names of the spaces, sorted.

    Raises:
        StorageFailed: The database cannot be used.
    """
    return [name for (name,) in opening(lambda: _ask(url, ('SELECT "name" FROM space ORDER BY "name"', ())))]


def _ask(url: str, statement: Statement) -> list[Any]:
    database = Database.of(url)
    try:
        with explained(database.shown):
            return list(database.ask(statement)[0])
    finally:
        database.close()
