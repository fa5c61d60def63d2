"""The hint line while the thread has the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.tui import commands
from flowide.tui.views.hints import Hint

if TYPE_CHECKING:
    from flowide.tui.panes.thread import ThreadPane

_MESSAGES_ONLY = frozenset(
    {
        "thread.type",
        "thread.unfold",
        "thread.code",
        "thread.decide",
        "thread.propose",
        "thread.retry",
        "decisions.open",
    }
)
"""Commands whose keys are letters, so that they cannot be pressed while a message is typed."""


def thread_hints(pane: ThreadPane) -> list[Hint]:
    """What keys do now, the most useful first."""
    hints = commands.hints("thread", leave_out=frozenset(_left_out(pane)))
    at = 0 if pane.names_command else 1
    hints[at:at] = _way_out(pane)
    return hints


def _left_out(pane: ThreadPane) -> set[str]:
    """Commands that mean nothing now."""
    typing = pane.prompt.has_focus
    out = set(_MESSAGES_ONLY) if typing else set()
    if pane.names_command:
        out.add("thread.send")
    if not typing:
        out |= {"thread.send", "thread.newline", "thread.complete"}
        talk = pane.talk
        if talk is None or not any(each.status == "open" for each in talk.decisions):
            out.add("thread.decide")
        if talk is None or not any(each.state in {"failed", "stopped"} for each in talk.view.turns):
            out.add("thread.retry")
        if not any(getattr(row.key, "kind", "") == "code" for row in pane.log_pane.rows):
            out |= {"thread.unfold", "thread.code"}
    if not pane.writing:
        out.add("thread.stop")
    if len(pane.writing) < 2:
        out.add("thread.stop_one")
    if not typing or "@" not in pane.prompt.text:
        out.add("thread.told")
    return out


def _way_out(pane: ThreadPane) -> list[Hint]:
    """What esc does while no answer is being written."""
    if pane.prompt.choosing:
        does = [Hint("enter", "do it", "enter")] if pane.names_command else []
        return [*does, Hint("↑↓", "choose", "down"), Hint("esc", "close", "escape")]
    if pane.writing:
        return []
    return [Hint("esc", "messages" if pane.prompt.has_focus else "work list", "escape")]
