"""The promises of a space, one by one, in the order in which docs/protocol.md lists them.

Those about several processes are in tests/space; those about a hub are with the hub.
"""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.domain.ids import uuid7
from flowide.errors import Busy, Conflict, Fenced, FlowError, Mismatch, NotAllowed
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.testing import ManualClock
from tests.contract.sample import EDWIN, ROD, live_a_little

TTL = 1000


async def take(space: LocalSpace, doc: str, *, wait: bool = False) -> c.Granted:
    return (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=TTL, wait=wait))).ok


async def types(space: LocalSpace) -> list[str]:
    return [event.type async for event in space.events()]


async def test_01_every_version_carries_the_fence_of_the_latest_grant_and_is_by_its_holder(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    first = await take(space, doc)
    clock.sleep(TTL)
    second = await take(space.acting_as(ROD), doc)

    with pytest.raises(Fenced):
        await space.execute(c.SaveArtifact(artifact=doc, fence=first.fence or 0, base=1, text="late"))
    await space.acting_as(ROD).execute(
        c.SaveArtifact(artifact=doc, fence=second.fence or 0, base=1, text="mine")
    )

    newest = (await space.read(q.History(doc)))[-1]
    assert (newest.fence, newest.actor) == (second.fence, "rod")
    third = await take(space, doc)
    with pytest.raises(Fenced):
        await space.execute(c.SaveArtifact(artifact=doc, fence=first.fence or 0, base=2, text="late"))
    await space.execute(c.SaveArtifact(artifact=doc, fence=third.fence or 0, base=2, text="mine again"))


async def test_02_fences_strictly_increase(space: LocalSpace, doc: str, clock: ManualClock) -> None:
    fences = [1]
    for how in ("release", "lapse", "transfer", "force"):
        mine = (await take(space, doc)).fence or 0
        fences.append(mine)
        if how == "release":
            await space.execute(c.ReleaseLock(artifact=doc, fence=mine))
        elif how == "transfer":
            await space.execute(c.TransferLock(artifact=doc, fence=mine, to="rod"))
            fences.append((await space.read(q.Locks(doc)))[0].lock.fence)
            await space.acting_as(ROD).execute(c.ReleaseLock(artifact=doc, fence=fences[-1]))
        elif how == "force":
            forced = await space.acting_as(ROD).execute(c.ForceLock(artifact=doc, reason="x", take=True))
            fences.append(forced.ok.fence or 0)
        clock.sleep(TTL)

    assert fences == sorted(set(fences))


async def test_03_what_was_acknowledged_stays_at_its_seq(space: LocalSpace, doc: str) -> None:
    before = [event async for event in space.events()]

    await live_a_little_more(space, doc)

    assert [event async for event in space.events()][: len(before)] == before


async def live_a_little_more(space: LocalSpace, doc: str) -> None:
    granted = await take(space, doc)
    await space.execute(c.SaveArtifact(artifact=doc, fence=granted.fence or 0, base=1, text="more\n"))


async def test_04_no_version_without_a_lock(space: LocalSpace, doc: str) -> None:
    changes: list[c.Command[c.Versioned]] = [
        c.SaveArtifact(artifact=doc, fence=1, base=1, text="x"),
        c.MoveArtifact(artifact=doc, fence=1, base=1, path="x.md"),
        c.DeleteArtifact(artifact=doc, fence=1, base=1),
        c.RestoreArtifact(artifact=doc, fence=1, base=1, version=1),
    ]
    for change in changes:
        with pytest.raises(Fenced):
            await space.execute(change)

    versions = await space.read(q.History(doc))
    assert [row.version for row in versions] == [1]


async def test_05_versions_are_dense_and_their_bytes_never_change(space: LocalSpace, doc: str) -> None:
    fence = (await take(space, doc)).fence or 0
    for at in range(1, 5):
        await space.execute(
            c.SaveArtifact(artifact=doc, fence=fence, base=at, text=f"v{at + 1}", then="keep")
        )
    await space.execute(c.RestoreArtifact(artifact=doc, fence=fence, base=5, version=2))

    assert [row.version for row in await space.read(q.History(doc))] == [1, 2, 3, 4, 5, 6]
    texts = [await space.read(q.Content(doc, at)) for at in range(1, 7)]
    assert texts == [b"one\n", b"v2", b"v3", b"v4", b"v5", b"v2"]


async def test_06_a_reader_that_sees_an_event_has_seen_all_before_it(space: LocalSpace) -> None:
    seen: list[int] = []

    async def follow() -> None:
        async for event in space.events(follow=True):
            seen.append(event.seq)
            if event.seq >= 30:
                return

    following = asyncio.create_task(follow())
    for at in range(10):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text=""))
    await asyncio.wait_for(following, 10)

    assert seen == list(range(1, len(seen) + 1))


