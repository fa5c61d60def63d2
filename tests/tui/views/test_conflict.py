"""Three texts in step, and what is said of how they differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.project.conflicts import Card
from flowide.tui.views.conflict import Cell, Conflicting, columns, folded, head, question, summary, three
from flowide.tui.views.spans import plain

BASE = "one\ntwo\nthree\nfour\nfive\n"
CARD = Card(id="g", artifact="a", path="plan.md", shape="editor", base=3, holder="ana", theirs="00")
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=10).map("".join)


def kinds(base: str, mine: str, theirs: str) -> list[str]:
    return [row.kind for row in three(base, mine, theirs)]


def test_each_place_is_told_by_who_changed_it() -> None:
    mine = BASE.replace("one", "ONE").replace("three", "mine")
    theirs = BASE.replace("five", "FIVE").replace("three", "theirs")
    assert kinds(BASE, mine, theirs) == ["mine", "same", "clash", "same", "theirs"]
    assert kinds(BASE, mine, mine)[0] == "both"


def test_words_that_differ_from_what_both_started_from_are_marked() -> None:
    [row] = three("the old plan\n", "the new plan\n", "the old plan\n")
    assert row.mine == Cell(1, "the new plan", True, ((4, 7),))
    assert row.theirs == Cell(1, "the old plan", False)


@given(LINES, LINES, LINES)
def test_every_line_of_every_text_is_there_once_and_in_order(base: str, mine: str, theirs: str) -> None:
    rows = three(base, mine, theirs)
    for name, text in (("base", base), ("mine", mine), ("theirs", theirs)):
        cells = [cell for row in rows if (cell := getattr(row, name)) is not None]
        assert [cell.number for cell in cells] == list(range(1, text.count("\n") + 1))
        assert "".join(cell.text + "\n" for cell in cells) == text


def test_lines_that_are_alike_are_left_out_far_from_changes() -> None:
    base = "".join(f"{n}\n" for n in range(40))
    rows = folded(three(base, base.replace("20\n", "x\n"), base))
    assert [row.skipped for row in rows if row.kind == "gap"] == [17, 16]
    assert folded(three(base, base, base)) == []


@pytest.mark.parametrize(
    ("width", "shown"),
    [(120, ["mine", "base", "theirs"]), (78, ["mine", "theirs"]), (40, ["base"])],
)
def test_as_many_texts_are_shown_as_fit(width: int, shown: list[str]) -> None:
    assert columns(width, "base") == shown


def test_it_is_said_in_words_how_they_differ() -> None:
    mine = BASE.replace("one", "ONE").replace("three", "mine")
    theirs = BASE.replace("five", "FIVE").replace("three", "theirs")
    found = Conflicting(card=CARD, rows=tuple(three(BASE, mine, theirs)), version=3)
    assert plain(summary(found)).split("   ") == [
        " 1 place only mine", "1 place only theirs", "! 1 place where they differ",
    ]  # fmt: skip
    easy = Conflicting(card=CARD, rows=tuple(three(BASE, mine, BASE)), version=3)
    assert "without a question" in plain(summary(easy))
    assert "nothing was written" in plain(summary(Conflicting(card=CARD, rows=(), version=3, empty=True)))
    assert [plain(head(found, each)) for each in ("mine", "base", "theirs")] == [
        "MINE  ana", "BOTH STARTED FROM  v3", "THEIRS  the file on disk",
    ]  # fmt: skip


def test_the_question_does_not_say_the_path_again_and_no_control_character() -> None:
    assert plain(question("plan.md was changed\x1b[31m. What?", "plan.md")) == " ? Was changed␛[31m. What?"
