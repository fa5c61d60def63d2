"""The mix of picked pieces in the grid: it is tried as pieces are picked, and built when that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.errors import FlowError
from flowide.tui.dialogs import Confirm
from flowide.tui.engine import mixing, running
from flowide.tui.views.spans import Span, clean

if TYPE_CHECKING:
    from flowide.tui.screens.grid import GridScreen


async def preview(screen: GridScreen) -> None:
    """Try the mix, and show what it would lack."""
    state = screen.state
    if state is None or state.base is None:
        return
    base, picks, path = state.base, tuple(state.picks), state.grid.group.path
    try:
        made = await screen.ask_engine(
            lambda session: mixing.preview(session, screen.set_id, path, base, picks)
        )
    except FlowError as error:
        screen.tell(error)
        return
    if not screen.left and state.base == base and tuple(state.picks) == picks:
        state.preview = made
        screen.draw()


async def build(screen: GridScreen) -> None:
    """Show what the blend would lack, then build it."""
    state = screen.state
    if state is None or state.base is None or not state.picks:
        screen.say("Pick pieces first: n goes to the next one, space takes it.")
        return
    if state.preview is None:
        screen.say("One moment: the mix is being tried.")
        return
    if state.preview.text is None:
        screen.say(f"This mix is refused: {state.preview.refused}")
        return
    base, takes = state.base, [(pick.number, pick.piece) for pick in state.picks]
    if state.preview.warnings and not await _despite(screen, state.preview.warnings):
        return
    try:
        number, _ = await screen.ask_engine(
            lambda session: running.blend(session, screen.set_id, base, takes)
        )
    except FlowError as error:
        screen.tell(error)
        return
    state.clear()
    screen.wanted = number
    screen.say(f"{number} is the blend. It parses; press a to accept it.", good=True)
    screen.reload()


async def _despite(screen: GridScreen, warnings: tuple[str, ...]) -> bool:
    lines: list[list[Span]] = [[("! ", "warn"), (clean(warning), "")] for warning in warnings]
    lines = [*lines, [], [("It parses. These are for you to judge.", "quiet")]]
    build: bool | None = await screen.app.push_screen_wait(
        Confirm("Build it all the same?", lines, yes="build")
    )
    return bool(build)
