"""The one door to a space. Terminal app, command line, runs, agents and servers all use just this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from flowide.domain.actors import Actor
from flowide.domain.commands import Command
from flowide.domain.events import Event
from flowide.space.queries import Query

Ok = TypeVar("Ok")
R = TypeVar("R")


class Reply(Struct, Generic[Ok], frozen=True):
    """The answer to a command that was carried out."""

    seq: int
    """The log's position just after the command; also set on refusals, as `error.data["seq"]`."""
    ok: Ok


class Space(Protocol):
    """A space, seen by one actor from one process."""

    actor: Actor
    client: str
    """UUID of this process's connection."""

    @property
    def shared(self) -> bool:
        """Whether other machines change it too: then nobody but this one writes the files here."""
        ...

    @property
    def ttl_ms(self) -> int:
        """Milliseconds a lock lives without a renewal, unless its taker says otherwise."""
        ...

    async def execute(self, command: Command[Ok], *, id: str | None = None) -> Reply[Ok]:
        """Carry out a command, or refuse it without effect.

        `id` is the command's UUIDv7, made when None: the same id with the same body gives the same reply
        and has its effect once.

        Raises:
            FlowError: The refusal, by its code.
        """
        ...

    async def batch(self, commands: Sequence[Command[Any]], *, id: str | None = None) -> Reply[list[Any]]:
        """Carry out commands all together or not at all; `ok` lists their answers in order."""
        ...

    async def read(self, query: Query[R]) -> R:
        """The answer to a query, from one consistent state."""
        ...

    def events(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[Event]:
        """Events with `seq` above `after`, in order; with `follow` it waits for more until closed."""
        ...

    async def head(self) -> int:
        """`seq` of the newest event; 0 in a new space."""
        ...

    async def put_blob(self, data: bytes) -> str:
        """Store bytes and return their SHA-256."""
        ...

    async def blob(self, sha256: str) -> bytes:
        """Stored bytes.

        Raises:
            NotFound: No such blob.
        """
        ...

    def acting_as(self, actor: Actor) -> Space:
        """The same space and client, seen by another actor, e.g. an agent this process runs."""
        ...

    async def close(self) -> None:
        """Free the connection; held locks stay until their lease runs out."""
        ...
