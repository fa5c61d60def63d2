"""The help screen: the command table of the present screen, and the signs."""

from __future__ import annotations

import textwrap

from flowide.tui import commands
from flowide.tui.dialogs import Show
from flowide.tui.views.spans import Span

TITLES = {
    "app": "Everywhere",
    "workspace": "Workspace",
    "text": "In a text",
    "thread": "Thread",
    "editor": "While editing",
    "waiting": "What waits for you",
    "review": "Review",
    "conflict": "Conflict",
    "decisions": "Decisions",
    "grid": "Variations",
    "pieces": "Piece table",
    "history": "History",
    "search": "Search",
    "log": "Log",
    "stats": "Statistics",
    "settings": "Settings",
    "run": "Run",
}
_SIGNS = (
    ("●", "a person"),
    ("◐", "working, or running"),
    ("■", "locked"),
    ("□", "a lock that lapsed: it may be taken over"),
    ("◇", "a text that was not saved, kept as a draft; a decision that is open"),
    ("▤", "a set of variations"),
    ("★", "on the short list"),
    ("✓ ✗", "passed, failed; done, dropped"),
    ("+ \N{MINUS SIGN}", "a line that is not in the base; one of the base that is gone"),
    ("▌", "has the keys; in the grid also: picked for the mix"),
)


KEYS = 8
"""Cells for a key."""


class HelpScreen(Show):
    """Made from the same table as bindings, hints and palette."""

    def __init__(self, wheres: tuple[str, ...], width: int) -> None:
        super().__init__("Help", help_lines(wheres, width))


def help_lines(wheres: tuple[str, ...], width: int) -> list[list[Span]]:
    """All keys of these places, then the signs, in lines of at most `width` cells."""
    lines: list[list[Span]] = []
    for where in sorted(wheres, key=lambda where: where == "app"):
        lines.append([(TITLES[where], "accent b")])
        for command in commands.of(where):
            lines += _command_lines(command, width)
        lines.append([])
    lines.append([("Signs", "accent b")])
    for sign, words in _SIGNS:
        first, *rest = textwrap.wrap(words, max(20, width - KEYS - 4))
        lines.append([(f"  {sign:<{KEYS}}", ""), (first, "quiet")])
        lines += [[(" " * (KEYS + 2), ""), (part, "quiet")] for part in rest]
    lines += [[], [("Shift and drag selects text in most terminals.", "quiet")]]
    return lines


def _command_lines(command: commands.Command, width: int) -> list[list[Span]]:
    head: list[Span] = [(f"  {commands.shown_key(command):<{KEYS}}", "key"), (command.title, "")]
    room = width - KEYS - 4 - len(command.title)
    if len(command.help) <= room:
        return [[*head, (f"  {command.help}", "quiet")]]
    rest = textwrap.wrap(command.help, max(20, width - KEYS - 4))
    return [head, *([(" " * (KEYS + 2), ""), (part, "quiet")] for part in rest)]
