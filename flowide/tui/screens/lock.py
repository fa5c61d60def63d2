"""The lock menu: what can be done about the lock of the open file, by whoever holds it."""

from __future__ import annotations

from flowide.domain.commands import ForceLock
from flowide.errors import FlowError
from flowide.tui.dialogs import Ask, Choice, Choose
from flowide.tui.panes.artifact import ArtifactPane
from flowide.tui.panes.editing import EditPane
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.actors import is_mine
from flowide.tui.views.locks import lock_bar, named
from flowide.tui.views.spans import Span, clean

_EDIT = Choice("e", "edit", "take the lock and write")
_WAIT = Choice("w", "wait in line", "the editor opens when the lock is yours")
_FORCE = Choice(
    "f", "force", "end their lock, with a reason that they are told; their text is kept as a draft"
)
_TAKE = Choice("e", "take over", "they stopped answering; their text is kept as a draft")
_HAND = Choice("h", "hand over", "to somebody else, together with the text so far")
_STOP = Choice("r", "release", "what is not saved stays as a draft")


def lock_menu(screen: FlowScreen, pane: ArtifactPane) -> None:
    """Show the menu and do what is chosen."""
    screen.run_worker(_menu(screen, pane), group="lock", exclusive=True)


async def _menu(screen: FlowScreen, pane: ArtifactPane) -> None:
    opened, state = pane.opened, screen.snapshot
    if opened is None or opened.artifact is None:
        screen.say("Open a file first: choose one and press enter.")
        return
    lock = named(opened.lock, state)
    mine = lock is not None and is_mine(lock.lock, state.me, state.client)
    if lock is None or lock.lock.state == "free":
        choices = [_EDIT]
    elif mine:
        choices = [_HAND, _STOP]
    else:
        choices = [_TAKE if lock.lock.state == "lapsed" else _WAIT, _FORCE]
    words = [lock_bar(lock, state.me, state.client, screen.book)]
    if lock is not None:
        words += [[(f"   {n}. ", "quiet"), (clean(ticket.actor), ""), (f" waits  {clean(ticket.purpose)}", "quiet")]
                  for n, ticket in enumerate(lock.queue, start=1)]  # fmt: skip
    chosen = await screen.app.push_screen_wait(Choose(f"The lock of {clean(opened.path)}", words, choices))
    artifact = opened.artifact.id
    if chosen == "e":
        pane.start_edit()
    elif chosen == "w":
        pane.start_edit(wait=True)
    elif chosen == "r" and pane.edit is not None:
        pane.edit.action_leave_edit()
    elif chosen == "f" and lock is not None:
        await _force(screen, artifact, clean(lock.lock.actor or "?"))
    elif chosen == "h" and pane.edit is not None:
        await _hand_over(screen, pane.edit)


async def _force(screen: FlowScreen, artifact: str, holder: str) -> None:
    lines: list[list[Span]] = [[("They are told the reason. Their text is kept as a draft.", "quiet")]]
    reason = await screen.app.push_screen_wait(
        Ask(f"End the lock of {holder}?", lines, placeholder="the reason", enter="end the lock")
    )
    if reason is None:
        return
    if not reason.strip():
        screen.say("A lock is ended with a reason only: they are told it.")
        return
    command = ForceLock(artifact=artifact, reason=reason.strip())
    try:
        await screen.ask_engine(lambda session: session.space.execute(command))
    except FlowError as error:
        screen.tell(error)


async def _hand_over(screen: FlowScreen, edit: EditPane) -> None:
    to = await screen.app.push_screen_wait(
        Ask(
            "Hand the lock over to whom?", [[("Your text so far goes along.", "quiet")]], placeholder="handle"
        )
    )
    if not to or not to.strip().removeprefix("@"):
        return
    handle = to.strip().removeprefix("@")
    agent = any(seat.handle == handle for seat in screen.snapshot.seats)
    edit.hand_over(handle, "agent" if agent else "human")
