"""The help screen: the command table of the present screen, and the signs."""

from __future__ import annotations

from flowide.tui import commands
from flowide.tui.dialogs import Show
from flowide.tui.views.spans import Span

_TITLES = {
    "app": "Everywhere",
    "workspace": "Workspace",
    "editor": "While editing",
    "grid": "Variations",
    "run": "Run",
}
_SIGNS = (
    ("●", "a person"),
    ("◐", "working, or running"),
    ("■", "locked"),
    ("□", "a lock that lapsed: it may be taken over"),
    ("★", "on the short list"),
    ("✓ ✗", "passed, failed; done, dropped"),
    ("+ \N{MINUS SIGN}", "a line that is not in the base; one of the base that is gone"),
    ("▌", "has the keys; in the grid also: picked for the mix"),
)


class HelpScreen(Show):
    """Made from the same table as bindings, hints and palette."""

    def __init__(self, wheres: tuple[str, ...]) -> None:
        super().__init__("Help", help_lines(wheres))


def help_lines(wheres: tuple[str, ...]) -> list[list[Span]]:
    """All keys of these places, then the signs."""
    lines: list[list[Span]] = []
    for where in sorted(wheres, key=lambda where: where == "app"):
        lines.append([(_TITLES[where], "accent b")])
        for command in commands.of(where):
            key = commands.shown_key(command)
            help = f"  {command.help}" if command.help else ""
            lines.append([(f"  {key:<6}", "key"), (command.title, ""), (help, "quiet")])
        lines.append([])
    lines.append([("Signs", "accent b")])
    lines += [[(f"  {sign:<6}", ""), (words, "quiet")] for sign, words in _SIGNS]
    lines += [[], [("Shift and drag selects text in most terminals.", "quiet")]]
    return lines
