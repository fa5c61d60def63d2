"""The connection goes and comes back, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.ids import uuid7
from flowide.errors import Fenced, FlowError, Offline
from flowide.space import queries as q
from flowide.space.remote import line, link, sending
from flowide.space.remote.address import address_of
from flowide.space.remote.core import Core
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from flowide.space.remote.texts import OFFLINE
from tests.space.remote.conftest import Opener
from tests.space.remote.proxy import Proxy
from tests.space.remote.served import Served


async def until(true: Callable[[], bool], seconds: float = 90.0) -> None:
    """Until it is so."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def away(space: RemoteSpace, proxy: Proxy) -> None:
    """The hub cannot be reached, for longer than nobody need know."""
    proxy.away()
    await until(lambda: space.state == "offline")
    await until(lambda: space.core.links["ana"].reach.offline_s() > 1.6)


async def back(space: RemoteSpace, proxy: Proxy) -> None:
    """The hub can be reached again."""
    proxy.back()
    await until(lambda: space.state == "online")


async def texts(space: RemoteSpace, thread: str) -> list[str]:
    return [each.text for each in (await space.read(q.ThreadMessages(thread))).messages]


@pytest.fixture
async def thread(ana: RemoteSpace) -> str:
    opening = c.OpenThread(title="talk")
    await ana.execute(opening)
    return opening.thread


async def test_what_was_said_offline_is_seen_at_once_and_sent_once_in_order(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, thread: str
) -> None:
    await away(ana, proxy)
    for text in ("one", "two", "three"):
        await ana.execute(c.PostMessage(thread=thread, text=text))
    assert await texts(ana, thread) == ["one", "two", "three"]
    assert ana.standing.waiting == 3
    await rod.execute(c.PostMessage(thread=thread, text="zero"))

    await back(ana, proxy)

    assert await texts(ana, thread) == ["zero", "one", "two", "three"]
    await until(lambda: rod.core.seq >= ana.core.seq)
    assert await texts(rod, thread) == ["zero", "one", "two", "three"]
    assert ana.standing.waiting == 0


