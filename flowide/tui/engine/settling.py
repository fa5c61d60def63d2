"""Conflict cards: their three texts, and what an answer does to the locks of this window."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from flowide.domain.rows import Gate
from flowide.errors import NotFound
from flowide.project.conflicts import card_of
from flowide.project.resolving import Resolved, Sides, sides
from flowide.space import queries as q
from flowide.tui.engine import editing
from flowide.tui.engine.session import Session
from flowide.tui.views.conflict import Conflicting, three

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder

NO_TEXT = "One side is no text, so they cannot be shown beside each other."


async def look(session: Session, gate: str) -> tuple[Gate, Conflicting]:
    """A card as it is now.

    Raises:
        NotFound: There is no such card.
    """
    gates = await session.space.read(q.Gates(status=None))
    found = next((each for each in gates if each.id == gate), None)
    if found is None:
        raise NotFound("this conflict is gone")
    card = card_of(found)
    row = await session.space.read(q.FindArtifact(card.artifact))
    if card.status != "open":
        return found, Conflicting(card=card, rows=(), version=row.version)
    texts = await sides(cast("ProjectFolder", session.folder), session.space, card)
    return found, await asyncio.to_thread(
        _compared, Conflicting(card=card, rows=(), version=row.version), texts
    )


def _compared(found: Conflicting, texts: Sides) -> Conflicting:
    from msgspec.structs import replace

    if texts.mine is None:
        return replace(found, empty=True)
    try:
        decoded = [each.decode() for each in (texts.base, texts.mine, texts.theirs)]
    except UnicodeDecodeError:
        return replace(found, problem=NO_TEXT)
    return replace(found, rows=tuple(three(*decoded)))


async def settle(session: Session, gate: str, choice: str) -> Resolved:
    """Carry an answer out. After a merge its lock is kept here, with the merged text as its draft.

    Raises:
        FlowError: It cannot be done; then the card stays open, and the text where it was.
    """
    folder = cast("ProjectFolder", session.folder)
    resolved = await folder.resolve(session.space, gate, choice)
    hold = session.holds.pop(resolved.artifact, None)
    if hold is not None:
        await hold.keeper.__aexit__(None, None, None)
    if resolved.fence is not None:
        artifact = await session.space.read(q.FindArtifact(resolved.artifact))
        await editing.keep(session, artifact, resolved.fence)
    return resolved
