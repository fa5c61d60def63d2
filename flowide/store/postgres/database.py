"""The connections of this process to one database, shared by all spaces that are open on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from flowide.errors import StorageFailed
from flowide.store.postgres.address import LOCK_S, Address
from flowide.store.postgres.doorbell import Doorbell
from flowide.store.postgres.explained import explained
from flowide.store.postgres.schema import fits, migrate
from flowide.store.postgres.wire import Lost, Refused, Row, Session, Statement

T = TypeVar("T")

MOST = 12
"""Connections at a time, beside the one that listens."""
READERS = 8
"""Threads that read at a time."""
_FORBIDDEN = "42501"
OPENING_S = 3.0
"""So long a server that is not there yet is waited for, when a database is opened."""
FREE_S = LOCK_S + 5.0
"""Longest wait for a connection that is free."""


class Database:
    """Opened with `of`, and closed as often as it was opened."""

    _opened: ClassVar[dict[str, Database]] = {}
    _opening: ClassVar[threading.RLock] = threading.RLock()

    @classmethod
    def of(cls, url: str) -> Database:
        """The one of this process for an address; its tables are brought to this version.

        Raises:
            BadInput: The address cannot be read.
            StorageFailed: It cannot be used, or is of a newer schema.
        """
        with cls._opening:
            found = cls._opened.get(url)
            if found is None:
                found = cls(url)
                try:
                    found.prepare()
                except BaseException:
                    found._shut()
                    raise
                cls._opened[url] = found
            found._users += 1
            return found

    def __init__(self, url: str) -> None:
        self.address = Address(url)
        self.shown = self.address.shown
        self._url = url
        self._users = 0
        self._idle: list[Session] = []
        self._guard = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST)
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="flowide-read")
        self.doorbell = Doorbell(self.address.connect)

    def close(self) -> None:
        """Let go of it; the last one closes the connections."""
        with self._opening:
            self._users -= 1
            if self._users:
                return
            self._opened.pop(self._url, None)
        self._shut()

    def _shut(self) -> None:
        self.doorbell.close()
        self.readers.shutdown(wait=False)
        self._drop_idle()

    def prepare(self) -> None:
        """Bring the tables to this version, where they are not.

        Raises:
            StorageFailed: They are of a newer one, or the user may not make tables.
        """
        with explained(self.shown), self.fresh() as session:
            if not fits(session):
                from flowide.store.postgres.rebuild import rebuild
                from flowide.store.postgres.roles import grant_again

                try:
                    migrate(session, rebuild, grant_again)
                except Refused as error:
                    if error.state != _FORBIDDEN:
                        raise
                    raise StorageFailed(
                        f"the tables of {self.shown} are not those of this version, and this role may not make them",
                        hint="Run `flowide database prepare` as their owner.",
                    ) from error

    # --- connections --------------------------------------------------------------------------------

    @contextmanager
    def fresh(self) -> Iterator[Session]:
        """A new connection for one use."""
        session = Session(self.address.connect())
        try:
            yield session
        finally:
            session.close()

    def begin(self, statements: Sequence[Statement]) -> tuple[Session, list[list[Row]]]:
        """A connection that is ours until `end`, and the rows of the first statements on it.

        Idle connections that were lost meanwhile, as by a restart of the server, are passed over: nothing of a
        transaction that was never begun can be lost.

        Raises:
            Refused: The server refuses a statement.
            Lost: A new connection broke, too.
            StorageFailed: There is no connection to be had.
        """
        if not self._free.acquire(timeout=FREE_S):
            raise StorageFailed(
                f"all {MOST} connections to {self.shown} were busy for {FREE_S:g} s",
                hint="Try again.",
                again=True,
            )
        try:
            while True:
                with self._guard:
                    session = self._idle.pop() if self._idle else None
                if session is None:
                    break
                try:
                    return session, self._first(session, statements)
                except Lost:
                    self._drop_idle()
            session = Session(self.address.connect())
            return session, self._first(session, statements)
        except BaseException:
            self._free.release()
            raise

    def _first(self, session: Session, statements: Sequence[Statement]) -> list[list[Row]]:
        try:
            return session.run(statements)
        except Refused:
            session.leave("ROLLBACK")
            self._put_back(session)
            raise

    def end(self, session: Session) -> None:
        """Give a connection back; no transaction may be open on it, unless it is broken."""
        self._put_back(session)
        self._free.release()

    def ask(self, *statements: Statement) -> list[list[Row]]:
        """The rows of statements that need no transaction."""
        session, rows = self.begin(statements)
        self.end(session)
        return rows

    def _put_back(self, session: Session) -> None:
        if session.broken:
            return
        with self._guard:
            if self._users and len(self._idle) < MOST:
                self._idle.append(session)
                return
        session.close()

    def _drop_idle(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()


def patiently(seconds: float) -> Iterator[float]:
    """Pauses in seconds, each longer than the one before, until so much time is over."""
    deadline = time.monotonic() + seconds
    pause = 0.0
    while True:
        yield pause
        left = deadline - time.monotonic()
        if left <= 0:
            return
        pause = min(max(0.05, pause * 2), 1.0, left)
        time.sleep(pause)


def opening(work: Callable[[], T]) -> T:
    """Do what opens a database; for some seconds again, when the server is just starting or stopping."""
    failed: StorageFailed | None = None
    for _ in patiently(OPENING_S):
        try:
            return work()
        except StorageFailed as error:
            if not error.data.get("again"):
                raise
            failed = error
    assert failed is not None
    raise failed
