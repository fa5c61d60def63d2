"""What every space promises about commands and the log."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, Busy, Fenced, Gone, Mismatch, NotAllowed, NotFound, TooLarge
from flowide.space import queries as q
from flowide.space.leases import LeaseKeeper
from flowide.space.local import LocalSpace
from flowide.space.waiting import acquire
from flowide.testing import ManualClock

ROD = Actor("rod")
EDWIN = Actor("edwin", "agent", "ana")


async def log(space: LocalSpace) -> list[dict[str, object]]:
    return [
        {
            "v": e.v, "seq": e.seq, "chain": e.chain, "ts": e.ts, "actor": e.actor, "client": e.client,
            "cmd": e.cmd, "type": e.type, "data": e.data,
        }
        async for e in space.events()
    ]  # fmt: skip


async def test_the_log_is_dense_and_anybody_can_recompute_its_chain(
    space: LocalSpace, start: int, doc: str
) -> None:
    granted = (await space.execute(c.AcquireLock(artifact=doc, purpose="café ☕"))).ok
    await space.execute(c.SaveArtifact(artifact=doc, fence=granted.fence or 0, base=1, text="zwei\n"))

    chain = bytes(32)
    events = await log(space)
    for at, event in enumerate(events, start=1):
        stored = event.pop("chain")
        text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        chain = sha256(chain + text.encode()).digest()
        assert (event["seq"], stored) == (at, chain.hex())
    assert len(events) == await space.head() == start + 6


async def test_the_same_command_id_has_its_effect_once(space: LocalSpace, doc: str) -> None:
    id, command = uuid7(), c.AcquireLock(artifact=doc)

    first = await space.execute(command, id=id)
    head = await space.head()
    again = await space.execute(command, id=id)

    assert again == first
    assert await space.head() == head


async def test_a_refusal_is_repeated_word_by_word(space: LocalSpace, doc: str) -> None:
    await space.execute(c.AcquireLock(artifact=doc))
    id, other = uuid7(), space.acting_as(ROD)

    with pytest.raises(Busy) as first:
        await other.execute(c.AcquireLock(artifact=doc), id=id)
    with pytest.raises(Busy) as again:
        await other.execute(c.AcquireLock(artifact=doc), id=id)

    assert again.value.to_dict() == first.value.to_dict()


async def test_an_id_used_for_something_else_is_a_mismatch(space: LocalSpace, doc: str) -> None:
    id = uuid7()
    await space.execute(c.AcquireLock(artifact=doc), id=id)

    with pytest.raises(Mismatch):
        await space.execute(c.AcquireLock(artifact=doc, purpose="other"), id=id)
    with pytest.raises(Mismatch):
        await space.acting_as(ROD).execute(c.AcquireLock(artifact=doc), id=id)


async def test_a_refusal_has_no_effect_and_names_the_seq_it_was_true_at(space: LocalSpace, doc: str) -> None:
    before = await log(space)

    with pytest.raises(Fenced) as refused:
        await space.execute(c.SaveArtifact(artifact=doc, fence=9, base=1, text="x"))

    assert await log(space) == before
    assert refused.value.data["seq"] == len(before)


async def test_a_batch_is_all_or_nothing(space: LocalSpace, doc: str) -> None:
    before = await log(space)

    with pytest.raises(NotFound):
        await space.batch([c.AcquireLock(artifact=doc), c.AcquireLock(artifact="nothing")])

    assert await log(space) == before
    [state] = await space.read(q.Locks(doc))
    assert (state.lock.state, state.lock.fence) == ("free", 1)


async def test_commands_of_a_batch_see_each_other(space: LocalSpace) -> None:
    id = uuid7()

    reply = await space.batch(
        [
            c.CreateArtifact(id=id, path="a.py", text="", lock=True),
            c.SaveArtifact(artifact=id, fence=1, base=1, text="x = 1\n", then="keep"),
            c.SaveArtifact(artifact=id, fence=1, base=2, text="x = 2\n"),
        ]
    )

    assert [each.version for each in reply.ok] == [1, 2, 3]
    assert reply.seq == await space.head()
    assert await space.read(q.Content(id, 2)) == b"x = 1\n"


async def test_commands_of_a_batch_see_the_queue_change(space: LocalSpace, doc: str) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0

    queued, _ = (
        await space.batch([c.AcquireLock(artifact=doc, wait=True), c.ReleaseLock(artifact=doc, fence=fence)])
    ).ok

    [state] = await space.read(q.Locks(doc))
    assert (state.lock.ticket, state.lock.fence, state.queue) == (queued.ticket, fence + 1, [])


async def test_a_batch_is_bounded_and_holds_no_batch(space: LocalSpace, start: int) -> None:
    with pytest.raises(TooLarge):
        await space.batch([c.CreateArtifact(path=f"{n}.py", text="") for n in range(65)])
    with pytest.raises(BadInput):
        await space.batch([c.Batch(cmds=[])])
    assert await space.head() == start


async def test_a_repeated_batch_has_its_effect_once(space: LocalSpace, doc: str) -> None:
    id, batch = uuid7(), [c.AcquireLock(artifact=doc, wait=True), c.AcquireLock(artifact=doc, wait=True)]

    first = await space.batch(batch, id=id)

    assert await space.batch(batch, id=id) == first
    assert [granted.state for granted in first.ok] == ["held", "queued"]


async def test_events_of_one_command_are_contiguous_and_carry_its_id(space: LocalSpace, start: int) -> None:
    id = uuid7()
    await space.execute(c.CreateArtifact(path="a.py", text=""), id=id)

    assert [(event["cmd"], event["actor"]) for event in (await log(space))[start:]] == [
        (id, {"id": "ana", "kind": "human"})
    ] * 3


async def test_an_agent_is_named_with_whom_it_works_for(space: LocalSpace) -> None:
    await space.acting_as(EDWIN).execute(c.CreateArtifact(path="a.py", text=""))

    assert (await log(space))[-1]["actor"] == {"id": "edwin", "kind": "agent", "for": "ana"}


async def test_a_due_lapse_is_written_by_the_system_even_when_the_command_is_refused(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    await space.execute(c.AcquireLock(artifact=doc, ttl_ms=1000))
    clock.sleep(1000)

    with pytest.raises(NotAllowed):
        await space.acting_as(EDWIN).execute(c.ForceLock(artifact=doc, reason="x"))

    last = (await log(space))[-1]
    assert (last["type"], last["actor"]) == ("lock.lapsed", {"id": "system", "kind": "system"})


async def test_renewals_and_drafts_write_no_event(space: LocalSpace, doc: str) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    head = await space.head()

    await space.execute(c.RenewLock(artifact=doc, fence=fence))
    await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="wör"))

    assert await space.head() == head
    draft = await space.read(q.LiveDraft(doc))
    assert draft is not None and (draft.text, draft.fence, draft.base) == ("wör", fence, 1)


async def test_a_large_content_goes_as_a_blob(space: LocalSpace) -> None:
    data = bytes(range(256)) * 2000
    digest = await space.put_blob(data)

    made = (await space.execute(c.CreateArtifact(path="a.bin", kind="binary", blob=digest))).ok

    assert await space.read(q.Content(made.artifact)) == data
    assert await space.blob(digest) == data
    with pytest.raises(TooLarge):
        await space.put_blob(bytes(c.MAX_BLOB + 1))
    with pytest.raises(NotFound):
        await space.blob("ab" * 32)


async def test_what_json_cannot_say_is_refused_and_leaves_nothing(space: LocalSpace) -> None:
    await space.execute(c.OpenVariationSet(set="s", title="t"))
    await space.execute(c.AddVariation(set="s", text="x"))
    head = await space.head()

    with pytest.raises(BadInput):
        await space.execute(
            c.RecordCheck(
                set="s", number=1, name="n", status="passed", duration_ms=1, metrics={"a": float("nan")}
            )
        )

    assert await space.head() == head


async def test_a_follower_sees_every_event_once_and_in_order(space: LocalSpace) -> None:
    seen: list[int] = []

    async def follow() -> None:
        async for event in space.events(follow=True):
            seen.append(event.seq)
            if event.seq == 60:
                return

    task = asyncio.create_task(follow())
    for n in range(20):
        await space.execute(c.CreateArtifact(path=f"{n}.py", text=""))
        await asyncio.sleep(0)
    await asyncio.wait_for(task, 10)

    assert seen == list(range(1, 61))


async def test_a_waiter_is_granted_the_lock_when_it_is_released(space: LocalSpace, doc: str) -> None:
    mine = (await space.execute(c.AcquireLock(artifact=doc))).ok
    rod = space.acting_as(ROD)
    waiting = asyncio.create_task(acquire(rod, doc, timeout_s=10))
    while not (await space.read(q.Locks(doc)))[0].queue:
        await asyncio.sleep(0.01)

    await space.execute(c.ReleaseLock(artifact=doc, fence=mine.fence or 0))

    assert (await asyncio.wait_for(waiting, 10)).fence == (mine.fence or 0) + 1


async def test_a_waiter_that_gives_up_leaves_the_queue_and_is_told_who_holds_it(
    space: LocalSpace, doc: str
) -> None:
    await space.execute(c.AcquireLock(artifact=doc))

    with pytest.raises(Busy) as refused:
        await acquire(space.acting_as(ROD), doc, timeout_s=0.05)

    assert refused.value.data["holder"] == "ana"
    assert (await space.read(q.Locks(doc)))[0].queue == []


async def test_a_cancelled_waiter_leaves_the_queue(space: LocalSpace, doc: str) -> None:
    await space.execute(c.AcquireLock(artifact=doc))
    waiting = asyncio.create_task(acquire(space.acting_as(ROD), doc, timeout_s=None))
    while not (await space.read(q.Locks(doc)))[0].queue:
        await asyncio.sleep(0.01)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert (await space.read(q.Locks(doc)))[0].queue == []


async def test_a_dead_holder_gives_way_to_a_waiter(space: LocalSpace, doc: str, clock: ManualClock) -> None:
    await space.execute(c.AcquireLock(artifact=doc, ttl_ms=1000))
    waiting = asyncio.create_task(acquire(space.acting_as(ROD), doc, timeout_s=10, ttl_ms=60_000))
    while not (await space.read(q.Locks(doc)))[0].queue:
        await asyncio.sleep(0.01)

    clock.sleep(1000)

    assert (await asyncio.wait_for(waiting, 10)).state == "held"


async def test_a_kept_lease_does_not_run_out_and_a_lost_one_is_told(space: LocalSpace, doc: str) -> None:
    granted = (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=500))).ok
    async with LeaseKeeper.of_lock(space, doc, granted.fence or 0, ttl_ms=30) as keeper:
        await space.acting_as(ROD).execute(c.ForceLock(artifact=doc, reason="mine now", take=True))
        await asyncio.wait_for(keeper.on_lost.wait(), 10)

    assert isinstance(keeper.lost, Fenced) and keeper.lost.data["holder"] == "rod"


async def test_a_kept_lock_goes_idle_unless_its_holder_does_something(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=86_400_000))).ok.fence or 0
    async with LeaseKeeper.of_lock(space, doc, fence, ttl_ms=30) as keeper:
        clock.sleep(14 * 60_000)
        keeper.touch()
        while (await space.read(q.Locks(doc)))[0].idle_ms:
            await asyncio.sleep(0.005)
        clock.sleep(14 * 60_000)
        assert (await space.read(q.Locks(doc)))[0].lock.state == "held"
        clock.sleep(60_000)
        while (await space.read(q.Locks(doc)))[0].lock.state == "held":
            await asyncio.sleep(0.005)

    assert (await log(space))[-1]["data"] == {"artifact": doc, "fence": fence, "why": "idle"}


async def test_a_ticket_that_ended_is_gone(space: LocalSpace, doc: str) -> None:
    with pytest.raises(Gone):
        await space.execute(c.CancelTicket(ticket="t"))


async def test_verify_finds_nothing_wrong_with_a_busy_space(space: LocalSpace, doc: str) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="draft"))
    await space.execute(c.ForceLock(artifact=doc, reason="x", take=True))
    await space.execute(c.OpenVariationSet(set="s", title="t", artifact=doc))
    await space.execute(c.AddVariation(set="s", text="v", lineage={"f": {"variation": 1}}))
    await space.execute(c.NoteVariation(set="s", number=1, text="né", score=3))
    await space.execute(c.StartRun(run="r", flow="f", flow_sha256="", flow_text="", inputs={"n": 3}))
    await space.execute(c.RecordStep(run="r", fence=1, key="k", kind="vary", status="completed"))
    await space.execute(c.OpenGate(gate="g", run="r", fence=1, kind="choose", question="?"))
    await space.execute(c.AnswerGate(gate="g", answer="1"))

    assert await space.read(q.Verify()) == []
