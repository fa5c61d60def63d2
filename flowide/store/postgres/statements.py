"""The statements of one space, as `Reader` and `Writer` make them, over a connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flowide.store.mapping import for_postgres
from flowide.store.postgres.wire import Row, Session, Statement

MOST_WAITING = 500
MOST_BYTES = 4 * 1024 * 1024
"""Characters and bytes that wait; an import has many large contents."""
_BARE = ("SAVEPOINT", "ROLLBACK", "RELEASE")


class Rows(list[Row]):
    """The rows of a statement."""

    def fetchall(self) -> list[Row]:
        """All of them."""
        return self


class Statements:
    """A cursor on one space. What gives nothing back waits for what does, and goes with it in one round trip."""

    def __init__(
        self, session: Session | None, space: int, begin: Callable[[list[Statement]], Any] | None = None
    ) -> None:
        """Without a session, `begin` gets the first statements, and gives one together with their rows."""
        self.session = session
        self.space = space
        self._begin = begin
        self._waiting: list[Statement] = []
        self._size = 0
        self.written = False
        """Whether anything was asked for but rows."""

    def send(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """A statement whose result nobody needs; carried out before the next one that is executed, or with `flush`."""
        self.written = True
        self._waiting.append(self._said(sql, parameters))
        self._size += sum([len(each) for each in parameters if isinstance(each, str | bytes)])
        if len(self._waiting) >= MOST_WAITING or self._size >= MOST_BYTES:
            self.flush()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """The rows of a statement, after everything that was sent before it."""
        self.written = self.written or not sql.startswith("SELECT")
        return Rows(self.flush(self._said(sql, parameters))[-1])

    def flush(self, *more: Statement) -> list[list[Row]]:
        """The rows of what was waiting and of more statements, which are taken as they are."""
        statements, self._waiting, self._size = [*self._waiting, *more], [], 0
        if not statements:
            return []
        if self.session is None:
            assert self._begin is not None
            self.session, rows = self._begin(statements)
            return list(rows)
        return self.session.run(statements)

    def _said(self, sql: str, parameters: Sequence[Any]) -> Statement:
        if sql.startswith(_BARE):
            return sql, ()
        return for_postgres(sql), (self.space, *parameters)