async def test_07_answers_come_in_the_order_of_the_log(space: LocalSpace, doc: str) -> None:
    seqs = []
    for command in (
        c.AcquireLock(artifact=doc),
        c.AcquireLock(artifact=doc),
        c.AcquireLock(artifact=doc, wait=True),
    ):
        try:
            seqs.append((await space.execute(command)).seq)
        except Busy as refused:
            seqs.append(refused.data["seq"])

    assert seqs == sorted(seqs)
    assert seqs[-1] == await space.head()


async def test_08_a_command_id_has_one_effect_and_one_answer(space: LocalSpace, doc: str) -> None:
    id = uuid7()
    first = await space.execute(c.AcquireLock(artifact=doc), id=id)

    assert await space.execute(c.AcquireLock(artifact=doc), id=id) == first
    assert (await types(space)).count("lock.acquired") == 2
    with pytest.raises(Mismatch):
        await space.execute(c.AcquireLock(artifact=doc, ttl_ms=9999), id=id)


async def test_09_a_refusal_has_no_effect_and_says_when_it_was_true(space: LocalSpace, doc: str) -> None:
    await take(space, doc)
    head, before = await space.head(), await space.read(q.Locks())

    with pytest.raises(Conflict) as refused:
        await space.execute(c.SaveArtifact(artifact=doc, fence=2, base=7, text="x"))

    assert (refused.value.data["seq"], refused.value.data["version"]) == (head, 1)
    assert (await space.head(), await space.read(q.Locks())) == (head, before)


async def test_10_anybody_can_recompute_the_chain(space: LocalSpace) -> None:
    await live_a_little(space)
    chain = bytes(32)
    async for event in space.events():
        fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "chain"}
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        chain = sha256(chain + text.encode()).digest()
        assert event.chain == chain.hex()


async def test_12_no_lapse_before_the_lease_has_run_its_full_length(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    fence = (await take(space, doc)).fence
    for _ in range(5):
        clock.sleep(TTL - 1)
        with pytest.raises(Busy):
            await take(space.acting_as(ROD), doc)
        await space.execute(c.RenewLock(artifact=doc, fence=fence))

    assert "lock.lapsed" not in await types(space)


async def test_13_a_dead_holder_gives_way_to_a_waiter_when_its_lease_ends(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    await take(space, doc)
    rod = space.acting_as(ROD)
    ticket = (await rod.execute(c.AcquireLock(artifact=doc, wait=True, ttl_ms=TTL * 3))).ok.ticket
    clock.sleep(TTL)

    with pytest.raises(FlowError):
        await rod.execute(c.RenewLock(artifact=doc, ticket=ticket))

    [state] = await space.read(q.Locks(doc))
    assert (state.lock.actor, state.lock.ticket) == ("rod", ticket)


async def test_14_a_lapsed_lock_that_nobody_took_still_saves(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    fence = (await take(space, doc)).fence or 0
    clock.sleep(TTL * 100)
    with pytest.raises(NotAllowed):
        await space.acting_as(EDWIN).execute(c.ForceLock(artifact=doc, reason="only people may"))
    assert (await types(space))[-1] == "lock.lapsed"

    saved = await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="late but mine"))

    assert saved.ok.version == 2


@pytest.mark.parametrize("act", ["lapse", "force", "force and take", "transfer"])
async def test_15_no_draft_is_destroyed_by_the_act_of_another(
    space: LocalSpace, doc: str, clock: ManualClock, act: str
) -> None:
    fence = (await take(space, doc)).fence or 0
    await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="precious"))
    rod = space.acting_as(ROD)
    if act == "lapse":
        clock.sleep(TTL)
        await take(rod, doc)
    elif act == "transfer":
        await space.execute(c.TransferLock(artifact=doc, fence=fence, to="rod", with_draft=False))
    else:
        await rod.execute(c.ForceLock(artifact=doc, reason="mine now", take=act.endswith("take")))

    [draft] = await space.read(q.Drafts(doc))
    assert (draft.actor, await space.read(q.DraftContent(draft.id))) == ("ana", b"precious")


