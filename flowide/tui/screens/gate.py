"""Answering a question of a run."""

from __future__ import annotations

import textwrap

from flowide.domain.rows import Gate
from flowide.errors import FlowError
from flowide.tui.dialogs import Ask
from flowide.tui.engine import running
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.gates import change, change_role, facts, hints, parse_answer, question_lines
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count

_WRAP, _MOST = 62, 4
"""Characters of a line, and lines of a fact after the first."""
_AROUND = 18
"""Lines of the window that the change in a question leaves free: the answers, the field, and the frame."""


def open_gate(screen: FlowScreen, gate: Gate) -> None:
    """Answer a question where that is done best: in the grid, in the review, on the card, else in a dialog."""
    set_id = gate.context.get("set")
    if gate.kind == "choose" and isinstance(set_id, str):
        from flowide.tui.screens.grid import GridScreen

        screen.app.push_screen(GridScreen(set_id))
    elif gate.kind in {"verdict", "hunks"} and gate.run is not None:
        from flowide.tui.screens.review import ReviewScreen

        screen.app.push_screen(ReviewScreen(gate.run))
    elif gate.kind == "conflict":
        from flowide.tui.screens.conflict import ConflictScreen

        screen.app.push_screen(ConflictScreen(gate.id))
    else:
        ask_gate(screen, gate)


def ask_gate(screen: FlowScreen, gate: Gate) -> None:
    """Show the question with what may be typed; the answer goes into the space."""
    screen.run_worker(_ask(screen, gate), group="gate", exclusive=True)


async def _ask(screen: FlowScreen, gate: Gate) -> None:
    asked = [part for line in question_lines(gate) for part in textwrap.wrap(line, _WRAP) or [""]]
    first, *rest = asked or ["A question"]
    lines: list[list[Span]] = [[(line, "b")] for line in rest]
    if about := facts(gate):
        lines.append([])
        for name, value in about:
            begin, *more = textwrap.wrap(value, _WRAP)
            lines.append([(f"{name:<7}", "quiet"), (begin, "")])
            lines += [[(" " * 7, ""), (line, "")] for line in more[:_MOST]]
    if diff := change(gate):
        room = max(3, screen.app.size.height - len(lines) - _AROUND)
        lines += [[], *([(line, change_role(line))] for line in diff[:room])]
        if len(diff) > room:
            lines.append([(f"… {count(len(diff) - room, 'line')} more, in a larger window", "quiet")])
    lines.append([])
    lines += [[(f"  {clean(typed):<28}", "key"), (words, "quiet")] for typed, words in hints(gate)]
    typed: str | None = ""
    problem = ""
    while True:
        shown = [*lines, [(problem, "warn")]] if problem else lines
        typed = await screen.app.push_screen_wait(Ask(first, shown, value=typed or "", enter="answer"))
        if typed is None:
            return
        answer = parse_answer(gate, typed)
        if not isinstance(answer, str):
            break
        problem = answer
    try:
        await screen.ask_engine(lambda session: running.answer(session, gate, answer))
    except FlowError as error:
        screen.tell(error)
        return
    screen.say("Answered.", good=True)
