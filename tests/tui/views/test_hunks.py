"""Changes one by one: what is shown of them, and the answer that comes of what was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain.commands import Reason
from flowide.flows.reviewing import hunks as parts
from flowide.flows.reviewing import verdicts
from flowide.tui.engine.reviewing import proposed
from flowide.tui.views import hunks
from flowide.tui.views.hunk_lines import lines_of, places
from flowide.tui.views.hunks import Marks, Said
from flowide.tui.views.review import Reviewed

BEFORE = "# Plan\n\nOne.\n\nTwo words here.\n\nThree.\n"
AFTER = "# Plan\n\nOne!\n\nTwo other words here.\n\nThree.\n\nFour.\n"


def reviewed(before: str = BEFORE, after: str = AFTER) -> Reviewed:
    found = tuple(parts.hunks_of(before, after))
    return Reviewed(
        view=None, run=None, gate=None, path="plan.md", before=before, after=after, hunks=found,
        places=tuple("" for _ in found),
    )  # fmt: skip


def shown(seen: Reviewed, marks: Marks | None = None, *, width: int = 60, whole: bool = False) -> list[str]:
    lines, _ = lines_of(seen, marks or Marks(), 1, width, whole=whole, answers=True)
    return ["".join(text for text, _, _ in line.spans).rstrip() for line in lines]


def test_each_change_has_its_lines_with_signs_and_what_was_said_of_it() -> None:
    marks = Marks()
    marks.mark(1, True)
    marks.mark(2, False, Said("too long", "scope"))
    text = "\n".join(shown(reviewed(), marks))
    assert "change 1 of 3" in text
    assert "✓ taken" in text
    assert "✗ refused too long" in text
    assert "− One." in text
    assert "+ One!" in text


def test_words_that_differ_are_marked() -> None:
    lines, _ = lines_of(reviewed(), Marks(), 1, 60, whole=False, answers=True)
    marked = {text for line in lines for text, _, ground in line.spans if ground.endswith("-word")}
    assert " other" in marked


def test_the_whole_text_shows_every_line_once() -> None:
    text = shown(reviewed(), whole=True)
    assert [line for line in text if "# Plan" in line] == [" 1   # Plan"]
    assert sum("Three." in line for line in text) == 1


def test_a_text_without_changes_is_shown_as_it_is() -> None:
    assert [line.strip() for line in shown(reviewed(BEFORE, BEFORE))][:3] == ["1   # Plan", "2", "3   One."]


@given(
    st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "\n"]), max_size=14),
    st.lists(st.sampled_from(["a\n", "b\n", "c\n", "x\n", "\n"]), max_size=14),
)
def test_the_numbered_changes_of_a_gate_lead_to_the_text_that_was_proposed(
    a: list[str], b: list[str]
) -> None:
    before, after = "".join(a), "".join(b)
    told = [{"hunk": each.number, "diff": each.diff} for each in parts.hunks_of(before, after)]
    assert proposed(before, told) == after


@given(st.lists(st.sampled_from([None, True, False]), min_size=3, max_size=3), st.text(max_size=20))
def test_an_answer_is_read_as_it_was_meant(said: list[bool | None], why: str) -> None:
    seen, marks = reviewed(), Marks()
    for number, taken in enumerate(said, 1):
        if taken is not None:
            marks.mark(number, taken, None if taken else Said(why or "no"))
    answer = hunks.hunks_answer(marks, seen.hunks)
    try:
        taken_ = parts.read_answer(answer.answer, answer.reason, 3)
    except Exception as error:
        raise AssertionError(answer.answer) from error
    assert taken_.numbers == {number for number, taken in enumerate(said, 1) if taken}


def test_a_reason_keeps_its_kind_and_its_place_through_the_gate() -> None:
    seen, marks = reviewed(), Marks()
    marks.mark(2, False, Said("one claim a sentence", "clarity"))
    marks.general.append(Said("too long", "scope"))
    answer = hunks.verdict_answer(hunks.reasons(marks, seen), "draft")
    judged = verdicts.read_answer(answer.answer, answer.reason, ["draft", "sign-off"])
    assert (judged.verdict, judged.back_to) == ("reject", "draft")
    assert judged.reasons == [
        Reason(text="one claim a sentence", kind="clarity", where="line 5"),
        Reason(text="too long", kind="scope"),
    ]


def test_what_was_said_can_be_taken_back_step_by_step() -> None:
    marks = Marks()
    marks.mark(1, True)
    marks.mark(1, False, Said("no"))
    assert marks.undo() == 1
    assert marks.taken == {1: True}
    assert marks.undo() == 1
    assert marks.taken == {}
    assert marks.undo() is None


def test_the_next_change_is_one_that_is_open_from_the_start_again_at_the_end() -> None:
    seen, marks = reviewed(), Marks()
    marks.mark(2, True)
    assert marks.next_open(seen.hunks, 1) == 3
    assert marks.next_open(seen.hunks, 3) == 1


@pytest.mark.parametrize("width", [8, 20])
@given(text=st.text(st.sampled_from("ab é界\u0301 "), max_size=60))
def test_a_line_is_broken_without_losing_a_character(width: int, text: str) -> None:
    found = places(text, width)
    assert "".join(text[start:end] for start, end in found) == text


def test_ranges_of_numbers_are_short() -> None:
    assert hunks.ranges([1, 2, 3, 5, 7, 8]) == "1-3,5,7-8"


def test_beside_each_other_the_older_line_stands_left_of_the_newer() -> None:
    seen = reviewed()
    lines, starts = lines_of(seen, Marks(), 1, 100, beside=True)

    rows = ["".join(text for text, _, _ in line.spans) for line in lines]
    [row] = [row for row in rows if "Two words here." in row]
    left, line, right = row.partition("│")
    assert line
    assert "5 \N{MINUS SIGN} Two words here." in left
    assert right.strip() == "5 + Two other words here."
    assert all(len(row.partition("│")[0]) == 49 for row in rows if "│" in row)
    assert list(starts) == [hunk.number for hunk in seen.hunks]


def test_beside_each_other_a_line_that_wraps_keeps_its_neighbour_in_place() -> None:
    seen = reviewed(after=BEFORE.replace("Two words here.", "Two words " + "and more " * 20 + "here.", 1))
    lines, _ = lines_of(seen, Marks(), 1, 60, beside=True)

    rows = [
        "".join(text for text, _, _ in line.spans) for line in lines if line.hunk is not None and line.ground
    ]
    changed = [row for row in rows if "│" in row]
    assert len(changed) > 3
    assert "Two words here." in changed[0]
    assert all(not row.partition("│")[0].strip() for row in changed[1:])
