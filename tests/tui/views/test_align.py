"""Texts in step with what they start from."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from flowide.tui.views.align import align, common_start, compare_lines, side_by_side

line_lists = st.lists(st.sampled_from(["a", "b", "c", "", "d d"]), max_size=12)


@given(line_lists, st.lists(line_lists, min_size=1, max_size=4))
def test_every_line_of_every_text_stands_in_exactly_one_row_in_order(
    base: list[str], texts: list[list[str]]
) -> None:
    rows = align(len(base), [compare_lines(base, text) for text in texts])
    for at, text in enumerate(texts):
        assert [row.cells[at] for row in rows if row.cells[at] is not None] == list(range(len(text)))
    assert [row.base for row in rows if row.base is not None] == list(range(len(base)))


@given(line_lists, line_lists)
def test_lines_that_are_not_new_are_the_lines_of_the_base_beside_them(
    base: list[str], text: list[str]
) -> None:
    change = compare_lines(base, text)
    for at, beside in enumerate(change.beside):
        if beside is not None and beside not in change.new:
            assert base[at] == text[beside]
    assert len(text) - change.added == len(base) - change.removed


def test_a_change_is_counted_as_lines_added_and_removed() -> None:
    change = compare_lines(["a", "b", "c"], ["a", "x", "y", "c"])
    assert (change.added, change.removed, sorted(change.new)) == (2, 1, [1, 2])


def test_texts_without_a_base_stand_line_beside_line() -> None:
    assert [row.cells for row in side_by_side([2, 1])] == [(0, 0), (1, None)]


@given(st.text(alphabet="ab", max_size=30), st.text(alphabet="ab", max_size=30))
def test_the_common_start_is_the_longest_one(one: str, other: str) -> None:
    size = common_start(one, other)
    assert one[:size] == other[:size]
    assert size == min(len(one), len(other)) or one[size] != other[size]


def test_long_texts_with_nothing_in_common_are_compared_in_no_time() -> None:
    base, text = [f"a{n}" for n in range(5_000)], [f"b{n}" for n in range(5_000)]
    start = time.process_time()
    change = compare_lines(base, text)
    assert (change.added, change.removed) == (5_000, 5_000)
    assert time.process_time() - start < 2
