"""How a remote space stands with its hub, for screens and the command line."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Standing(Struct, frozen=True):
    """Whether the hub is there; what is read meanwhile comes from the replica."""

    state: Literal["online", "offline", "resyncing"]
    since: str
    """RFC 3339 UTC."""
    why: str = ""
    """Why it is not online, in a few words."""
    waiting: int = 0
    """Commands that go out when the hub is there again."""

    def line(self) -> str:
        """One line for people; empty when all is well."""
        if self.state == "online":
            return ""
        waits = f", {self.waiting} to be sent" if self.waiting else ""
        if self.state == "resyncing":
            return f"catching up with the hub since {self.since[11:19]}Z{waits}"
        return f"offline since {self.since[11:19]}Z: {self.why}{waits}"
