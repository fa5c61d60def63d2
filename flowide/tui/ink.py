"""Roles become styles here, once for each theme."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from flowide.tui.views.spans import Span, fit, spread

if TYPE_CHECKING:
    from textual.app import App
    from textual.theme import Theme

_NAMES = {
    "": "foreground",
    "good": "success",
    "warn": "warning",
    "bad": "error",
    "add": "diff-add",
    "del": "diff-del",
    "change": "diff-change",
    "key": "accent",
    "kw": "syntax-keyword",
    "str": "syntax-string",
    "com": "syntax-comment",
    "fn": "syntax-function",
    "type": "syntax-type",
    "num": "syntax-number",
    "op": "syntax-operator",
}
_GROUNDS = {
    "added": "diff-add-background",
    "removed": "diff-del-background",
    "changed": "diff-change-background",
    "added-word": "diff-add-word",
    "removed-word": "diff-del-word",
    "picked": "input-selection-background",
    "selected": "field",
}
_REVERSED = frozenset({"selected", "picked", "added-word", "removed-word"})
"""Grounds that are shown by reversing, where a theme has the terminal's own colours only."""


_ASCII = str.maketrans(
    {
        **dict(zip("●○◐■□★✓✗▾▸◂▤◇▍", "*o~#-*vxv><=d_", strict=True)),
        **dict(zip("…·−×→←↑↓⌫⇧│▌▐─━┼", ".:-x><^v<^|||-=+", strict=True)),
        **dict(zip("█▇▆▅▄▃▂▁▎▏╸⋯", "##%*+=-_||-:", strict=True)),
        "›": ">",
        "«": '"',
        "»": '"',
    }
)
"""Signs of one cell for consoles whose fonts have few."""


class Ink:
    """The styles of one theme."""

    def __init__(self, theme: Theme, variables: dict[str, str], *, ascii_signs: bool = False) -> None:
        self.theme = theme
        self._ascii = ascii_signs
        self.few = theme.ansi or ascii_signs
        """Pictures cannot be drawn: there are just the terminal's own colours, or hardly any signs."""
        self._variables = variables
        self.style = cache(self._style)

    def _style(self, role: str = "", ground: str = "background") -> Style:
        """Style of a role on a ground: a theme colour, `added`, `removed`, `picked` or `selected`.

        A role `#rrggbb#rrggbb` is two colours as they are, for pictures.
        """
        if role.startswith("#"):
            return Style(color=role[:7], bgcolor=role[7:])
        words = role.split()
        flags = {word for word in words if word in {"b", "i", "u", "r"}}
        colour = next((word for word in words if word not in flags), "")
        if colour == "cursor":
            if self.theme.ansi:
                return Style(reverse=True, bold=True)
            return Style(color=self._colour("background"), bgcolor=self._colour("accent"), bold="b" in flags)
        reverse = "r" in flags or (self.theme.ansi and ground in _REVERSED)
        return Style(
            color=self._colour(_NAMES.get(colour, colour)),
            bgcolor=self._colour(_GROUNDS.get(ground, ground)),
            bold="b" in flags or None,
            italic="i" in flags or None,
            underline="u" in flags or None,
            reverse=reverse or None,
        )

    def _colour(self, name: str) -> str:
        value = self._variables.get(name) or self._variables["foreground"]
        return Color.parse(value).rich_color.name

    def foreground(self, role: str) -> Style:
        """Style of a role without a ground."""
        style = self.style(role)
        return Style(color=style.color, bold=style.bold, italic=style.italic, underline=style.underline)

    def strip(self, spans: Iterable[Span], width: int, ground: str = "background") -> Strip:
        """A line of exactly `width` cells."""
        fitted = fit(list(spans), width)
        return Strip(self.segments(fitted, ground), width)

    def spread(self, left: Iterable[Span], right: Iterable[Span], width: int, ground: str) -> Strip:
        """A line of exactly `width` cells with text at both ends."""
        return self.strip(spread(list(left), list(right), width), width, ground)

    def segments(self, spans: Iterable[Span], ground: str) -> list[Segment]:
        """Segments without any fitting."""
        return [Segment(self.sign(text), self.style(role, ground)) for text, role in spans]

    def sign(self, text: str) -> str:
        """A text in signs that this terminal has."""
        return text.translate(_ASCII) if self._ascii and not text.isascii() else text


def ink_of(app: App[object]) -> Ink:
    """The ink of the app's present theme."""
    known: Ink | None = getattr(app, "_flowide_ink", None)
    theme = app.current_theme
    if known is None or known.theme is not theme:
        known = Ink(theme, app.theme_variables, ascii_signs=getattr(app, "ascii_signs", False))
        app._flowide_ink = known  # type: ignore[attr-defined]
    return known
