"""The editor changes nothing but what is typed, and paints nothing but what changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.document._document import Document
from textual.document._wrapped_document import WrappedDocument
from textual.geometry import Region
from textual.theme import Theme
from textual.widgets import TextArea

from flowide.tui import theme
from flowide.tui.views.artifact import Position
from flowide.tui.widgets.document import ExactDocument, QuickWrapped
from flowide.tui.widgets.editor import Editor, indent_of

ODD = "a\x0cb\u2028c\x85d\r\ne\rf\n\n\ttab\x1b[31m\n"
texts = st.text(alphabet="ab \t\n\r\x0c\u2028é日", max_size=60)


class OneEditor(App[None]):
    """An app with nothing but an editor."""

    def __init__(self, text: str, path: str = "a.py", *, draft: str | None = None) -> None:
        super().__init__()
        self.editor = Editor(text, path, draft=draft)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.load(theme.DEFAULT).variables

    @property
    def available_themes(self) -> dict[str, Theme]:
        return self._registered_themes

    def on_load(self) -> None:
        self.register_theme(theme.load(theme.DEFAULT))
        self.theme = theme.DEFAULT

    def compose(self) -> ComposeResult:
        yield self.editor

    def lines(self) -> list[str]:
        """What the editor shows."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]


@given(texts)
def test_a_text_that_is_only_opened_stays_byte_for_byte(text: str) -> None:
    assert ExactDocument(text).text == text


@given(texts, st.data())
@settings(max_examples=200)
def test_an_edit_changes_only_its_range(text: str, data: Any) -> None:
    document = ExactDocument(text)
    rows = st.integers(0, document.line_count - 1)
    ends = sorted((row := data.draw(rows), data.draw(st.integers(0, len(document[row])))) for _ in range(2))
    inserted = data.draw(st.text(alphabet="xy\n", max_size=6))
    start, end = (document.get_index_from_location(place) for place in ends)
    document.replace_range(ends[0], ends[1], inserted)
    expected = inserted.replace("\n", document.newline)
    assert document.text == text[:start] + expected + text[end:]


@given(texts)
def test_sizes_are_those_of_the_whole_text_after_every_edit(text: str) -> None:
    document, fresh = ExactDocument(text), ExactDocument("")
    document.get_size(4)
    document.replace_range((0, 0), (0, 0), "wide\n\twider than that")
    fresh = ExactDocument(document.text)
    assert document.get_size(4) == fresh.get_size(4)
    wrapped = QuickWrapped(document, width=7, tab_width=4)
    assert wrapped.height == WrappedDocument(document, width=7, tab_width=4).height


async def test_odd_separators_survive_an_edit_and_control_characters_never_reach_the_terminal() -> None:
    app = OneEditor(ODD, "a.txt")
    async with app.run_test(size=(60, 12)) as pilot:
        app.editor.focus()
        await pilot.press("x")
        assert app.editor.content == "x" + ODD
        shown = "\n".join(app.lines())
        assert "\x1b" not in shown
        assert "\x0c" not in shown
        assert "␛[31m" in shown


async def test_pasted_line_ends_become_those_of_the_text() -> None:
    from textual import events

    app = OneEditor("one\r\ntwo\r\n")
    async with app.run_test() as pilot:
        app.editor.focus()
        app.post_message(events.Paste("a\nb\r\nc"))
        await pilot.pause()
        assert app.editor.content == "a\r\nb\r\ncone\r\ntwo\r\n"


async def test_enter_keeps_the_indentation_and_undo_takes_it_back() -> None:
    app = OneEditor("def f():\n    return 1\n")
    async with app.run_test() as pilot:
        app.editor.focus()
        app.editor.move_cursor((1, 12))
        await pilot.press("enter", "2")
        assert app.editor.content == "def f():\n    return 1\n    2\n"
        await pilot.press("ctrl+z", "ctrl+z")
        assert app.editor.content == "def f():\n    return 1\n"


async def test_nothing_typed_is_nothing_to_save_and_a_draft_is_something() -> None:
    plain, drafted = OneEditor("a\n"), OneEditor("a\n", draft="b\n")
    async with plain.run_test() as pilot:
        plain.editor.focus()
        await pilot.press("x", "backspace")
        assert not plain.editor.touched
    async with drafted.run_test():
        assert drafted.editor.touched
        assert drafted.editor.content == "b\n"


async def test_a_key_paints_only_the_lines_that_look_different(monkeypatch: pytest.MonkeyPatch) -> None:
    app = OneEditor("".join(f"x{n} = {n}\n" for n in range(200)))
    painted: list[tuple[Region, ...]] = []
    original = TextArea.refresh

    def refresh(self: TextArea, *regions: Region, **more: Any) -> TextArea:
        if isinstance(self, Editor):
            painted.append(regions)
        return original(self, *regions, **more)

    async with app.run_test(size=(80, 30)) as pilot:
        app.editor.focus()
        await pilot.pause()
        monkeypatch.setattr(TextArea, "refresh", refresh)
        await pilot.press("y")
        assert {region.y for regions in painted for region in regions} == {0}
        assert all(regions for regions in painted)
        painted.clear()
        await pilot.press("down")
        assert {region.y for regions in painted for region in regions} == {0, 1}


async def test_the_editor_knows_line_and_column_and_how_many_lines_there_are() -> None:
    app = OneEditor("one\ntwo\n")
    async with app.run_test() as pilot:
        assert app.editor.position == Position(1, 1, 2)
        await pilot.press("down", "right", "right")
        assert app.editor.position == Position(2, 3, 2)
        await pilot.press("down")
        assert app.editor.position == Position(3, 1, 3)
        await pilot.press("a")
        assert app.editor.position == Position(3, 2, 3)
    assert OneEditor("").editor.position == Position(1, 1, 1)


async def test_colours_follow_what_is_typed() -> None:
    app = OneEditor("x = 1\ny = 2\nz = 3\n")
    async with app.run_test(size=(40, 6)) as pilot:
        app.editor.focus()
        await pilot.press("down", "number_sign")
        assert [role for _, _, role in app.editor._colours.line(1)] == ["com i"]
        assert app.editor._colours.line(2)[0] == (2, 3, "op")


async def test_selected_text_a_cursor_at_the_end_and_wrapped_lines_are_drawn() -> None:
    app = OneEditor("word " * 20 + "\nlast", "a.md")
    async with app.run_test(size=(40, 10)) as pilot:
        app.editor.focus()
        app.editor.move_cursor(app.editor.document.end)
        await pilot.pause()
        assert "last" in "\n".join(app.lines())
        app.editor.select_all()
        await pilot.pause()
        assert sum("word" in line for line in app.lines()) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a:\n  b\n", ("spaces", 2)), ("a:\n\tb\n", ("tabs", 4)), ("a\n", ("spaces", 4)), ("", ("spaces", 4))],
)
def test_indentation_is_that_of_the_text(text: str, expected: tuple[str, int]) -> None:
    assert indent_of(text) == expected


def test_the_private_names_the_editor_stands_on_are_there() -> None:
    area = TextArea("a\nb")
    for name in (
        "_set_document",
        "_build_highlight_map",
        "_refresh_size",
        "_replace_via_keyboard",
        "_on_key",
    ):
        assert callable(getattr(area, name)), name
    assert area._matching_bracket_location is None
    assert area.wrapped_document._offset_to_line_info == [(0, 0), (1, 0)]
    assert isinstance(area.document, Document)
    assert area.document._lines == ["a", "b"]
    assert area.document._newline == "\n"
