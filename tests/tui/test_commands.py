"""One table of commands feeds bindings, hints, help, palette and docs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from flowide.tui import commands
from flowide.tui.application import FlowApp
from flowide.tui.panes.editing import EditPane
from flowide.tui.panes.thread import ThreadPane
from flowide.tui.screens.conflict import ConflictScreen
from flowide.tui.screens.decisions import DecisionsScreen
from flowide.tui.screens.grid import GridScreen
from flowide.tui.screens.help import TITLES, help_lines
from flowide.tui.screens.history import HistoryScreen
from flowide.tui.screens.log import LogScreen
from flowide.tui.screens.pieces import PiecesScreen
from flowide.tui.screens.review import ReviewScreen
from flowide.tui.screens.run import RunScreen
from flowide.tui.screens.search import SearchScreen
from flowide.tui.screens.settings import SettingsScreen
from flowide.tui.screens.stats import StatsScreen
from flowide.tui.screens.waiting import WaitingScreen
from flowide.tui.screens.workspace import Workspace
from flowide.tui.views.hints import Hint, hint_spans
from flowide.tui.views.spans import plain, width_of
from flowide.tui.widgets.code import CodeView
from tests.tui.conftest import Driver, app_on

PAGE = Path(__file__).parents[2] / "docs" / "terminal-app.md"
OWNERS = {
    "app": FlowApp,
    "workspace": Workspace,
    "text": CodeView,
    "thread": ThreadPane,
    "editor": EditPane,
    "grid": GridScreen,
    "pieces": PiecesScreen,
    "history": HistoryScreen,
    "search": SearchScreen,
    "log": LogScreen,
    "stats": StatsScreen,
    "settings": SettingsScreen,
    "review": ReviewScreen,
    "waiting": WaitingScreen,
    "conflict": ConflictScreen,
    "decisions": DecisionsScreen,
    "run": RunScreen,
}


def test_every_id_is_there_once() -> None:
    assert [id for id, many in Counter(each.id for each in commands.COMMANDS).items() if many > 1] == []


def test_no_place_uses_a_key_twice_or_one_of_everywhere() -> None:
    everywhere = [key for each in commands.of("app") for key in each.key.split(",") if key]
    for where in OWNERS:
        keys = [key for each in commands.of(where) for key in each.key.split(",") if key]
        keys += everywhere if where != "app" else []
        assert [key for key, many in Counter(keys).items() if many > 1] == [], where


def test_go_letters_are_told_apart() -> None:
    letters = [each.go for each in commands.go_targets()]
    assert len(letters) == len(set(letters))


@pytest.mark.parametrize("command", commands.COMMANDS, ids=lambda each: each.id)
def test_what_the_table_names_can_be_done(command: commands.Command) -> None:
    name = command.action.removeprefix("app.").partition("(")[0]
    owner = FlowApp if command.action.startswith("app.") else OWNERS[command.where]
    assert hasattr(owner, f"action_{name}")


@pytest.mark.parametrize("command", commands.COMMANDS, ids=lambda each: each.id)
def test_the_page_has_every_command_with_its_key(command: commands.Command) -> None:
    section = PAGE.read_text().partition(f"### {TITLES[command.where]}\n")[2].partition("### ")[0]
    row = next((line for line in section.split("\n") if f"**{command.title}**" in line), "")
    assert f"`{commands.shown_key(command) or '^p'}`" in row
    assert command.help in row


def test_the_page_names_no_key_that_is_not_there() -> None:
    shown = {commands.shown_key(each) or "^p" for each in commands.COMMANDS}
    for key in re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.M):
        assert key in shown


def test_the_help_tells_every_key_of_a_screen_in_lines_that_fit() -> None:
    for width in (60, 72):
        lines = [plain(line) for line in help_lines(("workspace", "editor", "app"), width)]
        assert max(map(len, lines)) <= width
        for where in ("workspace", "editor", "app"):
            for command in commands.of(where):
                assert any(command.title in line for line in lines)


@pytest.mark.parametrize("width", [20, 60, 79, 119])
def test_hints_that_do_not_fit_are_left_out_whole_and_the_way_back_stays(width: int) -> None:
    spans, places = hint_spans(commands.hints("grid"), commands.tail("grid"), width)
    assert width_of(spans) <= width
    said = plain(spans)
    assert "?" in said
    for start, end, key in places:
        assert said[start:end].strip() == said[start:end]
        assert key


def test_a_hint_stands_where_it_says() -> None:
    spans, places = hint_spans([Hint("a", "one", "a"), Hint("b", "two", "b")], [Hint("?", "help", "x")], 40)
    assert [plain(spans)[start:end] for start, end, _ in places] == ["a one", "b two", "? help"]
    assert plain(spans).endswith("? help")


async def by_palette(app: Driver, title: str) -> None:
    await app.press("ctrl+p")
    await app.sees("Commands")
    await app.type(title)
    await app.press("enter")


async def test_the_palette_reaches_the_thread_from_any_pane(project: Path) -> None:
    async with app_on(project) as app:
        await by_palette(app, "write a message")
        await app.until(lambda: app.app.focused is app.workspace.thread.prompt, "the prompt to have the keys")
        await app.type("Hello.")
        await by_palette(app, "new line")
        await app.until(lambda: app.workspace.thread.prompt.text == "Hello.\n", "the new line")


async def test_the_palette_reaches_the_editor_and_says_when_there_is_none(project: Path) -> None:
    async with app_on(project) as app:
        await by_palette(app, "save and release")
        await app.sees("Nothing is being edited.")
        await app.open("plan")
        await app.press("e")
        await app.until(lambda: app.artifact.edit is not None, "the editor")
        await by_palette(app, "stop editing")
        await app.until(lambda: app.artifact.edit is None, "the editor to go")
