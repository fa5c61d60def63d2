"""What others write is seen while they write it, and who is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from flowide.domain import commands as c
from flowide.space import queries as q
from flowide.space.remote.live import Live
from flowide.space.remote.space import RemoteSpace
from flowide.space.wire.frames import DraftEnd, DraftText, StepText
from tests.space.remote.proxy import Proxy


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await true():
            await asyncio.sleep(0.02)


async def text(space: RemoteSpace, doc: str) -> str:
    live = await space.read(q.LiveDraft(doc))
    return "" if live is None else live.text


async def test_a_draft_of_somebody_else_is_streamed(
    ana: RemoteSpace, rod: RemoteSpace, doc: str, proxy: Proxy
) -> None:
    fence = (await rod.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    written = ""
    for part in ("hällo ", "wörld ", "🙂"):
        await rod.execute(c.AppendDraft(artifact=doc, fence=fence, off=len(written.encode()), text=part))
        written += part
        await until(partial(_is, ana, doc, written))
    await rod.execute(c.AppendDraft(artifact=doc, fence=fence, off=3, text="new", cut=True))
    await until(lambda: _is(ana, doc, "hänew"))
    proxy.drop()
    await rod.execute(c.AppendDraft(artifact=doc, fence=fence, off=6, text="er"))
    await until(lambda: _is(ana, doc, "hänewer"))

    await rod.execute(c.ReleaseLock(artifact=doc, fence=fence, draft="drop"))

    await until(lambda: _is(ana, doc, ""))


async def _is(space: RemoteSpace, doc: str, wanted: str) -> bool:
    return await text(space, doc) == wanted


async def test_an_answer_of_a_run_elsewhere_is_streamed(ana: RemoteSpace, rod: RemoteSpace) -> None:
    fence = (await rod.execute(c.StartRun(run="r", flow="f", flow_sha256="", flow_text=""))).ok.fence
    await rod.execute(c.StreamStep(run="r", fence=fence, key="draft", off=0, text="once "))
    await until(lambda: _step_is(ana, "once "))

    await rod.execute(c.StreamStep(run="r", fence=fence, key="draft", off=5, text="upon"))

    await until(lambda: _step_is(ana, "once upon"))


async def _step_is(space: RemoteSpace, wanted: str) -> bool:
    return await space.read(q.StepText("r", "draft")) == wanted


async def test_who_is_there_and_what_they_look_at_is_told(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy
) -> None:
    await rod.looking_at("doc.md", run="r1")
    await ana.looking_at(None, thread="t1")

    async def seen(by: RemoteSpace) -> bool:
        told = {(each.actor, each.at, each.at_thread, each.at_run) for each in by.presence}
        return told == {("ana", None, "t1", None), ("rod", "doc.md", None, "r1")}

    await until(lambda: seen(ana))
    await until(lambda: seen(rod))
    proxy.away()
    await until(lambda: _alone(rod))
    proxy.back()  # ana says again what she looks at
    await until(lambda: seen(rod))
    await rod.close()

    async def gone() -> bool:
        return {each.actor for each in ana.presence} == {"ana"}

    await until(gone)


async def _alone(space: RemoteSpace) -> bool:
    return {each.actor for each in space.presence} == {"rod"}


def test_a_part_that_is_missing_ends_the_text_until_it_is_asked_for_again() -> None:
    live = Live()
    assert live.draft("a", 1) is None and live.subscription() is not None
    live.take(DraftText("a", 1, 0, "one", True))
    assert live.draft("a", 1) == "one" and live.subscription() is None

    live.take(DraftText("a", 1, 9, "late"))

    assert live.subscription() is not None and live.draft("a", 1) is None
    assert live.subscription() is not None


def test_a_text_is_of_its_fence_and_ends_with_it() -> None:
    live = Live()
    live.draft("a", 1)
    live.take(DraftText("a", 1, 0, "one", True))
    assert live.draft("a", 2) is None
    live.take(DraftText("a", 2, 0, "two", True))
    assert (live.draft("a", 1), live.draft("a", 2)) == (None, "two")

    live.take(DraftEnd("a", 2, "released"))

    assert live.draft("a", 2) is None


def test_an_answer_that_starts_over_is_the_new_one() -> None:
    live = Live()
    live.take(StepText("r", "k", 0, "a long first try"))

    live.take(StepText("r", "k", 0, "second"))

    assert live.step("r", "k") == "second"
