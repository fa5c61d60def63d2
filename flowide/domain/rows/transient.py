"""Rows without events: leases and live text. Losing them loses no decision."""

from __future__ import annotations

from flowide.domain.rows.base import Row


class Lease(Row, frozen=True):
    """How long a lock, ticket or run lives without a renewal."""

    TABLE = "leases"
    KEY = ("key",)

    key: str
    """`lock:<artifact>`, `ticket:<id>` or `run:<id>`."""
    fence: int
    deadline_ms: int
    """On the monotonic clock of `boot`."""
    boot: str
    active_ms: int
    """Monotonic time of the last sign of work, for the idle lapse."""
    since_ms: int
    """Monotonic time of the grant, for the longest hold."""
    holder: str = ""
    """`<client> <actor>` of a lock, to count what one client holds."""


class LiveDraft(Row, frozen=True):
    """The text being written under a fence."""

    TABLE = "live_drafts"
    KEY = ("artifact", "fence")

    artifact: str
    fence: int
    base: int
    size: int
    """Bytes (UTF-8) stored so far."""
    cuts: int = 0
    """How often its end was cut off: tells a change that leaves the size as it was."""


class Chunk(Row, frozen=True):
    """A part of a live draft or of a step's answer, at a byte offset."""

    TABLE = "chunks"
    KEY = ("stream", "off")

    stream: str
    """`draft:<artifact>:<fence>` or `step:<run>:<key>`."""
    off: int
    text: str


class Connected(Row, frozen=True):
    """Who is connected through one hub of a database that several share."""

    TABLE = "connected"
    KEY = ("hub",)

    hub: str
    """A random name, new with each start."""
    here: str
    """JSON of a list of clients, as `presence` tells them."""
    deadline_ms: int
    """On the monotonic clock of `boot`: until then it counts without being written again."""
    boot: str
