"""Texts that were not saved: going on with one, keeping it beside what is there, or letting it go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.errors import FlowError
from flowide.tui.views.spans import Span, clean, lines_of
from flowide.tui.views.words import clock_time, count

if TYPE_CHECKING:
    from flowide.tui.engine.drafts import Offered
    from flowide.tui.panes.artifact import ArtifactPane
    from flowide.tui.screens.base import FlowScreen

MOST_SHOWN = 12
"""Lines of a draft's difference that are shown when it is offered."""


def offer_newest(screen: FlowScreen, pane: ArtifactPane) -> None:
    """Offer the newest draft of the open file, else the newest of all."""
    opened = pane.opened
    own = opened.artifact.id if opened is not None and opened.artifact is not None else ""
    drafts = sorted(screen.snapshot.drafts, key=lambda draft: (draft.artifact == own, draft.ts))
    if drafts:
        offer_draft(screen, pane, drafts[-1].id)
    else:
        screen.say("No draft is kept.")


def offer_draft(screen: FlowScreen, pane: ArtifactPane, draft: str) -> None:
    """Show what is in it, ask what becomes of it, and do that."""
    screen.run_worker(_offer(screen, pane, draft), group="draft", exclusive=True)


async def _offer(screen: FlowScreen, pane: ArtifactPane, draft: str) -> None:
    from flowide.tui.dialogs import Choice, Choose
    from flowide.tui.engine import drafts

    try:
        found = await screen.ask_engine(lambda session: drafts.look(session, draft))
    except FlowError as error:
        screen.tell(error)
        return
    choices = [
        Choice("e", "go on with it", "in the editor, under the lock; nothing is saved until you save"),
        Choice("v", "keep it as a variation", "beside what is there, to compare and mix"),
        Choice("x", "let it go", "it is offered no more"),
    ]
    chosen = await screen.app.push_screen_wait(
        Choose(f"A text of {clean(found.actor)} was not saved", _lines(found), choices)
    )
    try:
        if chosen == "e":
            pane.adopt(draft)
        elif chosen == "v":
            number = await screen.ask_engine(lambda session: drafts.as_variation(session, draft))
            screen.say(f"Kept as variation {number} of {clean(found.path)}.", good=True)
        elif chosen == "x":
            await screen.ask_engine(lambda session: drafts.let_go(session, draft))
            screen.say("It is gone.")
    except FlowError as error:
        screen.tell(error)


def _lines(found: Offered) -> list[list[Span]]:
    """Where it is from, why it was kept, and how it differs."""
    lines: list[list[Span]] = [
        [(f"{clean(found.path)}, from version {found.base}, {clock_time(found.ts)}", "quiet")],
        [(clean(found.why), "quiet")] if found.why else [],
        [],
    ]
    shown = lines_of(found.diff)
    for line in shown[:MOST_SHOWN]:
        role = {"+": "add", "-": "del"}.get(line[:1], "quiet")
        lines.append([(line, role)])
    if len(shown) > MOST_SHOWN:
        lines.append([(f"… {count(len(shown) - MOST_SHOWN, 'line')} more", "quiet")])
    if not shown:
        lines.append([("It says what the newest version says.", "quiet")])
    return lines
