"""Text on its way to cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowide.tui.views.spans import clean, fit, lines_of, plain, shorten_path, spread, visible, width_of

any_text = st.text(max_size=40)
spans = st.lists(st.tuples(st.text(alphabet="ab日é …\u0301", max_size=12), st.just("")), max_size=5)


@given(any_text)
def test_cleaned_text_holds_nothing_a_terminal_would_obey(text: str) -> None:
    shown = clean(text)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    assert "\u202e" not in shown


@given(any_text)
def test_visible_text_keeps_the_place_of_every_character(text: str) -> None:
    assert len(visible(text)) == len(text)
    assert "\x1b" not in visible(text)


def test_control_sequences_and_markup_are_shown_as_they_are() -> None:
    assert clean("\x1b[31mred [bold]b[/bold]") == "␛[31mred [bold]b[/bold]"


def test_lines_end_at_line_feeds_and_a_final_one_is_no_line() -> None:
    assert lines_of("a\r\nb\n") == ["a", "b"]
    assert lines_of("") == []
    assert lines_of("a\n\n") == ["a", ""]


@given(spans, st.integers(0, 60))
def test_fitted_spans_are_exactly_as_wide_as_asked(given_spans: list[tuple[str, str]], width: int) -> None:
    assert width_of(fit(given_spans, width)) == width


@given(spans, spans, st.integers(3, 60))
def test_text_at_both_ends_fills_the_line(
    left: list[tuple[str, str]], right: list[tuple[str, str]], width: int
) -> None:
    assert width_of(spread(left, right, width)) == width


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert plain(fit([("abcdef", "b"), ("gh", "")], 5)) == "abcd…"


def test_a_long_path_loses_its_first_folders() -> None:
    assert shorten_path("very/long/path/to/file.py", 12) == "…/to/file.py"
    assert cell_len(shorten_path("x" * 50, 12)) <= 12