async def test_16_a_stored_draft_is_a_prefix_of_what_was_sent(space: LocalSpace, doc: str) -> None:
    fence = (await take(space, doc)).fence or 0
    sent, have = "Grüße 🙂 aus dem Entwurf", 0
    for part in (sent[:3], sent[3:9], sent[9:]):
        have = (await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=have, text=part))).ok.have
        live = await space.read(q.LiveDraft(doc))
        assert live is not None and sent.encode()[:have] == live.text.encode()


async def test_17_grants_follow_the_order_of_live_tickets(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    mine = (await take(space, doc)).fence or 0
    dead = await take(space.acting_as(ROD), doc, wait=True)
    clock.sleep(TTL - 1)
    await space.execute(c.RenewLock(artifact=doc, fence=mine))
    first = await take(space.acting_as(EDWIN), doc, wait=True)
    await take(space.acting_as(ROD), doc, wait=True)
    clock.sleep(1)

    await space.execute(c.ReleaseLock(artifact=doc, fence=mine))

    [state] = await space.read(q.Locks(doc))
    assert state.lock.ticket == first.ticket
    ended = {e.data["ticket"]: e.data["why"] async for e in space.events() if e.type == "lock.dequeued"}
    assert ended == {dead.ticket: "expired", first.ticket: "granted"}


async def test_18_a_batch_is_all_or_nothing(space: LocalSpace, doc: str) -> None:
    head = await space.head()

    with pytest.raises(Conflict):
        await space.batch(
            [c.AcquireLock(artifact=doc), c.SaveArtifact(artifact=doc, fence=2, base=9, text="x")]
        )

    assert await space.head() == head


async def test_19_every_change_has_an_event_with_actor_and_command_and_the_rows_follow_from_it(
    space: LocalSpace,
) -> None:
    await live_a_little(space)
    async for event in space.events():
        assert event.actor["id"] and event.client and event.cmd
    rows = {kind: await rows_of(space, kind) for kind in r.PROJECTIONS}

    await space.rebuild()

    assert {kind: await rows_of(space, kind) for kind in r.PROJECTIONS} == rows
    assert await space.read(q.Verify()) == []


async def rows_of(space: LocalSpace, kind: type[r.Row]) -> list[r.Row]:
    with space.store.read() as view:
        return sorted(view.find(kind), key=repr)


@pytest.mark.parametrize(
    "command",
    [c.ForceLock(artifact="doc", reason="x"), c.AnswerGate(gate="g", answer="yes")],
    ids=lambda command: command.wire_name(),
)
async def test_20_what_an_agent_may_not_do_is_refused_by_the_rules(
    space: LocalSpace, start: int, command: c.Command[object]
) -> None:
    with pytest.raises(NotAllowed):
        await space.acting_as(EDWIN).execute(command)
    assert await space.head() == start
