"""What is asked before a variation is noted, tagged, built on or accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.errors import FlowError
from flowide.tui.dialogs import Ask, Show
from flowide.tui.engine import mixing, running
from flowide.tui.views.grid import stats
from flowide.tui.views.lineage import lineage_lines
from flowide.tui.views.sorting import NUMBER, ordered, orders
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.tui.screens.grid import GridScreen


async def note(screen: GridScreen) -> None:
    """Ask for a note, and keep it."""
    view = screen.variation()
    if view is None:
        return
    number = view.variation.number
    lines: list[list[Span]] = [[("The next round is told what you write here.", "quiet")]]
    text = await screen.app.push_screen_wait(Ask(f"A note on {number}", lines, enter="keep"))
    if text and text.strip():
        await screen.do(lambda session: mixing.note(session, screen.set_id, number, text))


async def tag(screen: GridScreen) -> None:
    """Ask for tags: words to add, `-word` to take one off."""
    view = screen.variation()
    if view is None:
        return
    number = view.variation.number
    have = " ".join(f"#{clean(each)}" for each in view.variation.tags) or "none yet"
    lines: list[list[Span]] = [[("Tags: ", "quiet"), (have, "")], [("-word takes one off.", "quiet")]]
    typed = await screen.app.push_screen_wait(Ask(f"Tag {number}", lines, placeholder="fast readable"))
    words = (typed or "").replace(",", " ").split()
    add = [word.lstrip("#") for word in words if not word.startswith("-") and word.lstrip("#")]
    remove = [word.lstrip("-#") for word in words if word.startswith("-") and word.lstrip("-#")]
    if add or remove:
        await screen.do(lambda session: mixing.tag(session, screen.set_id, number, add, remove))


def sort(screen: GridScreen) -> None:
    """Ask by what the columns are to be ordered, and put them so."""
    from flowide.tui.screens.picker import Entry, Picker

    state = screen.state
    if state is None:
        return

    def take(order: str | None) -> None:
        if order is not None:
            screen.order = order
            state.replace(ordered(state.grid, order))
            screen.draw()

    helps = {NUMBER: "as they came"}
    entries = [Entry(name, name, helps.get(name, "best first")) for name in orders(state.grid)]
    screen.app.push_screen(Picker("Order of the columns", entries, at=screen.order), take)


def lineage(screen: GridScreen) -> None:
    """Show where a variation and its pieces come from."""
    state = screen.state
    column = state.column if state is not None else None
    if state is None or column is None or screen.variation() is None:
        return
    lines = lineage_lines(state.grid, column, screen.book, min(76, screen.size.width) - 6)
    screen.app.push_screen(Show(f"Where {column.number} is from", lines))


async def more(screen: GridScreen) -> None:
    """Ask how many more, and start the round."""
    state = screen.state
    if state is None:
        return
    views = [column.view for column in state.grid.columns if column.view is not None]
    short = [str(view.variation.number) for view in views if view.variation.shortlisted]
    told: list[Span] = [("The agents are told the brief and the notes", "quiet")]
    if short:
        told += [(", and shown the short list: ", "quiet"), (" ".join(short), "accent b")]
    else:
        told += [(". Nothing is short-listed: s puts one on the list.", "quiet")]
    wish: list[Span] = [("A number, and a wish if you have one: ", "quiet"), ("3 keep the interface", "")]
    typed = await screen.app.push_screen_wait(Ask("How many more?", [told, wish], value="3", enter="go"))
    if typed is None:
        return
    number, _, said = typed.strip().partition(" ")
    if not number.isdigit() or not 1 <= int(number) <= 10:
        screen.say("A number from 1 to 10 first, please.")
        return
    if await screen.do(lambda session: running.more(session, screen.set_id, int(number), said.strip())):
        screen.say(f"{count(int(number), 'more is', 'more are')} on the way.", good=True)


async def accept(screen: GridScreen) -> None:
    """Ask for a note for the history, and have it saved."""
    view, state = screen.variation(), screen.state
    if view is None or state is None or state.column is None:
        return
    number, target = view.variation.number, state.grid.group.path
    if target is None:
        screen.say("This set names no file to save to. Use `flowide variations accept --path PATH`.")
        return
    lines: list[list[Span]] = [
        [("It becomes the next version of ", "quiet"), (clean(target), "b"), (", under its lock.", "quiet")],
        [*stats(state.column)],
    ]
    if any(check.status != "passed" for check in view.checks):
        lines.append([("! ", "warn"), ("not every check passed", "warn")])
    run = screen.snapshot.run_of(state.grid.group.run)
    if run is not None and run.alive and screen.snapshot.gate_of_set(screen.set_id) is None:
        lines.append([("! ", "warn"), ("the run still works on it: a check may yet fail", "warn")])
    if state.picks:
        lines.append(
            [("! ", "warn"), ("your picks are not built yet: enter in the grid builds them", "warn")]
        )
    said = await screen.app.push_screen_wait(
        Ask(
            f"Accept variation {number}",
            lines,
            placeholder="a note for the history (optional)",
            enter="accept",
        )
    )
    if said is None:
        return
    try:
        path, version = await screen.ask_engine(
            lambda session: running.accept(session, screen.set_id, number, said.strip())
        )
    except FlowError as error:
        screen.tell(error)
        return
    done = (
        f"{number} is saved in {clean(path)} as v{version}"
        if version
        else f"the run saves {number} in {clean(path)}"
    )
    screen.say(f"Accepted: {done}.", good=True)
    screen.reload()
