"""The variation grid without a terminal: columns in step, picks, the piece table, the words around it."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.pieces import compare, list_pieces
from flowide.space.queries import VariationView
from flowide.tui.views.grid import Grid, header_text, make_grid, numbered_column, streaming_column
from flowide.tui.views.grid_frame import top_bar
from flowide.tui.views.grid_state import GridState, Pick, Preview
from flowide.tui.views.piece_table import table_rows
from flowide.tui.views.spans import plain

BASE = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
ONE = BASE.replace("return 1", "return 10")
TWO = BASE.replace("return 2", "return 20") + "\n\ndef c():\n    return 3\n"
TS = "2026-03-01T10:00:00.000Z"


def variation(number: int, **more: Any) -> rows.Variation:
    fields: dict[str, Any] = {
        "set": "s", "number": number, "id": f"v{number}", "round": 1, "origin": "generated", "sha256": "",
        "size": 1, "actor": "edwin", "kind": "agent", "model": None, "run": None, "step": None, "parents": [],
        "lineage": {}, "input_tokens": 0, "output_tokens": 0, "cost_micros": None, "tags": [],
        "shortlisted": False, "rejected": False, "notes": [], "accepted": None, "seq": 1, "ts": TS,
    }  # fmt: skip
    return rows.Variation(**{**fields, **more})


def check(number: int, status: Any, name: str = "tests") -> rows.Check:
    return rows.Check("s", number, name, status, 120, {}, "", 1)


def group(**more: Any) -> rows.VariationSet:
    fields: dict[str, Any] = {
        "id": "s", "title": "src/a.py", "brief": "x", "path": "src/a.py", "artifact": "a", "base": 1,
        "base_sha256": "", "piece": None, "run": None, "count": 2, "round": 1, "actor": "ana", "seq": 1, "ts": TS,
    }  # fmt: skip
    return rows.VariationSet(**{**fields, **more})


def grid(*, streaming: str | None = None) -> Grid:
    texts = [ONE, TWO]
    columns = [
        numbered_column(
            VariationView(variation(number), [check(number, "passed")]),
            text,
            BASE.splitlines(),
            list_pieces(text.encode(), "python"),
        )
        for number, text in enumerate(texts, start=1)
    ]
    table = compare([text.encode() for text in texts], "python")
    groups: dict[str, tuple[int | None, ...]] = {row.name: tuple(row.groups) for row in table}
    if streaming is not None:
        columns.append(streaming_column("vary#3", "quinn", streaming, BASE.splitlines()))
        groups = {name: (*found, None) for name, found in groups.items()}
    return make_grid(group(), BASE, columns, "python", groups)


def test_lines_that_come_from_the_same_line_stand_in_one_row() -> None:
    for row in grid().rows:
        if row.base is not None and None not in row.cells:
            first, second = (grid().columns[at].lines[row.cells[at] or 0] for at in (0, 1))
            assert first.split("return")[0] == second.split("return")[0]


def test_a_header_says_who_how_large_and_what_the_checks_said() -> None:
    assert header_text(grid().columns[0], {}).split("\n")[:3] == [
        "1  edwin",
        "6 lines  +1 −1",
        "✓ tests",
    ]


def test_pieces_are_picked_into_a_mix_whose_base_is_the_other_variation() -> None:
    state = GridState(grid())
    state.focus_number(2)
    state.go_to_piece("b")
    assert state.toggle_pick() == ""
    assert (state.base, state.picks) == (1, [Pick(2, "b")])
    assert plain(state.mix_bar(3)[0]).startswith(" MIX base 1 + b from 2")
    state.toggle_pick()
    assert state.picks == []


def test_a_mix_with_picks_keeps_its_base_when_the_base_is_chosen_again() -> None:
    state = GridState(grid())
    state.focus_number(2)
    state.go_to_piece("b")
    state.toggle_pick()
    state.focus = 0

    assert "base already" in state.set_base()

    assert (state.base, state.picks) == (1, [Pick(2, "b")])


def test_a_piece_comes_from_one_variation_only() -> None:
    state = GridState(grid())
    state.base = 0
    for number in (1, 2):
        state.focus_number(number)
        assert state.toggle_piece("a") == ""
    assert state.picks == [Pick(2, "a")]


def test_a_mix_says_that_it_parses_or_why_it_is_refused() -> None:
    state = GridState(grid())
    state.base, state.picks = 1, [Pick(2, "c")]
    state.preview = Preview(1, (Pick(2, "c"),), "text", warnings=("needs d",))
    assert "→ 3 parses ✓  ! 1 warning" in plain(state.mix_bar(3)[0])
    state.preview = Preview(1, (Pick(2, "c"),), None, refused="it would not parse")
    assert "✗ it would not parse" in plain(state.mix_bar(3)[0])


def test_the_base_gives_all_its_pieces_and_what_is_being_written_gives_none() -> None:
    state = GridState(grid(streaming="def a():"))
    state.base = 1
    assert "is the base of the mix" in state.toggle_piece("a")
    state.focus = 2
    assert "not finished yet" in state.toggle_piece("a")


def test_focus_and_cursor_stay_when_a_newer_grid_arrives() -> None:
    state = GridState(grid())
    state.focus_number(2)
    state.go_to_piece("c")
    line = state.line_of(state.cursor)
    state.replace(grid(streaming="x\n" * 40))
    assert state.column is not None
    assert (state.column.number, state.line_of(state.cursor)) == (2, line)


def test_what_is_under_the_cursor_is_compared_with_the_others() -> None:
    state = GridState(grid())
    state.focus_number(2)
    state.go_to_piece("c")
    assert plain(state.piece_words()) == "c  function  · missing in 1"
    state.go_to_piece("a")
    assert "differs in 1" in plain(state.piece_words())


def test_the_piece_table_gives_the_same_letter_to_the_same_text() -> None:
    found = {
        plain(row.left).split()[0]: plain(row.left).split()[1:] for row in table_rows(grid(), [], None, 5, 60)
    }
    assert found == {"a": ["a", "b"], "b": ["a", "b"], "c": ["·", "a"]}


def test_the_top_bar_says_what_is_in_view_and_what_is_coming() -> None:
    left, right = top_bar(grid(streaming=""), [0, 1], 0, {}, 120)
    assert plain(left) == " variations ▸ src/a.py  2 variations · base v1 · showing 1–2"
    assert "1 being written" in plain(right)
    narrow, _ = top_bar(grid(), [0], 0, {}, 80)
    assert "1✓" in plain(narrow)
