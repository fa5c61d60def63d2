"""Texts that were written while the hub was away, and whose lock had another holder by the time it came back.

Each was kept as a private draft. Where the artifact is still what the text was made from, the draft is simply offered;
where it has moved on, the draft becomes a conflict card: base, theirs, mine.
"""

from __future__ import annotations

from flowide.domain.commands import DiscardDraft
from flowide.errors import Conflict, FlowError
from flowide.project import conflicts
from flowide.project.catching_up import Change
from flowide.space.api import Space
from flowide.space.queries import DraftContent, Drafts, FindArtifact
from flowide.space.remote.texts import OFFLINE


async def offer(space: Space) -> list[Change]:
    """Make cards of own texts whose artifact has moved on meanwhile; what became of each, by path."""
    made = []
    for draft in await space.read(Drafts()):
        if draft.why != OFFLINE or draft.actor != space.actor.id:
            continue
        row = await space.read(FindArtifact(draft.artifact))
        if row.version == draft.base or row.deleted:
            continue
        try:
            mine = await space.read(DraftContent(draft.id))
            # Under no fence: the lock it was written under has ended.
            card = await conflicts.saved_over_stale_base(space, row, mine, base=draft.base, fence=0)
            await space.execute(DiscardDraft(draft=draft.id))
        except FlowError:
            continue  # the hub is away again; the draft stays
        made.append(_change(card, draft.artifact))
    return sorted(made, key=lambda change: change.path)


def _change(card: Conflict, artifact: str) -> Change:
    data = card.data
    return Change(
        data["path"], "conflict", artifact, data["version"], conflict=data["conflict"], message=card.message
    )
