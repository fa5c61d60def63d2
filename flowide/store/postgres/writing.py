"""A write transaction on one space: what its rules will ask for, what they write, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from flowide.domain.likely import looks_at
from flowide.store.api import Expected, Position, StoredReply, Tx
from flowide.store.mapping import table
from flowide.store.postgres.explained import explained, failure
from flowide.store.postgres.statements import Statements
from flowide.store.postgres.wire import Lost, Refused, Session, Statement
from flowide.store.views import Writer

REPLY = 'SELECT "body", "reply" FROM "replies" WHERE "id" = ?'
_COMMIT: Statement = ("COMMIT", ())
_HURRY: Statement = ("SET LOCAL synchronous_commit = off", ())


class SpaceWriter(Writer):
    """A `Tx` over the connection that holds the row of its space."""

    def __init__(self, statements: Statements, at: Position, tick: int) -> None:
        super().__init__(statements)
        self.replied: str | None = None
        """Id of a command whose answer is written here."""
        self.lasting = True
        """Whether the commit waits for the server's disk; one with an event does in any case."""
        self._position = at
        self._tick = tick
        self._start = at
        self._known: dict[str, StoredReply | None] = {}

    def knows_reply(self, command_id: str, stored: StoredReply | None) -> None:
        """The answer of a command was looked up already."""
        self._known[command_id] = stored

    def reply(self, command_id: str) -> StoredReply | None:
        if command_id in self._known:
            return self._known[command_id]
        return super().reply(command_id)

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        self.replied = command_id
        self._known[command_id] = stored
        super().put_reply(command_id, stored, wall_ms)

    def finish(self) -> None:
        """Write down where the log stands, and that something has changed."""
        at = self.position()
        self.send('UPDATE "space" SET "seq" = ?, "chain" = ?, "tick" = ?', (at.seq, at.chain, self.tick))

    @property
    def tick(self) -> int:
        """The space's counter of changes after this transaction."""
        return self._tick + 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        known, replied = dict(self._known), self.replied
        try:
            with super().savepoint():
                yield
        except BaseException:
            self._known, self.replied = known, replied
            raise

    def _undoable(self) -> bool:
        return not self.cursor.session.broken


class Hints:
    """What is expected to be asked for, looked up in the same round trip that begins the transaction."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        likely = expected.likely
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        if expected.reply is not None:
            self.asked.append((REPLY, (expected.reply,)))
        self.asked += [(table(row).by_key, key) for row, key in likely.rows]
        self._finds = [looks_at(artifact) for artifact in likely.queues]
        for row, order, equal in self._finds:
            self.asked.append((table(row).query(equal, order, False), tuple(equal.values())))

    def tell(self, tx: SpaceWriter, answers: Sequence[Sequence[Any]]) -> None:
        """Hand the rows to the transaction."""
        found = iter(answers)
        if self._expected.reply is not None:
            replies = next(found)
            tx.knows_reply(self._expected.reply, StoredReply(*replies[0]) if replies else None)
        for row, key in self._expected.likely.rows:
            values = next(found)
            tx.knows(row, key, table(row).decode(values[0]) if values else None)
        for row, order, equal in self._finds:
            tx.knows_all(row, order, equal, [table(row).decode(values) for values in next(found)])


class Transaction:
    """A write transaction that has begun. Leaving it commits, an exception undoes."""

    __slots__ = ("_ended", "_happened", "_session", "_shown", "_tx")

    def __init__(
        self,
        shown: str,
        session: Session,
        tx: SpaceWriter,
        *,
        happened: Callable[[], bool],
        ended: Callable[[int | None], None],
    ) -> None:
        """`happened` finds out whether a commit whose answer was lost was made. `ended` is called in the end.

        It is told the space's counter of changes, or None when nothing was changed.
        """
        self._shown = shown
        self._session = session
        self._tx = tx
        self._happened = happened
        self._ended = ended

    def __enter__(self) -> Tx:
        return self._tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tick: int | None = None
        try:
            if error is None and self._tx.cursor.written:
                with explained(self._shown):
                    self._commit()
                tick = self._tx.tick
            elif not self._session.broken:
                self._session.leave("ROLLBACK")
        finally:
            self._ended(tick)
        if isinstance(error, Refused | Lost):
            raise failure(self._shown, error) from error
        if isinstance(error, UnicodeEncodeError):
            with explained(self._shown):
                raise error

    def _commit(self) -> None:
        try:
            self._tx.finish()
            hurried = not self._tx.lasting and not self._tx.appended
            self._tx.cursor.flush(*([_HURRY] if hurried else []), _COMMIT)
        except (Refused, UnicodeEncodeError):
            self._session.leave("ROLLBACK")
            raise
        except Lost:
            if not self._happened():
                raise
