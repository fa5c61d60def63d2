"""Connections before they are anything: how many an address may have, and how long a request may take to come."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, ClassVar
from weakref import WeakSet

from uvicorn.protocols.http.h11_impl import H11Protocol

from flowide.hub.manner import Manner


class Callers:
    """The open connections of each address."""

    def __init__(self, most: int | None) -> None:
        """`most` None = any number."""
        self._most = most
        self._open: defaultdict[str, WeakSet[Any]] = defaultdict(WeakSet)

    def come(self, address: str, transport: Any) -> bool:
        """A connection was made; whether it may stay."""
        if self._most is None:
            return True
        mine = self._open[address]
        for each in tuple(mine):
            if each.is_closing():
                mine.discard(each)
        if len(mine) >= self._most:
            return False
        mine.add(transport)
        if len(self._open) > 10_000:
            self._forget()
        return True

    def _forget(self) -> None:
        for address in [name for name, mine in self._open.items() if all(each.is_closing() for each in mine)]:
            del self._open[address]


class CallerProtocol(H11Protocol):
    """uvicorn's HTTP, for callers that may not stay without saying anything."""

    callers: ClassVar[Callers]
    request_s: ClassVar[float]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if self.callers.come(address, transport):
            self.loop.call_later(self.request_s, self._given_up)
        else:
            transport.close()

    def _given_up(self) -> None:
        # A stream has another protocol by now.
        if self.transport.get_protocol() is self and self.cycle is None:
            self.transport.abort()


def protocol_for(manner: Manner) -> type[CallerProtocol]:
    """The protocol of one hub."""
    made = {"callers": Callers(manner.connections), "request_s": manner.request_s}
    return type("HubProtocol", (CallerProtocol,), made)
