"""Questions about text that is no version."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


class DraftText(Struct, frozen=True):
    """The text being written under a fence."""

    artifact: str
    fence: int
    base: int
    text: str


class LiveDraft(Query[DraftText | None], frozen=True):
    """What the holder of an artifact has written so far; None when nothing."""

    artifact: str


class Drafts(Query[list[rows.Draft]], frozen=True):
    """Orphan drafts that wait to be adopted or discarded, newest first."""

    artifact: str | None = None
    ended: bool = False
    """Also those that were adopted, discarded or offered for long enough: their texts are still there."""


class DraftContent(Query[bytes], frozen=True):
    """Bytes of an orphan draft."""

    draft: str
