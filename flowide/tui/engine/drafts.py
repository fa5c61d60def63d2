"""Kept drafts: what is in one, and what becomes of it."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.commands import DiscardDraft
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.tui.engine import editing
from flowide.tui.engine.session import Session

WHY = {
    "released": "It was put away without being saved.",
    "lapsed": "Its writer stopped answering.",
    "forced": "Somebody ended the lock.",
    "transferred": "The lock was handed over.",
    "private": "It was written without a lock.",
}
"""Why a draft is kept, for people; other reasons say nothing."""


class Offered(Struct, frozen=True):
    """A kept draft, as it is offered."""

    path: str
    actor: str
    base: int
    ts: str
    why: str
    diff: str
    """Against the newest version, without a head."""


async def look(session: Session, draft: str) -> Offered:
    """A kept draft.

    Raises:
        NotFound: It is gone.
    """
    from flowide.project.diffs import unified

    kept = await _kept(session, draft)
    row = await session.space.read(q.FindArtifact(kept.artifact))
    newest = await session.space.read(q.Content(row.id))
    diff = unified(newest, await session.space.blob(kept.sha256), "", "", context=1)
    lines = [line for line in diff.split("\n") if not line.startswith(("---", "+++"))]
    return Offered(row.path, kept.actor, kept.base, kept.ts, WHY.get(kept.why, kept.why), "\n".join(lines))


async def as_variation(session: Session, draft: str) -> int:
    """Keep a draft as a variation: its number."""
    kept = await _kept(session, draft)
    row = await session.space.read(q.FindArtifact(kept.artifact))
    text = (await session.space.blob(kept.sha256)).decode(errors="replace")
    number = await editing.as_variation(session, row.id, row.path, kept.base, text)
    await session.space.execute(DiscardDraft(draft=draft))
    return number


async def let_go(session: Session, draft: str) -> None:
    """Nobody wants it."""
    await session.space.execute(DiscardDraft(draft=draft))


async def _kept(session: Session, draft: str) -> rows.Draft:
    found = next((each for each in await session.space.read(q.Drafts()) if each.id == draft), None)
    if found is None:
        raise NotFound("this draft is gone", hint="Somebody went on with it, or let it go.")
    return found
