"""Two texts compared as rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowide.tui.views.diff import below, change_starts, compared, folded, line_origins, shown

BEFORE = "".join(f"line {at}\n" for at in range(30))
AFTER = BEFORE.replace("line 10\n", "line ten\n").replace("line 20\n", "")
texts = st.lists(st.sampled_from(["a", "b", "c", "", "a b"]), max_size=12).map("\n".join)


def test_the_added_and_removed_lines_are_counted() -> None:
    found = compared(BEFORE, AFTER)
    assert (found.added, found.removed, found.same) == (1, 2, False)
    assert compared(BEFORE, BEFORE).same


def test_a_gap_stands_for_lines_that_are_far_from_changes() -> None:
    rows = folded(compared(BEFORE, AFTER).rows)
    assert [(row.kind, row.skipped) for row in rows if row.kind == "gap"] == [
        ("gap", 7),
        ("gap", 3),
        ("gap", 6),
    ]


def test_one_hidden_line_is_shown_as_it_takes_no_more_room() -> None:
    before = "".join(f"line {at}\n" for at in range(9))
    rows = folded(compared(before, before.replace("line 4", "four")).rows)
    assert all(row.kind != "gap" for row in rows)


@given(texts, texts)
def test_folding_hides_nothing_but_what_is_alike(before: str, after: str) -> None:
    rows = compared(before, after).rows
    kept = folded(rows)
    assert [row for row in kept if row.kind not in {"same", "gap"}] == [
        row for row in rows if row.kind != "same"
    ]
    if kept:
        assert sum(row.skipped for row in kept) + sum(row.kind != "gap" for row in kept) == len(rows)


@given(texts, texts)
def test_texts_below_each_other_hold_both_texts(before: str, after: str) -> None:
    found = compared(before, after)
    lines = below(found.rows)
    assert [line.side.text for line in lines if line.side and line.old is not None] == list(found.before)
    assert [line.side.text for line in lines if line.side and line.new is not None] == list(found.after)


def test_changed_line_ends_are_told_in_words() -> None:
    assert compared("a\nb\n", "a\r\nb\r\n").line_ends == "line ends are CRLF now"
    assert compared("a\n", "a").line_ends == "no line break at the end now"
    assert compared("a\n", "b\n").line_ends == ""


def test_each_run_of_changes_has_one_start() -> None:
    assert change_starts(["added", "same", "removed", "added", "gap", "same", "changed"]) == [0, 2, 6]
    assert change_starts([]) == []


def test_tabs_are_drawn_as_spaces_and_marks_keep_their_place() -> None:
    assert shown("\tx\ty") == ("    x   y", [0, 4, 5, 8, 9])
    assert shown("plain") == ("plain", None)


@given(st.lists(texts, min_size=1, max_size=5))
def test_every_line_comes_from_a_text_that_has_it(versions: list[str]) -> None:
    since = line_origins(versions)
    last = compared("", versions[-1]).after
    assert len(since) == len(last)
    for line, at in zip(last, since, strict=True):
        assert line in compared("", versions[at]).after


def test_a_line_belongs_to_the_text_in_which_it_came() -> None:
    assert line_origins(["a\nb\n", "a\nx\nb\n", "a\nx\nc\n"]) == [0, 1, 2]
