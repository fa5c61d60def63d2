"""Commands about text on its way to a version."""

from __future__ import annotations

from msgspec import Struct, field

from flowide.domain.commands.base import DEFAULT_TTL_MS, Command, Done
from flowide.domain.ids import uuid7


class Have(Struct, frozen=True):
    """Bytes of the draft that are stored."""

    have: int


class AppendDraft(Command[Have], frozen=True, kw_only=True, tag="draft.append"):
    """Add text to the draft under a fence. Idempotent by offset; writes no event."""

    artifact: str
    fence: int
    off: int
    """Offset in bytes of UTF-8 at which `text` starts."""
    text: str
    cut: bool = False
    """True = the draft ends at `off` before `text` is added, as an editor that changed the middle needs."""


class Kept(Struct, frozen=True):
    """The draft as it is stored."""

    draft: str
    size: int
    sha256: str


class KeepDraft(Command[Kept], frozen=True, kw_only=True, tag="draft.keep"):
    """Keep a private text on a base version, without a lock; the same id again replaces it."""

    draft: str = field(default_factory=uuid7)
    artifact: str
    base: int
    text: str | None = None
    blob: str | None = None
    """SHA-256 of a blob put before; exactly one of `text` and `blob`."""
    why: str = "private"


class Adopted(Struct, frozen=True):
    """The fence under which the draft now lives."""

    fence: int


class AdoptDraft(Command[Adopted], frozen=True, kw_only=True, tag="draft.adopt"):
    """Take the lock and go on with an orphan draft."""

    draft: str
    ttl_ms: int = DEFAULT_TTL_MS


class DiscardDraft(Command[Done], frozen=True, kw_only=True, tag="draft.discard"):
    """Let an orphan draft go."""

    draft: str