async def test_what_needs_the_hub_is_refused_at_once_and_reading_goes_on(
    ana: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    await ana.head()
    await away(ana, proxy)
    with pytest.raises(Offline):
        await ana.execute(c.AcquireLock(artifact=doc))
    with pytest.raises(Offline):
        await ana.execute(c.CreateArtifact(path="b.md", text=""))

    assert await ana.read(q.Content(doc)) == b"one\n"
    assert [row.path for row in await ana.read(q.Artifacts())] == ["doc.md"]
    assert [hit.ref for hit in await ana.read(q.Search("one"))] == [doc]
    assert ana.standing.waiting == 0 and "offline since" in ana.standing.line()


async def test_a_message_that_would_be_refused_is_refused_offline_too(ana: RemoteSpace, proxy: Proxy) -> None:
    await away(ana, proxy)

    with pytest.raises(FlowError, match="no thread"):
        await ana.execute(c.PostMessage(thread="nowhere", text="hello"))

    assert ana.standing.waiting == 0


async def test_one_command_that_is_refused_later_does_not_hold_the_others_up(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, thread: str, doc: str
) -> None:
    told: list[str] = []
    ana.core.tell = told.append
    draft = (await ana.execute(c.KeepDraft(artifact=doc, base=1, text="mine"))).ok.draft
    await away(ana, proxy)
    await ana.execute(c.PostMessage(thread=thread, text="before"))
    await ana.execute(c.DiscardDraft(draft=draft))
    await ana.execute(c.PostMessage(thread=thread, text="after"))
    await until(lambda: rod.core.seq >= ana.core.seq)
    await rod.execute(c.DiscardDraft(draft=draft))

    await back(ana, proxy)

    assert await texts(ana, thread) == ["before", "after"]
    [refused] = ana.core.outbox.refused()
    assert refused.cmd == "draft.discard" and told
    assert ana.standing.waiting == 0


async def test_others_are_followed_again_without_a_gap(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    seen: list[int] = []

    async def follow() -> None:
        async for event in ana.events(0, follow=True):
            seen.append(event.seq)

    following = asyncio.create_task(follow())
    for _ in range(4):
        proxy.drop()
        fence = (await rod.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
        await rod.execute(c.ReleaseLock(artifact=doc, fence=fence))
        await asyncio.sleep(0.05)
    last = await rod.head()

    await until(lambda: bool(seen) and seen[-1] == last)
    following.cancel()

    assert seen == list(range(1, last + 1))


async def test_a_connection_that_is_half_open_is_noticed_and_the_command_has_its_effect_once(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DOUBT_S", 0.2)
    monkeypatch.setattr(line, "PROBE_S", 0.2)
    proxy.deaf = True
    taking = asyncio.create_task(ana.execute(c.AcquireLock(artifact=doc)))
    await until(lambda: ana.state == "offline")
    proxy.drop()
    proxy.back()

    granted = (await taking).ok

    assert granted.fence == 2
    await until(lambda: rod.core.seq >= ana.core.seen)
    taken = [event async for event in rod.events() if event.type == "lock.acquired"]
    assert [event.data["fence"] for event in taken if event.actor["id"] == "ana"] == [1, 2]


async def test_connections_that_break_in_the_middle_of_anything_lose_and_double_nothing(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "LONGEST_S", 0.2)
    chance = random.Random(7)
    base = 1
    for round in range(12):
        proxy.cut_after = chance.randrange(3500, 8000)
        fence = await held(ana, doc)
        base = await saved(ana, doc, fence, base, f"text {round}\n")
    proxy.back()

    versions = await rod.read(q.History(doc))
    await until(lambda: rod.core.seq >= ana.core.seen)
    versions = await rod.read(q.History(doc))

    assert [version.version for version in versions] == list(range(1, 14))
    assert await rod.read(q.Content(doc)) == b"text 11\n"
    assert ana.standing.waiting == 0


async def held(space: RemoteSpace, doc: str) -> int:
    """The lock, asked for until there is an answer: each time with the same id."""
    id = uuid7()
    while True:
        try:
            return (await space.execute(c.AcquireLock(artifact=doc), id=id)).ok.fence or 0
        except Offline:
            await asyncio.sleep(0.05)


async def saved(space: RemoteSpace, doc: str, fence: int, base: int, text: str) -> int:
    id, command = uuid7(), c.SaveArtifact(artifact=doc, fence=fence, base=base, text=text)
    while True:
        try:
            return (await space.execute(command, id=id)).ok.version
        except Offline:
            await asyncio.sleep(0.05)
        except Fenced:
            # It was kept on this machine, and saved when the hub was there again.
            [*_, newest] = await space.read(q.History(doc))
            assert newest.version == base + 1
            return newest.version


async def test_an_edit_goes_on_through_a_cut_and_its_lock_is_kept(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    fence = (await ana.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="before the cut, "))
    await away(ana, proxy)
    have = (await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=16, text="während, "))).ok.have
    await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=have, text="more"))

    await back(ana, proxy)

    live = await rod.read(q.LiveDraft(doc))
    assert live is not None and (live.fence, live.text) == (fence, "before the cut, während, more")
    saved = await ana.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text=live.text))
    assert saved.ok.version == 2


async def test_a_save_that_was_asked_for_offline_is_made_when_the_lock_is_still_ours(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    fence = (await ana.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await away(ana, proxy)
    with pytest.raises(Offline) as refused:
        await ana.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="two\n", note="n"))
    assert refused.value.data["kept"]

    await back(ana, proxy)

    [_, version] = await ana.read(q.History(doc))
    assert (version.version, version.fence, version.actor, version.note) == (2, fence, "ana", "n")


async def test_who_writes_on_after_asking_for_a_save_offline_saves_it_later(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    fence = (await ana.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await away(ana, proxy)
    with pytest.raises(Offline):
        await ana.execute(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="two\n"))
    await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=4, text="and half a"))

    await back(ana, proxy)

    live = await rod.read(q.LiveDraft(doc))
    assert live is not None and (live.fence, live.text) == (fence, "two\nand half a")
    saved = await ana.execute(
        c.SaveArtifact(artifact=doc, fence=fence, base=1, text="two\nand half a line\n")
    )
    assert saved.ok.version == 2


async def test_a_text_whose_lock_was_taken_meanwhile_is_kept_as_a_draft(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    fence = (await ana.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await away(ana, proxy)
    await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="precious words"))
    await rod.execute(c.ForceLock(artifact=doc, reason="mine", take=True))

    await back(ana, proxy)

    [draft] = [each for each in await ana.read(q.Drafts(doc)) if each.why == OFFLINE]
    assert (draft.actor, draft.base) == ("ana", 1)
    assert await rod.read(q.DraftContent(draft.id)) == b"precious words"
    assert ana.core.outbox.dirty("ana") == []


