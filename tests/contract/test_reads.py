"""What every space answers."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.policy import Policy
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.testing import ManualClock


async def test_artifacts_are_found_by_id_and_by_path_in_any_case(space: LocalSpace, doc: str) -> None:
    assert (await space.read(q.FindArtifact(doc))).path == "doc.md"
    assert (await space.read(q.FindArtifact("DOC.md"))).id == doc
    with pytest.raises(NotFound) as refused:
        await space.read(q.FindArtifact("dok.md"))
    assert "doc.md" in refused.value.hint


async def test_history_and_contents_of_all_versions(space: LocalSpace, doc: str) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="two\n", note="why"))

    versions = await space.read(q.History(doc))

    assert [(each.version, each.note, each.actor) for each in versions] == [(1, "", "ana"), (2, "why", "ana")]
    assert await space.read(q.Content(doc, 1)) == b"one\n"
    assert await space.read(q.Content(doc)) == b"two\n"
    with pytest.raises(NotFound):
        await space.read(q.Content(doc, 3))


async def test_how_long_a_lock_lives_takes_idleness_and_the_longest_hold_into_account(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    policy = Policy()
    agent = space.acting_as(Actor("edwin", "agent", for_="ana"))
    await agent.execute(c.AcquireLock(artifact=doc, ttl_ms=86_400_000))
    [alone] = await space.read(q.Locks())
    await space.execute(c.AcquireLock(artifact=doc, wait=True, ttl_ms=86_400_000))
    fence = alone.lock.fence
    while clock.now().mono_ms < 1_000_000 + policy.agent_hold_ms - 60_000:
        clock.sleep(60_000)
        await agent.execute(c.RenewLock(artifact=doc, fence=fence))

    [waited] = await space.read(q.Locks())

    assert (alone.expires_ms, waited.expires_ms) == (policy.agent_idle_ms, 60_000)


async def test_a_lock_shows_how_long_it_lives(space: LocalSpace, doc: str, clock: ManualClock) -> None:
    await space.execute(c.AcquireLock(artifact=doc, ttl_ms=5000, purpose="p"))
    clock.sleep(2000)

    [state] = await space.read(q.Locks())

    assert (state.path, state.expires_ms, state.idle_ms, state.lock.purpose) == ("doc.md", 3000, 2000, "p")
    clock.sleep(60_000)
    [state] = await space.read(q.Locks())
    assert state.expires_ms == 0


async def test_orphan_drafts_are_listed_until_they_are_let_go(space: LocalSpace, doc: str) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="half"))
    await space.execute(c.ReleaseLock(artifact=doc, fence=fence))

    [draft] = await space.read(q.Drafts())
    assert await space.read(q.DraftContent(draft.id)) == b"half"
    await space.execute(c.DiscardDraft(draft=draft.id))

    assert await space.read(q.Drafts()) == []


async def test_a_set_shows_its_variations_with_their_checks(space: LocalSpace, doc: str) -> None:
    await space.execute(c.OpenVariationSet(set="abc1", title="t", artifact=doc))
    await space.execute(c.OpenVariationSet(set="abd2", title="u", base_text="from"))
    for text in ("x", "y"):
        await space.execute(c.AddVariation(set="abc1", text=text))
    await space.execute(c.RecordCheck(set="abc1", number=2, name="t", status="passed", duration_ms=1))

    view = await space.read(q.OneVariationSet("abc"))

    assert [len(each.checks) for each in view.variations] == [0, 1]
    assert await space.read(q.VariationText("abc1", 2)) == "y"
    assert await space.read(q.VariationText("abc1", 0)) == "one\n"
    assert await space.read(q.VariationText("abd2", 0)) == "from"
    assert (await space.read(q.OneVariationSet("last"))).set.id == "abd2"
    for unclear in ("ab", "zz", ""):
        with pytest.raises(NotFound):
            await space.read(q.OneVariationSet(unclear))


async def test_a_run_shows_its_steps_gates_and_whether_it_is_driven(
    space: LocalSpace, clock: ManualClock
) -> None:
    await space.execute(c.StartRun(run="r1", flow="f", flow_sha256="", flow_text="", ttl_ms=1000))
    await space.execute(c.RecordStep(run="r1", fence=1, key="vary", kind="vary", status="started"))
    await space.execute(c.StreamStep(run="r1", fence=1, key="vary", off=0, text="so f"))
    await space.execute(c.OpenGate(gate="g", run="r1", fence=1, kind="choose", question="?"))

    view = await space.read(q.OneRun("last"))

    assert (view.alive, [s.key for s in view.steps], [g.id for g in view.gates]) == (True, ["vary"], ["g"])
    assert await space.read(q.StepText("r1", "vary")) == "so f"
    assert [gate.id for gate in await space.read(q.Gates())] == ["g"]
    clock.sleep(1000)
    assert not (await space.read(q.OneRun("r1"))).alive


async def test_texts_are_found_by_their_words(space: LocalSpace, doc: str) -> None:
    await space.execute(c.CreateArtifact(path="b.md", text="The quick brown fox jumps.\n"))
    await space.execute(c.OpenVariationSet(set="s", title="animals"))
    await space.execute(c.AddVariation(set="s", text="A slow fox sleeps.\n"))

    hits = await space.read(q.Search("fox"))

    assert {(hit.kind, hit.title) for hit in hits} == {
        ("artifact", "b.md"),
        ("variation", "animals, variation 1"),
    }
    assert [hit.kind for hit in await space.read(q.Search("fox quick"))] == ["artifact"]
    assert await space.read(q.Search('" OR 1')) == [] == await space.read(q.Search("  "))
