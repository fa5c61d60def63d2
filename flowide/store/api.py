"""What a store is: a log with positions, rows beside it, blobs and stored replies. No SQL above this line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from msgspec import Struct

from flowide.domain.events import Event
from flowide.domain.likely import Likely
from flowide.domain.rows import Row
from flowide.domain.view import View
from flowide.store.texts import Found

R = TypeVar("R", bound=Row)


class Position(Struct, frozen=True):
    """Where the log stands."""

    seq: int
    chain: str
    """Chain value of event `seq`, 64 hex digits."""


class StoredReply(Struct, frozen=True):
    """The answer a command id has had."""

    body: str
    """A digest of what was asked, so that another body under the same id is noticed."""
    reply: bytes
    """JSON of the answer or refusal."""


class Expected(Struct, frozen=True):
    """What a transaction will look at first."""

    reply: str | None
    """Id of the command whose stored answer will be asked for; None = of none."""
    likely: Likely = Likely()


class Tx(View, Protocol):
    """A write transaction, which sees its own writes. Leaving its context commits, an exception undoes."""

    def position(self) -> Position:
        """Of the newest event, own ones included."""
        ...

    def append(self, event: Event, body: bytes) -> None:
        """Add the next event; `body` is its canonical JSON without `chain`."""
        ...

    def put(self, rows: Iterable[Row]) -> None:
        """Insert or replace rows by key."""
        ...

    def drop(self, rows: Iterable[Row]) -> None:
        """Remove rows by key; missing ones are no error."""
        ...

    def put_blob(self, sha256: str, data: bytes) -> None:
        """Store bytes; those that are there already stay."""
        ...

    def reply(self, command_id: str) -> StoredReply | None:
        """The stored answer of a command."""
        ...

    def forget(self) -> None:
        """Let go of what was remembered to save reads; a long transaction calls it now and then."""
        ...

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        """Store an answer; `wall_ms` is Unix milliseconds, for pruning."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """A part of the transaction that an exception undoes by itself."""
        ...


class Threads(Struct, frozen=True):
    """Where the calls of a store are made that wait for a network, so that no event loop waits."""

    write: Executor
    """One thread: the writers of a space wait for one another anyhow, and here they do so in turn."""
    read: Executor


class Store(Protocol):
    """Keeps one space.

    A `StorageFailed` with `again` in its data ended the work from outside, as when a connection broke; nothing was
    changed, and the same may be tried once more at once.
    """

    notice: str | None
    """One line for people about how the file is used; None when all is as it should be."""
    threads: Threads | None
    """Where to make calls; None when they are quick enough for an event loop."""

    def time(self) -> tuple[int, str] | None:
        """The clock of a store that several machines share: milliseconds, and what they are counted from.

        As of the newest transaction, and never ahead of it. None = the machine's own clock serves.
        """
        ...

    def write(self, expected: Expected | None = None, *, lasting: bool = True) -> AbstractContextManager[Tx]:
        """Begin a write transaction; waits for other writers in turn.

        `expected` is a hint for a store that is far away. Without `lasting`, a power failure may undo what was
        written until `sync`, unless an event was written with it; the end of this program never does.

        Raises:
            StorageFailed: Busy for too long, full, read-only or corrupt; nothing was changed.
        """
        ...

    def try_write(self, *, lasting: bool = True) -> AbstractContextManager[Tx] | None:
        """As `write`, or None at once when another writer is at work."""
        ...

    def sync(self) -> None:
        """Have all that was committed last, also that which was not made to.

        Raises:
            StorageFailed: As `write`.
        """
        ...

    def read(self) -> AbstractContextManager[View]:
        """A consistent view of one moment."""
        ...

    def position(self) -> Position:
        """Of the newest committed event."""
        ...

    def events(self, after: int, limit: int) -> list[Event]:
        """Committed events with `seq` above `after`, in order."""
        ...

    def bodies(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """`(seq, chain, canonical body)` as stored, for checking the chain."""
        ...

    def blob(self, sha256: str) -> bytes | None:
        """Stored bytes, or None."""
        ...

    def replies(self, after: str, limit: int) -> list[tuple[str, StoredReply, int]]:
        """`(command id, answer, Unix milliseconds)` with ids above `after`, in their order."""
        ...

    def blob_names(self) -> list[str]:
        """SHA-256 of all stored blobs."""
        ...

    def rows(self, row: type[R]) -> Iterator[R]:
        """All rows of a class, one after the other; for use inside `read`."""
        ...

    def damage(self) -> list[str]:
        """What is wrong with the store itself, below rows and events; empty when nothing is."""
        ...

    def rebuild(self) -> None:
        """Make all projections again from the log.

        Raises:
            StorageFailed: An event cannot be folded; nothing was changed.
        """
        ...

    def change_token(self) -> int:
        """A number that is another one once anything was committed, by this process or any other."""
        ...

    def change_elsewhere(self) -> int:
        """As `change_token`, for commits that did not go through this object."""
        ...

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told`, in any thread, soon after the change token has become another one.

        A store whose token has to be looked at never calls it.
        """
        ...

    def aside(self) -> AbstractContextManager[Store]:
        """The same space, opened once more, for long reads in another thread."""
        ...

    def search(self, text: str, limit: int, *, history: bool = False) -> list[Found]:
        """Texts that contain all words, best first; old versions only with `history`."""
        ...

    def close(self) -> None:
        """Free what is open; may be called twice."""
        ...
