"""Nobody's words are destroyed by somebody else's act."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.domain.live_text import live_text
from flowide.errors import BadInput, Busy, DraftGap, Gone, NotAllowed
from tests.domain.board import ANA, EDWIN, ROD, Board


def write(board: Board, doc: str, fence: int, *parts: str) -> None:
    off = 0
    for part in parts:
        off = board.do(c.AppendDraft(artifact=doc, fence=fence, off=off, text=part)).have


@pytest.fixture
def fence(board: Board, doc: str) -> int:
    got: int = board.do(c.AcquireLock(artifact=doc, ttl_ms=1000)).fence
    return got


def test_a_draft_is_what_was_sent(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "héllo ", "wörld")

    assert live_text(board, doc, fence) == "héllo wörld"


def test_sending_a_part_again_changes_nothing(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "héllo")

    have = board.do(c.AppendDraft(artifact=doc, fence=fence, off=0, text="héllo")).have

    assert have == 6
    assert live_text(board, doc, fence) == "héllo"


def test_an_overlapping_part_adds_only_its_rest(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "hello")

    board.do(c.AppendDraft(artifact=doc, fence=fence, off=3, text="lo there"))

    assert live_text(board, doc, fence) == "hello there"


def test_a_gap_is_refused_with_what_is_there(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "hello")

    with pytest.raises(DraftGap) as refused:
        board.do(c.AppendDraft(artifact=doc, fence=fence, off=9, text="x"))

    assert refused.value.data["have"] == 5


def test_an_editor_may_change_the_middle(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "one two", " three")

    board.do(c.AppendDraft(artifact=doc, fence=fence, off=4, text="2 three", cut=True))

    assert live_text(board, doc, fence) == "one 2 three"


def test_a_cut_inside_a_character_is_refused(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "é")

    with pytest.raises(BadInput):
        board.do(c.AppendDraft(artifact=doc, fence=fence, off=1, text="x", cut=True))


@given(text=st.text(max_size=40), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_any_way_of_sending_gives_the_same_bytes(text: str, cuts: list[int]) -> None:
    board = Board()
    doc = board.do(c.CreateArtifact(path="doc.md", text="")).artifact
    fence = board.do(c.AcquireLock(artifact=doc)).fence
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    for start, end in pairwise(marks):
        off = len(text[:start].encode())
        for _ in range(2):
            board.do(c.AppendDraft(artifact=doc, fence=fence, off=off, text=text[start:end]))

    assert live_text(board, doc, fence) == text


@pytest.mark.parametrize("how", ["lapse", "release", "force", "transfer"])
def test_a_fence_that_ends_leaves_its_text_as_an_orphan_draft(
    board: Board, doc: str, fence: int, how: str
) -> None:
    write(board, doc, fence, "precious")
    if how == "lapse":
        board.sleep(1000)
        board.do(c.AcquireLock(artifact=doc), ROD)
    elif how == "release":
        board.do(c.ReleaseLock(artifact=doc, fence=fence))
    elif how == "force":
        board.do(c.ForceLock(artifact=doc, reason="hangs", take=True), ROD)
    else:
        board.do(c.TransferLock(artifact=doc, fence=fence, to="rod", with_draft=False))

    [draft] = board.find(r.Draft)

    assert board.blobs[draft.sha256] == b"precious"
    assert (draft.actor, draft.base, draft.fence) == ("ana", 1, fence)
    assert board.find(r.Chunk) == [] and board.find(r.LiveDraft) == []


def test_a_save_ends_the_draft(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "text")

    board.do(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="text"))

    assert board.find(r.Draft) == [] and board.find(r.Chunk) == []


def test_an_orphan_draft_is_adopted_under_a_new_fence(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "half")
    board.do(c.ReleaseLock(artifact=doc, fence=fence))
    [draft] = board.find(r.Draft)

    adopted = board.do(c.AdoptDraft(draft=draft.id), ROD)

    assert live_text(board, doc, adopted.fence) == "half"
    with pytest.raises(Gone):
        board.do(c.DiscardDraft(draft=draft.id))


def test_adopting_needs_a_free_lock(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "half")
    board.do(c.ReleaseLock(artifact=doc, fence=fence))
    [draft] = board.find(r.Draft)
    board.do(c.AcquireLock(artifact=doc), ROD)

    with pytest.raises(Busy):
        board.do(c.AdoptDraft(draft=draft.id), ANA)


def test_an_agent_does_not_touch_the_drafts_of_others(board: Board, doc: str, fence: int) -> None:
    write(board, doc, fence, "half")
    board.do(c.ReleaseLock(artifact=doc, fence=fence))
    [draft] = board.find(r.Draft)

    with pytest.raises(NotAllowed):
        board.do(c.DiscardDraft(draft=draft.id), EDWIN)
