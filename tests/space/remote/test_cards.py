"""An edit that went on while the hub was away meets what others did meanwhile: a card, never an overwrite."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.errors import Offline
from flowide.project.folder import ProjectFolder
from flowide.project.reconnecting import offer
from flowide.space import queries as q
from flowide.space.remote.space import RemoteSpace
from tests.space.remote.proxy import Proxy
from tests.space.remote.test_coming_back import away, back


@pytest.fixture
async def fence(ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str) -> int:
    """Ana edits `doc`, and the hub is away."""
    fence = (await ana.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await away(ana, proxy)
    await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="one, and mine\n"))
    with pytest.raises(Offline):
        await ana.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="one, and mine\n"))
    return fence


async def taken_over(rod: RemoteSpace, doc: str) -> int:
    return (await rod.execute(c.ForceLock(artifact=doc, reason="urgent", take=True))).ok.fence or 0


async def test_a_text_over_a_version_that_moved_on_becomes_a_card(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str, fence: int, tmp_path: Path
) -> None:
    theirs = await taken_over(rod, doc)
    await rod.execute(c.SaveArtifact(artifact=doc, fence=theirs, base=1, text="one, and theirs\n"))
    await back(ana, proxy)

    [change] = await offer(ana)

    folder = ProjectFolder.open(tmp_path / "ana")
    [card] = await folder.conflicts(ana)
    assert (card.id, card.base, card.holder, card.shape) == (change.conflict, 1, "ana", "editor")
    assert await ana.read(q.Content(doc)) == b"one, and theirs\n"
    assert [draft for draft in await ana.read(q.Drafts(doc)) if draft.why == "offline"] == []
    resolved = await folder.resolve(ana, card.id, "variation")
    assert resolved.set is not None and resolved.number is not None
    assert await ana.read(q.VariationText(resolved.set, resolved.number)) == "one, and mine\n"
    assert await offer(ana) == []


async def test_a_card_can_be_applied_on_top(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str, fence: int, tmp_path: Path
) -> None:
    theirs = await taken_over(rod, doc)
    await rod.execute(c.SaveArtifact(artifact=doc, fence=theirs, base=1, text="zero\none\n"))
    await back(ana, proxy)
    [change] = await offer(ana)
    assert change.conflict is not None
    folder = ProjectFolder.open(tmp_path / "ana")

    resolved = await folder.resolve(ana, change.conflict, "merge")

    live = await ana.read(q.LiveDraft(doc))
    assert live is not None and live.fence == resolved.fence
    assert "one, and mine" in live.text and "zero" in live.text


async def test_a_text_over_a_version_that_is_still_the_newest_is_offered_as_a_draft(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str, fence: int
) -> None:
    theirs = await taken_over(rod, doc)
    await rod.execute(c.ReleaseLock(artifact=doc, fence=theirs))
    await back(ana, proxy)

    assert await offer(ana) == []

    [draft] = [each for each in await ana.read(q.Drafts(doc)) if each.why == "offline"]
    adopted = (await ana.execute(c.AdoptDraft(draft=draft.id))).ok
    live = await ana.read(q.LiveDraft(doc))
    assert live is not None and (live.fence, live.text) == (adopted.fence, "one, and mine\n")