async def test_a_text_that_was_kept_here_outlives_the_release_of_its_lock(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    fence = (await ana.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await away(ana, proxy)
    await ana.execute(c.AppendDraft(artifact=doc, fence=fence, off=0, text="precious words"))
    release = c.ReleaseLock(artifact=doc, fence=fence)
    ana.core.put("ana", ana.client, None, release)  # as of a command that was on its way when the line broke

    await back(ana, proxy)

    async with asyncio.timeout(60):
        while not [each for each in await ana.read(q.Drafts(doc)) if each.why == OFFLINE]:
            await asyncio.sleep(0.02)
    [draft] = await ana.read(q.Drafts(doc))
    assert await rod.read(q.DraftContent(draft.id)) == b"precious words"


async def test_a_lock_that_came_after_its_taker_gave_up_is_given_back(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    proxy.deaf = True
    taking = asyncio.create_task(ana.execute(c.AcquireLock(artifact=doc)))
    await asyncio.sleep(0.1)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)

    proxy.deaf = False

    await until(lambda: ana.standing.waiting == 0)
    async with asyncio.timeout(60):
        while (await rod.read(q.Locks(doc)))[0].lock.fence != 2:
            await asyncio.sleep(0.02)
        while (await rod.read(q.Locks(doc)))[0].lock.state != "free":
            await asyncio.sleep(0.02)


async def test_a_process_that_never_saw_the_hub_says_so(opened: Opener, proxy: Proxy) -> None:
    proxy.away()

    with pytest.raises(Offline, match="cannot be reached"):
        await opened("ana")


async def test_a_process_that_starts_offline_reads_and_writes_and_sends_later(
    opened: Opener, ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, thread: str
) -> None:
    await until(lambda: rod.core.seq >= ana.core.seq)
    await ana.close()
    proxy.away()
    later = await opened("ana")
    assert later.state == "offline"
    await later.execute(c.PostMessage(thread=thread, text="from the train"))

    await back(later, proxy)

    await until(lambda: rod.core.seq >= later.core.seen)
    assert await texts(rod, thread) == ["from the train"]


async def test_a_place_in_a_queue_that_came_too_late_is_given_back(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy, doc: str
) -> None:
    await rod.execute(c.AcquireLock(artifact=doc))
    proxy.deaf = True
    waiting = asyncio.create_task(ana.execute(c.AcquireLock(artifact=doc, wait=True)))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    proxy.deaf = False

    async with asyncio.timeout(60):
        while [event.type async for event in rod.events()].count("lock.dequeued") == 0:
            await asyncio.sleep(0.05)
    assert (await rod.read(q.Locks(doc)))[0].queue == []


async def test_a_burst_is_slowed_down_and_not_refused(ana: RemoteSpace, thread: str) -> None:
    posts = [c.PostMessage(thread=thread, text=str(n)) for n in range(260)]

    await asyncio.gather(*map(ana.execute, posts))

    view = await ana.read(q.ThreadMessages(thread, limit=300))
    assert sorted(int(each.text) for each in view.messages) == list(range(260))


async def test_much_that_was_said_offline_is_sent_in_order_also_when_the_hub_slows_it_down(
    ana: RemoteSpace, proxy: Proxy, thread: str
) -> None:
    await away(ana, proxy)
    for number in range(240):
        posted = await ana.execute(c.PostMessage(thread=thread, text=str(number)))
        assert posted.ok.number == number + 1
    assert len(await texts(ana, thread)) == 50

    await back(ana, proxy)

    view = await ana.read(q.ThreadMessages(thread, limit=300))
    assert [each.text for each in view.messages] == [str(number) for number in range(240)]


async def test_a_content_that_the_hub_will_not_have_holds_up_nothing(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy
) -> None:
    told: list[str] = []
    ana.core.tell = told.append
    await away(ana, proxy)
    await ana.put_blob(b"words\n")
    await rod.execute(c.ChangeRole(member="ana", role="viewer"))

    await back(ana, proxy)

    assert ana.core.outbox.uploads() == []
    assert "ana is a viewer here" in told[0]


async def test_a_space_of_which_nothing_has_come_yet_is_not_shown_as_an_empty_one(
    hub: Served, proxy: Proxy, name: str, tmp_path: Path
) -> None:
    seat = hub.seat(name, "ana", port=proxy.port)
    begun = Core(address_of(seat.url, plain_http=True), tmp_path)
    begun.outbox.put_note("hub", "said hello, and then the connection was cut")
    await begun.close()
    proxy.away()

    with pytest.raises(Offline, match="cannot be reached"):
        await open_remote(seat.url, actor=Actor("ana"), folder=tmp_path, seat=seat)
