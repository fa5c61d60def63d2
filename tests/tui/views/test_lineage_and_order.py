"""Where pieces come from, and the order of the columns."""

from __future__ import annotations

from typing import Any

import pytest

from flowide.domain import rows
from flowide.pieces import compare, list_pieces
from flowide.space.queries import VariationView
from flowide.tui.views.grid import Grid, make_grid, numbered_column, streaming_column
from flowide.tui.views.grid_frame import top_bar
from flowide.tui.views.lineage import from_words, lineage_lines, source_of
from flowide.tui.views.sorting import CHANGED, CHECKS, NUMBER, SCORE, SIZE, ordered, orders
from flowide.tui.views.spans import plain
from tests.tui.views.test_grid import BASE, ONE, TWO, group, variation

BLEND = ONE + "\n\ndef c():\n    return 3\n"
LINEAGE = {
    "a": {"label": "@edwin", "variation": "v1", "piece": "a"},
    "b": {"label": "@edwin", "variation": "v1", "piece": "b"},
    "c": {"label": "variation 2", "variation": None, "piece": "c"},
}


def check(number: int, status: Any, metrics: dict[str, Any], name: str = "bench") -> rows.Check:
    return rows.Check("s", number, name, status, 120, metrics, "", 1)


def grid() -> Grid:
    given = [
        (
            variation(1, notes=[{"actor": "mara", "text": "x", "score": 4}]),
            ONE,
            check(1, "passed", {"ops": 10}),
        ),
        (variation(2, actor="quinn", rejected=True), TWO, check(2, "passed", {"ops": 30})),
        (
            variation(
                3,
                actor="ana",
                origin="blend",
                lineage=LINEAGE,
                parents=[{"variation": 1}, {"variation": 2, "piece": "c"}],
            ),
            BLEND,
            check(3, "failed", {"ops": 99}),
        ),
    ]
    columns = [
        numbered_column(
            VariationView(each, [found]), text, BASE.splitlines(), list_pieces(text.encode(), "python")
        )
        for each, text, found in given
    ]
    table = compare([text.encode() for _, text, _ in given], "python")
    groups: dict[str, tuple[int | None, ...]] = {row.name: (*row.groups, None) for row in table}
    columns.append(streaming_column("vary#4", "quinn", "def a():\n", BASE.splitlines()))
    return make_grid(group(), BASE, columns, "python", groups)


def numbers(found: Grid) -> list[int | None]:
    return [column.number for column in found.columns]


def test_a_piece_of_a_blend_leads_to_the_variation_it_was_written_in() -> None:
    found = grid()
    blend = found.columns[2]
    sources = {piece.name: source_of(found, blend, piece.name) for piece in blend.pieces}
    assert {name: source.number if source else None for name, source in sources.items()} == {
        "a": 1,
        "b": 1,
        "c": 2,
    }
    assert plain(from_words(found, blend, "c", {})) == "  · from 2 quinn"
    assert from_words(found, found.columns[0], "a", {}) == []


def test_all_that_is_known_of_a_variation_is_told() -> None:
    found = grid()
    text = "\n".join(plain(line).rstrip() for line in lineage_lines(found, found.columns[2], {}, 60))
    assert "put together by ana" in text
    assert "it is 1 + c from 2" in text
    assert "the set began with v1 of the file" in text
    assert [line.split() for line in text.split("\n")[-3:]] == [
        ["a", "1", "edwin"],
        ["b", "1", "edwin"],
        ["c", "2", "quinn"],
    ]
    first = "\n".join(plain(line) for line in lineage_lines(found, found.columns[0], {}, 60))
    assert "written by edwin" in first
    assert first.count("here") == 2


def test_a_source_that_is_not_in_the_set_is_not_made_up() -> None:
    found = grid()
    assert source_of(found, found.columns[2], "unknown") is None


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (NUMBER, [1, 2, 3, None]),
        (CHECKS, [1, 3, 2, None]),
        ("bench ops", [1, 3, 2, None]),
        (SCORE, [1, 3, 2, None]),
        (SIZE, [1, 3, 2, None]),
        (CHANGED, [1, 3, 2, None]),
    ],
)
def test_dropped_ones_and_those_being_written_stand_at_the_end(order: str, wanted: list[int | None]) -> None:
    assert numbers(ordered(grid(), order)) == wanted


def test_the_best_by_what_a_check_measured_comes_first() -> None:
    found = grid()
    second = found.columns[1]
    assert second.view is not None
    taken_in = rows.Variation(
        **{
            **{f: getattr(second.view.variation, f) for f in second.view.variation.__struct_fields__},
            "rejected": False,
        }
    )
    column = numbered_column(
        VariationView(taken_in, second.view.checks), second.text, BASE.splitlines(), second.pieces
    )
    whole = make_grid(found.group, BASE, [found.columns[0], column, found.columns[2]], "python")
    assert numbers(ordered(whole, "bench ops")) == [2, 1, 3], "3 failed the check, so its number says nothing"


def test_rows_and_pieces_move_with_their_columns() -> None:
    found = grid()
    moved = ordered(found, CHECKS)
    for before, after in zip(found.rows, moved.rows, strict=True):
        for at, column in enumerate(moved.columns):
            old = found.at(column.key)
            assert old is not None
            assert after.cells[at] == before.cells[old]
    assert moved.groups["c"] == (None, 0, 0, None) or moved.groups["c"][0] is None


def test_the_orders_that_are_offered_say_something_about_these_columns() -> None:
    assert orders(grid()) == [NUMBER, CHECKS, "bench ops", SCORE, SIZE, CHANGED]


def test_the_bar_names_the_columns_in_view_in_any_order() -> None:
    found = ordered(grid(), CHECKS)
    assert "showing 1 3" in plain(top_bar(found, [0, 1], 0, {}, 120)[0])
    assert "showing 1–3" in plain(top_bar(grid(), [0, 1, 2], 0, {}, 120)[0])
