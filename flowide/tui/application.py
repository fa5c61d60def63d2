"""The Textual app: holds the engine and the newest picture, and shows screens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen
from textual.theme import Theme

from flowide.errors import FlowError
from flowide.tui import commands, theme
from flowide.tui.engine.news import News
from flowide.tui.engine.place import Opener
from flowide.tui.engine.thread import Engine
from flowide.tui.screens.base import FlowScreen
from flowide.tui.screens.workspace import Workspace
from flowide.tui.views.actors import colour_book
from flowide.tui.views.snapshot import Snapshot


def _palette() -> Any:
    from flowide.tui.palette import TableCommands

    return TableCommands


class FlowApp(App[int]):
    """FlowIDE in the terminal."""

    TITLE = "FlowIDE"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[Any]] = {_palette}
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("app")
    CSS_PATH = "app.tcss"
    ESCAPE_TO_MINIMIZE = False

    def __init__(
        self,
        opener: Opener,
        *,
        project: str = "",
        me: str = "",
        theme: str = theme.DEFAULT,
        attach: str | None = None,
    ) -> None:
        super().__init__()
        self.engine = Engine(opener)
        self.snapshot = Snapshot(me=me, project=project)
        self.book: Mapping[str, str] = {}
        self._wish = theme
        self._attached = attach
        self.animation_level = "none"

    # --- start and end ------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.load(theme.DEFAULT).variables

    @property
    def available_themes(self) -> dict[str, Theme]:
        """FlowIDE's own themes; those of other apps lack colours for agents and code."""
        return self._registered_themes

    def get_default_screen(self) -> Screen[Any]:
        return Workspace()

    def on_load(self) -> None:
        """Before anything is drawn."""
        self.register_theme(theme.load(self._wish))
        self.theme = self._wish

    def on_mount(self) -> None:
        """The first frame is drawn before the engine starts."""
        self.call_after_refresh(self.engine.start, self._arrived)

    async def action_leave(self) -> None:
        """Give locks back, stop runs, and end."""
        await self.engine.close()
        self.exit(0)

    # --- news ---------------------------------------------------------------------------------------

    def _arrived(self, news: News) -> None:
        if not self.is_running:
            return
        if news.snapshot is not None:
            self.snapshot = news.snapshot
            self.book = colour_book(news.snapshot.seats, news.snapshot.me)
        for warning in news.warnings:
            self.notify(warning, severity="warning", markup=False, timeout=8)
        if news.failed is not None:
            self._fail(news.failed)
        for screen in self.screen_stack:
            if isinstance(screen, FlowScreen):
                screen.on_news(news)
        if self._attached is not None and news.snapshot is not None:
            self._open_attached(self._attached)

    def _fail(self, error: FlowError) -> None:
        """Nothing works without the space: end, and say why on the terminal."""
        self.exit(error.exit_code, message=f"{error.message}\n{error.hint}".strip())
        self._return_code = error.exit_code

    def _open_attached(self, run: str) -> None:
        from flowide.tui.screens.run import RunScreen

        self._attached = None
        found = next((view for view in self.snapshot.runs if view.run.id.startswith(run)), None)
        if run == "last" and self.snapshot.runs:
            found = self.snapshot.runs[0]
        if found is None:
            self.notify(f"There is no run {run}.", severity="warning", markup=False)
        else:
            self.push_screen(RunScreen(found.run.id))

    # --- commands -----------------------------------------------------------------------------------

    async def run_command(self, command: commands.Command) -> None:
        """Do what a row of the table says, on the screen it belongs to."""
        if command.where == "workspace":
            while len(self.screen_stack) > 1 and not isinstance(self.screen, Workspace):
                self.pop_screen()
        await self.screen.run_action(command.action)

    def action_go(self) -> None:
        """Wait for the letter after ctrl+o, and show what the letters are."""
        from flowide.tui.screens.go import GoScreen

        if isinstance(self.screen, GoScreen):
            return
        self.push_screen(GoScreen(), self._went)

    async def _went(self, command: commands.Command | None) -> None:
        if command is not None:
            await self.run_command(command)

    def action_help(self) -> None:
        """All keys of the present screen."""
        from flowide.tui.screens.help import HelpScreen

        where = self.screen.wheres if isinstance(self.screen, FlowScreen) else ("app",)
        self.push_screen(HelpScreen(where))

    def action_change_theme(self) -> None:
        """Choose a theme with a preview."""
        for each in theme.all_themes():
            self.register_theme(each)
        super().action_change_theme()
