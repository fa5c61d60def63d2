"""What every space answers about threads, decisions and reviews."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.space.local import LocalSpace

EDWIN = Actor("edwin", "agent", "ana")


@pytest.fixture
async def thread(space: LocalSpace, doc: str) -> str:
    await space.execute(c.OpenThread(thread="0000-t", title="Eviction", about=doc))
    for n in range(1, 8):
        actor = EDWIN if n % 2 else space.actor
        post = c.PostMessage(thread="0000-t", message=f"message-{n}", text=f"words {n}")
        await space.acting_as(actor).execute(post)
    return "0000-t"


async def test_threads_come_by_their_last_message(space: LocalSpace, thread: str, doc: str) -> None:
    await space.execute(c.OpenThread(thread="1111-u", title="Other"))
    assert [each.id for each in await space.read(q.Threads())] == ["1111-u", "0000-t"]

    await space.execute(c.PostMessage(thread=thread, text="again"))

    assert [each.id for each in await space.read(q.Threads(limit=1))] == ["0000-t"]
    assert [each.id for each in await space.read(q.Threads(about=doc))] == ["0000-t"]


@pytest.mark.parametrize("ref", ["0000-t", "0000", "eviction", "last"])
async def test_a_thread_is_found_by_id_start_title_or_as_the_last(
    space: LocalSpace, thread: str, ref: str
) -> None:
    assert (await space.read(q.FindThread(ref))).title == "Eviction"


async def test_a_thread_is_read_page_by_page_from_its_end(space: LocalSpace, thread: str) -> None:
    newest = await space.read(q.ThreadMessages(thread, limit=3))
    older = await space.read(q.ThreadMessages(thread, limit=3, before=newest.messages[0].number))

    assert [each.number for each in newest.messages] == [5, 6, 7]
    assert [each.number for each in older.messages] == [2, 3, 4]
    assert (newest.path, newest.thread.count) == ("doc.md", 7)
    assert (await space.read(q.ThreadMessages(thread, before=1))).messages == []


async def test_a_message_is_found_by_id_start_or_number(space: LocalSpace, thread: str) -> None:
    assert (await space.read(q.OneMessage("message-3"))).number == 3
    assert (await space.read(q.OneMessage("3", thread))).id == "message-3"
    for ref in ("99", "3", "message"):
        with pytest.raises(NotFound):
            await space.read(q.OneMessage(ref, None if ref == "3" else thread))


async def test_what_somebody_said_last_and_how_often(space: LocalSpace, thread: str) -> None:
    last = await space.read(q.LatestMessage(thread, "edwin"))
    before = await space.read(q.LatestMessage(thread, "edwin", before=7))

    assert (last and last.number, before and before.number) == (7, 5)
    assert await space.read(q.LatestMessage(thread, "nobody")) is None
    assert await space.read(q.Spoken(thread, "edwin")) == 4


async def test_answers_that_are_due_are_seen_until_they_are_given(space: LocalSpace, thread: str) -> None:
    post = c.PostMessage(thread=thread, message="ask", text="@edwin?", mentions=["edwin"])
    assert (await space.execute(post)).ok.asks == ["edwin"]
    [turn] = await space.read(q.Turns(thread))
    assert (turn.agent, turn.number, (await space.read(q.ThreadMessages(thread))).turns) == (
        "edwin",
        8,
        [turn],
    )

    await space.acting_as(EDWIN).execute(c.PostMessage(thread=thread, text="Here.", reply_to="ask"))

    assert await space.read(q.Turns(thread)) == []
    answered = await space.read(q.OneTurn("ask", "edwin"))
    assert answered is not None and answered.state == "answered"
    assert (await space.read(q.ThreadMessages(thread))).turns == []


async def test_decisions_are_found_by_number_or_id(space: LocalSpace, thread: str) -> None:
    for n in (1, 2):
        await space.execute(
            c.ProposeDecision(decision=f"decision-{n}", text=f"text {n}", message="message-2")
        )
    await space.execute(c.AgreeDecision(decision="decision-2"))

    for ref in ("D2", "d2", "2", "decision-2", "last"):
        assert (await space.read(q.OneDecision(ref))).text == "text 2"
    assert [each.number for each in await space.read(q.Decisions())] == [1, 2]
    assert [each.number for each in await space.read(q.Decisions("agreed"))] == [2]
    with pytest.raises(NotFound):
        await space.read(q.OneDecision("D3"))


async def test_a_review_with_what_was_said_and_remembered(space: LocalSpace, doc: str) -> None:
    stages = [
        {"stage": "draft", "by": "edwin", "does": "write"},
        {"stage": "edit", "by": "mara", "does": "judge"},
    ]
    for n, text in enumerate(["Too long.", "too  long.", "Vague."]):
        await space.execute(c.OpenReview(review=f"review-{n}", artifact=doc, stages=stages))
        reasons = [c.Reason(text=text, kind="clarity")]
        await space.execute(
            c.JudgeReview(
                review=f"review-{n}", stage="edit", round=1, version=1, verdict="reject", reasons=reasons
            )
        )
    refused = [{"hunk": 1, "diff": "-a\n+b", "why": "Not true."}]
    await space.execute(
        c.HandOver(
            review="review-2", stage="draft", round=1, version=1, base=1, author="edwin", refused=refused
        )
    )
    await space.execute(c.FinishReview(review="review-0", status="rejected", version=1))

    view = await space.read(q.OneReview("last"))
    assert (view.review.id, len(view.verdicts), view.handovers[0].refused) == ("review-2", 1, refused)
    assert [each.id for each in await space.read(q.Reviews("rejected"))] == ["review-0"]
    assert [(each.text, each.kind, each.times) for each in await space.read(q.Reasons("document"))] == [
        ("Not true.", "refused", 1),
        ("Vague.", "clarity", 1),
        ("too  long.", "clarity", 2),
    ]
    [newest] = await space.read(q.Reasons("document", 1))
    assert newest.text == "Not true."


async def test_what_was_said_survives_a_rebuild(space: LocalSpace, thread: str) -> None:
    await space.execute(c.PinArtifact(thread=thread, about=(await space.read(q.FindArtifact("doc.md"))).id))
    await space.execute(c.ProposeDecision(text="x", message="message-1"))

    assert await space.read(q.Verify()) == []
