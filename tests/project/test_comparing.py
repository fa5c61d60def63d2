"""Two texts side by side: every line of both is there, and the words that differ are marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowide.project.comparing import Facing, facing, side_by_side, word_marks

TEXTS = st.lists(
    st.sampled_from(["def get(self, key):\n", "def put(self, key, value):\n", "\n", "x = 1\n", "x = 2\n", "end"]),
    max_size=14,
).map("".join)  # fmt: skip


def rebuilt(rows: list[Facing], side: str) -> list[str]:
    return [each.text for row in rows if (each := getattr(row, side)) is not None]


@given(TEXTS, TEXTS)
def test_each_side_is_a_whole_text_in_order(before: str, after: str) -> None:
    rows = facing(before, after, context=None)

    assert rebuilt(rows, "left") == before.removesuffix("\n").split("\n") * bool(before)
    assert rebuilt(rows, "right") == after.removesuffix("\n").split("\n") * bool(after)
    assert [row.left.number for row in rows if row.left] == list(range(1, len(rebuilt(rows, "left")) + 1))


@given(st.text("ab_ .,(", max_size=60), st.text("ab_ .,(", max_size=60))
def test_without_its_marked_words_either_line_is_the_same(before: str, after: str) -> None:
    marks = word_marks(before, after)
    if marks is None:
        return

    def unmarked(line: str, ranges: tuple[tuple[int, int], ...]) -> str:
        at, kept = 0, ""
        for start, end in ranges:
            kept, at = kept + line[at:start], end
        return kept + line[at:]

    assert unmarked(before, marks[0]) == unmarked(after, marks[1])


def test_the_words_that_differ_are_marked() -> None:
    marks = word_marks("return self.items[key]", "return self.entries[key, 0]")

    assert marks == (((12, 17),), ((12, 19), (23, 26)))


def test_a_changed_line_faces_the_one_it_became_not_the_one_in_its_place() -> None:
    rows = facing("total = sum(items)\n", "# Added up.\nfirst()\ntotal = sum(all_items)\n")

    assert [row.kind for row in rows] == ["added", "added", "changed"]
    assert rows[2].left is not None and rows[2].right is not None
    assert (rows[2].left.number, rows[2].right.number) == (1, 3)


def test_lines_with_nothing_in_common_do_not_face_each_other() -> None:
    assert [row.kind for row in facing("import os\n", "class Cache:\n")] == ["removed", "added"]


def test_what_is_alike_is_left_out_but_for_some_lines_around_changes() -> None:
    before = "".join(f"{at}\n" for at in range(100))

    rows = facing(before, before.replace("50\n", "fifty\n"), context=2)

    assert [row.kind for row in rows] == ["gap", "same", "same", "removed", "added", "same", "same", "gap"]
    assert (rows[0].skipped, rows[-1].skipped) == (48, 47)
    assert facing(before, before) == []


def test_a_drawing_says_without_colour_what_changed_and_keeps_to_its_width() -> None:
    rows = facing(
        "keep\nx = 1\ngone gone\n漢字" + "long " * 40 + "\n", "keep\nx = 2\n漢字" + "long " * 39 + "new\n"
    )

    lines = list(side_by_side(rows, 60))

    assert lines[1] == "2 x = [-1-]" + " " * 18 + "| 2 x = {+2+}"
    assert "<" in lines[2]
    assert all(cell_len(line) <= 60 for line in lines)


def test_foreign_control_sequences_are_not_drawn() -> None:
    [line] = side_by_side(facing("a\n", "a\x1b[2Jb\n")[1:], 60)

    assert "\x1b" not in line


def test_very_long_lines_and_many_of_them_cost_little() -> None:
    before = "x" * 100_000 + "\n" + "".join(f"old {at}\n" for at in range(3000))
    after = "y" * 100_000 + "\n" + "".join(f"new {at}\n" for at in range(3000))

    rows = facing(before, after)

    assert sum(row.left is not None for row in rows) == 3001
