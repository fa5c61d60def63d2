"""What a search found, as rows."""

from __future__ import annotations

from flowide.tui.views.found import PLACES, Found, first_line, found_rows, in_view, marked, place_spans
from flowide.tui.views.spans import plain


def test_lines_of_one_file_stand_below_its_name() -> None:
    found = [
        Found("file", "a.py", "a.py", 3, "x = 1"),
        Found("file", "a.py", "a.py", 9, "x = 2"),
        Found("message", "t/2", "Why x?", None, "x it is", "#2"),
    ]
    rows = found_rows(found, "x", 60)
    assert [plain(row.left) for row in rows] == [
        "a.py",
        "    4  x = 1",
        "   10  x = 2",
        "",
        "› Why x?",
        "   #2  x it is",
    ]
    assert [row.key for row in rows if row.key is not None] == found


def test_the_words_that_were_searched_for_are_marked() -> None:
    assert [part for part, role in marked("Lock the lock", "lock") if role] == ["Lock", "lock"]
    assert marked("a (b", "(b") == [("a ", ""), ("(b", "warn b")]


def test_a_late_word_is_brought_into_view() -> None:
    text = "a" * 100 + " needle " + "b" * 100
    assert "needle" in in_view(text, "needle", 40)[:40]
    assert in_view("needle", "needle", 40) == "needle"


def test_a_preview_begins_where_most_of_the_words_are() -> None:
    assert first_line("one\ntwo\none two\n", "two one") == 2
    assert first_line("", "x") == 0


def test_every_place_can_be_seen_which_one_is_meant() -> None:
    for at, (name, _) in enumerate(PLACES):
        assert [text.strip() for text, role in place_spans(at) if role.startswith("cursor")] == [name]
