"""All settings: their values, where these come from, what they mean; and changing them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from flowide import settings
from flowide.errors import BadInput
from flowide.tui import changing, commands, theme
from flowide.tui.changing import Setting
from flowide.tui.dialogs import Ask, Choice, Choose, Words
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.grid_frame import wrapped
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane

HELP_LINES = 3
KEY = 22
"""Cells for a name."""


class SettingsScreen(FlowScreen):
    """The settings that hold for this project."""

    wheres = ("settings", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("settings")
    AUTO_FOCUS = "#settings"

    def __init__(self, project: Path | None, user: Path | None) -> None:
        super().__init__()
        self._project, self._user = project, user
        self._settings: list[Setting] = []

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield RowsPane(id="settings", ground="background", edge=False)
        yield Words([[]] * HELP_LINES, id="setting-help", ground="surface")
        yield HintBar(id="hints")

    @property
    def rows(self) -> RowsPane:
        """The list."""
        return self.query_one("#settings", RowsPane)

    @property
    def setting(self) -> Setting | None:
        """The one at the cursor."""
        return next((each for each in self._settings if each.name == self.rows.current), None)

    def on_mount(self) -> None:
        """Read them."""
        self.query_one("#where", Bar).show(
            [(" settings", "accent b")], [("option › environment › project › yours › default ", "quiet")]
        )
        hints = commands.hints("settings", leave_out=frozenset({"settings.back"}))
        self.query_one(HintBar).show_hints(
            [Hint("enter", "change", "enter"), *hints], commands.tail("settings")
        )
        self.reload()
        self.rows.action_end(-1)

    def on_resize(self) -> None:
        """What it means wraps elsewhere."""
        self._draw_help()

    def reload(self) -> None:
        """Read the files."""
        try:
            self._settings = changing.read(self._project)
        except BadInput as error:
            self.tell(error)
        rows: list[Row] = []
        section = ""
        for each in self._settings:
            if each.section != section:
                rows += [Row(())] if rows else []
                rows.append(Row(((each.section.upper(), "quiet b"),)))
                section = each.section
            changed = each.source != "default"
            left = ((f"{each.key:<{KEY}}", ""), (clean(each.shown), "accent b" if changed else ""))
            rows.append(Row(left, ((f"{self._where_from(each)} ", "quiet"),), each.name))
        self.rows.show(rows)
        self._draw_help()

    def _where_from(self, setting: Setting) -> str:
        if self._project is not None and setting.source == str(self._project / ".flowide" / settings.FILE):
            return "project"
        if self._user is not None and setting.source == str(self._user / settings.FILE):
            return "yours"
        return setting.source

    @on(RowsPane.Moved, "#settings")
    def _draw_help(self) -> None:
        setting, words = self.setting, self.query_one(Words)
        lines: list[list[Span]] = [[]]
        if setting is not None:
            lines = [[(" ", ""), (f"[{setting.section}] {setting.key}", "b")]]
            lines += [[(" ", ""), (line, "quiet")] for line in wrapped(setting.help, self.app.size.width - 3)]
        words.show([*lines, *([[]] * HELP_LINES)][:HELP_LINES])

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter changes it."""
        event.stop()
        if self.setting is not None:
            self._change(self.setting)

    @work(group="change", exclusive=True)
    async def _change(self, setting: Setting) -> None:
        if setting.from_environment:
            self.say(f"{setting.source} is set in the environment, and wins over every file.")
            return
        value = await self._ask(setting)
        if value is None or value == setting.shown:
            return
        path = await self._ask_where(setting)
        if path is not None:
            await self._write(path, setting, value)

    async def _ask(self, setting: Setting) -> str | None:
        if setting.name == "app.theme":
            from flowide.tui.screens.picker import Entry, Picker

            entries = [
                Entry(each.name, each.name, "dark" if each.dark else "light") for each in theme.all_themes()
            ]
            chosen: str | None = await self.app.push_screen_wait(Picker("Theme", entries, at=self.app.theme))
            return chosen
        if setting.choices:
            letters = [Choice(str(at), each) for at, each in enumerate(setting.choices, start=1)]
            key = await self.app.push_screen_wait(Choose(f"[{setting.section}] {setting.key}", [], letters))
            return None if key is None else setting.choices[int(key) - 1]
        lines: list[list[Span]] = [[(line, "quiet")] for line in wrapped(setting.help, 66)]
        value = "" if setting.shown in {"none", "not set"} else setting.shown
        typed: str | None = await self.app.push_screen_wait(
            Ask(f"[{setting.section}] {setting.key}", lines, value=value, enter="set")
        )
        return typed

    async def _ask_where(self, setting: Setting) -> Path | None:
        mine = None if self._user is None else self._user / settings.FILE
        if self._project is None or setting.section == "trust":
            return mine
        project = self._project / ".flowide" / settings.FILE
        choices = [
            Choice("p", "for this project", "everybody who works on it"),
            Choice("m", "for me", "in all projects"),
        ]
        key = await self.app.push_screen_wait(
            Choose("For whom?", [], choices if mine is not None else choices[:1])
        )
        return {"p": project, "m": mine}.get(key or "")

    async def _write(self, path: Path, setting: Setting, value: str | None) -> None:
        try:
            await asyncio.to_thread(changing.change, path, setting, value)
        except BadInput as error:
            self.tell(error)
            return
        if self.left:
            return
        self.reload()
        now = next((each for each in self._settings if each.name == setting.name), setting)
        if setting.name == "app.theme":
            if value is not None:
                self.app.register_theme(theme.load(value))
                self.app.theme = value
            self.say(f"Saved in {path}.", good=True)
        elif value is not None and now.source != str(path):
            self.say(f"Saved in {path}, but {self._where_from(now)} says otherwise and wins.")
        else:
            self.say(f"Saved in {path}. It holds for what is started from now on.", good=True)

    @work(group="change", exclusive=True)
    async def action_unset(self) -> None:
        """Take the value out of the file it comes from."""
        setting = self.setting
        if setting is None or setting.source == "default" or setting.from_environment:
            self.say("Nothing is set here: this is the default.")
            return
        await self._write(Path(setting.source), setting, None)

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
