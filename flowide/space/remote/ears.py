"""What a connection to a hub tells those who work over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flowide.space.remote.outbox import Entry
from flowide.space.wire.calls import Result
from flowide.space.wire.frames import FromHub

if TYPE_CHECKING:
    from flowide.space.remote.link import Link


class Ears(Protocol):
    """Who is told what comes over a link."""

    def grown(self) -> None:
        """The replica has new events."""
        ...

    def replaced(self) -> None:
        """The replica holds another log now."""
        ...

    def stood(self) -> None:
        """The standing has changed."""
        ...

    def live(self, frame: FromHub) -> None:
        """A frame about what is no event: drafts, answers being written, who is here."""
        ...

    async def resume(self, link: Link) -> None:
        """The link is up to date again; called before anything else is sent."""
        ...

    async def settle(self, link: Link) -> None:
        """See to texts that are kept on this machine."""
        ...

    def answered(self, entry: Entry, result: Result) -> None:
        """A command was answered for which nobody here waits any more."""
        ...
