"""The editor: Textual's text area, calm and without a blinking cursor."""

from __future__ import annotations

from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from flowide.tui.highlight import language_of
from flowide.tui.ink import Ink, ink_of

MOST_COLOURED = 1000
"""Lines; longer texts are edited without colours, as each key would colour them all again."""
MOST_EDITED = 10_000
"""Lines; longer texts go to $EDITOR."""

_CAPTURES = {
    "comment": "com i",
    "string": "str",
    "keyword": "kw",
    "function": "fn",
    "function.call": "fn",
    "method": "fn",
    "method.call": "fn",
    "type": "type",
    "type.builtin": "type",
    "constructor": "type",
    "number": "num",
    "float": "num",
    "boolean": "num",
    "constant.builtin": "num",
    "operator": "op",
    "conditional": "kw",
    "repeat": "kw",
    "include": "kw",
    "exception": "kw",
    "keyword.function": "kw",
    "keyword.return": "kw",
    "keyword.operator": "kw",
    "variable.builtin": "kw i",
    "heading": "fn b",
    "heading.marker": "quiet",
    "list.marker": "kw",
    "link.uri": "str u",
    "inline_code": "str",
}


class Editor(TextArea):
    """One artifact's text while its lock is ours."""

    def __init__(self, text: str, path: str, *, draft: str | None = None, id: str | None = None) -> None:
        """`draft` is what was written and not saved before; None = start from the text."""
        language = language_of(path) if text.count("\n") < MOST_COLOURED else None
        super().__init__(
            text if draft is None else draft,
            language=None,
            soft_wrap=path.endswith((".md", ".txt", ".rst")),
            show_line_numbers=True,
            tab_behavior="indent",
            id=id,
        )
        if language in self.available_languages:
            self.language = language
        self.cursor_blink = False
        self._start = self.text if draft is None else None

    def on_mount(self) -> None:
        """Colours of the app's theme."""
        self.register_theme(editor_theme(ink_of(self.app)))
        self.theme = "flowide"

    @property
    def touched(self) -> bool:
        """Whether there is anything to save."""
        return self.text != self._start

    @property
    def content(self) -> str:
        """The text as it is to be saved."""
        return self.text


def editor_theme(ink: Ink) -> TextAreaTheme:
    """The app's theme, as a text area wants it."""
    return TextAreaTheme(
        name="flowide",
        base_style=ink.style("", "background"),
        gutter_style=ink.style("quiet", "background"),
        cursor_style=ink.style("cursor"),
        cursor_line_style=ink.style("", "surface"),
        cursor_line_gutter_style=ink.style("accent", "surface"),
        selection_style=ink.style("", "picked"),
        bracket_matching_style=ink.style("accent b", "selected"),
        syntax_styles={name: ink.foreground(role) for name, role in _CAPTURES.items()},
    )
