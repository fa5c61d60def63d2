"""What is written is stored while it is written."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain import commands as c
from flowide.errors import Fenced
from flowide.space import queries as q
from flowide.space.drafting import AT_ONCE, DraftKeeper, common_start, put_draft
from flowide.space.local import LocalSpace
from tests.contract.sample import ROD


async def stored(space: LocalSpace, doc: str) -> str:
    live = await space.read(q.LiveDraft(doc))
    return "" if live is None else live.text


@pytest.fixture
async def fence(space: LocalSpace, doc: str) -> int:
    return (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0


async def test_the_newest_text_is_stored_when_the_edit_ends(space: LocalSpace, doc: str, fence: int) -> None:
    async with DraftKeeper(space, doc, fence, every_s=60) as keeper:
        for text in ("o", "on", "one two", "one 2", "ön 2 🙂"):
            keeper.put(text)
        assert await stored(space, doc) == ""

    assert await stored(space, doc) == "ön 2 🙂"


async def test_a_text_is_stored_after_its_time_and_a_long_one_at_once(
    space: LocalSpace, doc: str, fence: int
) -> None:
    async with DraftKeeper(space, doc, fence, every_s=0.01) as soon:
        soon.put("short")
        while await stored(space, doc) != "short":
            await asyncio.sleep(0.005)
    async with DraftKeeper(space, doc, fence, have="short", every_s=600) as late:
        long = "short" + "x" * AT_ONCE * 40
        late.put(long)
        while await stored(space, doc) != long:
            await asyncio.sleep(0.005)


async def test_a_lock_that_was_lost_is_told_and_what_was_stored_is_a_draft(
    space: LocalSpace, doc: str, fence: int
) -> None:
    async with DraftKeeper(space, doc, fence, every_s=0.01) as keeper:
        keeper.put("precious")
        await keeper.flush()
        await space.acting_as(ROD).execute(c.ForceLock(artifact=doc, reason="mine", take=True))
        keeper.put("precious words")
        while keeper.lost is None:
            await asyncio.sleep(0.005)

    assert isinstance(keeper.lost, Fenced)
    [draft] = await space.read(q.Drafts(doc))
    assert await space.read(q.DraftContent(draft.id)) == b"precious"


async def test_a_draft_that_another_process_changed_is_written_anew(
    space: LocalSpace, doc: str, fence: int
) -> None:
    keeper = DraftKeeper(space, doc, fence)
    keeper.put("a long text of mine")
    await keeper.flush()
    await put_draft(space, doc, fence, "short", have="a long text of mine")
    keeper.put("a long text of mine, and more")

    await keeper.flush()

    assert await stored(space, doc) == "a long text of mine, and more"


@given(one=st.text(max_size=20), other=st.text(max_size=20), shared=st.text(max_size=20))
def test_the_common_start_is_the_longest_one(one: str, other: str, shared: str) -> None:
    one, other = shared + one, shared + other
    same = common_start(one, other)

    assert same >= len(shared) and one[:same] == other[:same]
    assert same == min(len(one), len(other)) or one[same] != other[same]
