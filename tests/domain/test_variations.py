"""Variations never change; what people say about them is added."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.errors import BadInput, Conflict, Exists, Fenced, NotFound
from tests.domain.board import ANA, EDWIN, ROD, Board


@pytest.fixture
def group(board: Board, doc: str) -> str:
    board.do(c.OpenVariationSet(set="s", title="doc", artifact=doc, base=1, path="doc.md"))
    for n in range(3):
        board.do(c.AddVariation(set="s", text=f"variation {n + 1}\n", model="m"), EDWIN)
    return "s"


def one(board: Board, number: int) -> r.Variation:
    row = board.get(r.Variation, "s", number)
    assert row is not None
    return row


def test_numbers_are_dense_and_name_the_author(board: Board, group: str) -> None:
    assert [(v.number, v.actor, v.kind) for v in board.find(r.Variation, order="number")] == [
        (n, "edwin", "agent") for n in (1, 2, 3)
    ]


def test_a_set_starts_from_the_bytes_of_its_base(board: Board, doc: str, group: str) -> None:
    row = board.get(r.VariationSet, "s")

    assert row is not None and board.blobs[row.base_sha256 or ""] == b"one\n"


def test_a_set_on_the_newest_version_remembers_which_that_was(board: Board, doc: str) -> None:
    board.do(c.OpenVariationSet(set="t", title="doc", artifact=doc))

    row = board.get(r.VariationSet, "t")
    assert row is not None and row.base == 1


def test_opinions_leave_the_text_alone(board: Board, group: str) -> None:
    before = one(board, 2).sha256

    board.do(c.TagVariation(set="s", number=2, add=["fast", "fast", "odd"], remove=["gone"]))
    board.do(c.TagVariation(set="s", number=2, remove=["odd"]))
    board.do(c.ShortlistVariation(set="s", number=2))
    board.do(c.NoteVariation(set="s", number=2, text=" good names ", score=8))
    board.do(c.RejectVariation(set="s", number=2))
    board.do(c.RejectVariation(set="s", number=2, on=False))

    row = one(board, 2)
    assert (row.sha256, row.tags, row.shortlisted, row.rejected) == (before, ["fast"], True, False)
    assert [(n["text"], n["actor"], n["score"]) for n in row.notes] == [("good names", "ana", 8)]


def test_a_later_check_of_the_same_name_replaces_the_earlier(board: Board, group: str) -> None:
    for status in ("failed", "passed"):
        board.do(c.RecordCheck(set="s", number=1, name="tests", status=status, duration_ms=5))

    assert [check.status for check in board.find(r.Check)] == ["passed"]


def test_accepting_makes_a_version_that_names_where_it_came_from(board: Board, doc: str, group: str) -> None:
    fence = board.do(c.AcquireLock(artifact=doc)).fence

    board.do(c.AcceptVariation(set="s", number=3, artifact=doc, fence=fence, base=1))

    version = board.get(r.Version, doc, 2)
    assert version is not None and board.blobs[version.sha256] == b"variation 3\n"
    assert version.parents[0]["variation"] == 3 and version.parents[0]["actor"] == "edwin"
    assert version.model == "m" and version.actor == "ana"
    assert one(board, 3).accepted == 2
    assert board.get(r.Lock, doc).state == "free"  # type: ignore[union-attr]


def test_accepting_obeys_the_lock_like_any_save(board: Board, doc: str, group: str) -> None:
    with pytest.raises(Fenced):
        board.do(c.AcceptVariation(set="s", number=3, artifact=doc, fence=1, base=1))
    fence = board.do(c.AcquireLock(artifact=doc), ROD).fence
    with pytest.raises(Fenced):
        board.do(c.AcceptVariation(set="s", number=3, artifact=doc, fence=fence, base=1), ANA)
    with pytest.raises(Conflict):
        board.do(c.AcceptVariation(set="s", number=3, artifact=doc, fence=fence, base=0), ROD)


def test_what_is_not_there_is_not_found(board: Board, group: str) -> None:
    for command in (
        c.AddVariation(set="x", text=""),
        c.NoteVariation(set="s", number=9, text="x"),
        c.ShortlistVariation(set="s", number=0),
    ):
        with pytest.raises(NotFound):
            board.do(command)


def test_ids_are_used_once(board: Board, group: str) -> None:
    board.do(c.AddVariation(set="s", id="v", text=""))

    with pytest.raises(Exists):
        board.do(c.AddVariation(set="s", id="v", text="other"))
    with pytest.raises(Exists):
        board.do(c.OpenVariationSet(set="s", title="again"))


@pytest.mark.parametrize("score", [0, 11, -3])
def test_scores_are_bounded(board: Board, group: str, score: int) -> None:
    with pytest.raises(BadInput):
        board.do(c.NoteVariation(set="s", number=1, text="x", score=score))
