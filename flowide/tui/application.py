"""The Textual app: holds the engine and the newest picture, and shows screens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.filter import Monochrome, NoColor
from textual.screen import ModalScreen, Screen
from textual.worker import WorkerFailed

from flowide.errors import FlowError
from flowide.tui import commands, notifying, theme
from flowide.tui.attention import Attention
from flowide.tui.engine.news import News
from flowide.tui.engine.thread import Engine
from flowide.tui.guide import Guide
from flowide.tui.habits import Habits
from flowide.tui.notifying import Notify
from flowide.tui.pacing import PacedApp
from flowide.tui.remembered import Remembered, save
from flowide.tui.screens.base import FlowScreen
from flowide.tui.screens.returning import remember
from flowide.tui.screens.workspace import Workspace
from flowide.tui.views.actors import colour_book
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import clean
from flowide.tui.whereabouts import Whereabouts

if TYPE_CHECKING:
    from flowide.tui.engine.place import Opener
    from flowide.tui.views.hunks import Marks
    from flowide.tui.views.runs import Item

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end the app as quitting does."""
END_S = 5.0
"""Seconds the app takes at most to end after a signal."""
TERMINAL_S = 3.0
"""Seconds between looks whether the terminal is still there."""


class FlowApp(Habits, Whereabouts, PacedApp):
    """FlowIDE in the terminal."""

    TITLE = "FlowIDE"
    ENABLE_COMMAND_PALETTE = False
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
        guide: Guide | None = None,
        ascii_signs: bool = False,
        notify: Notify = "on",
        known: Remembered | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """`attach` is a run to show first; `guide` is what a first-run guide proposes.

        `known` is what is remembered of the project; it is changed as things happen. `keys` are the person's own.
        """
        super().__init__()
        self.remembered = known or Remembered()
        self._own_keys = dict(keys or {})
        self.engine = Engine(opener)
        self.snapshot = Snapshot(me=me, project=project)
        self.book: Mapping[str, str] = {}
        self.guide = guide
        self.ascii_signs = ascii_signs
        """The terminal's font has few signs."""
        self.marks: dict[str, Marks] = {}
        """What the person said so far about the changes of a question, by gate."""
        self.crashed: Exception | None = None
        """A mistake of the app's own that ended it."""
        self.notifies: Notify = notify
        """What is done when something begins to wait while the person looks elsewhere."""
        self._attention = Attention()
        self._attached = attach
        self._leaving = False
        self._terminal: int | None = None
        """The file descriptor of the terminal; None = there is none, as in tests and in a browser."""
        self.animation_level = "none"
        self.wear(theme)

    # --- start and end ------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        return Workspace()

    def on_load(self) -> None:
        """Before anything is drawn."""
        self.use_keys(self._own_keys)
        if self.no_color and self.native_ansi_color:
            # Textual chose its filter before it knew the theme, and would send greys.
            self._filters = [NoColor() if isinstance(each, Monochrome) else each for each in self._filters]

    def on_mount(self) -> None:
        """The first frame is drawn before the engine starts."""
        self.call_after_refresh(self._first_frame_is_drawn)
        loop = asyncio.get_running_loop()
        for number in ENDING:
            with contextlib.suppress(RuntimeError, ValueError):  # not in the main thread: tests, the web
                loop.add_signal_handler(number, self._end, number)
        fileno = getattr(self._driver, "fileno", None)
        if isinstance(fileno, int) and os.isatty(fileno):
            self._terminal = fileno
            self.set_interval(TERMINAL_S, lambda: self._end_without(fileno))

    def _end_without(self, terminal: int) -> None:
        """Not everybody who takes a terminal away says so; reading from it then never waits, and busies a core."""
        if not os.isatty(terminal):
            self._end(signal.SIGHUP)

    def _first_frame_is_drawn(self) -> None:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        self.engine.start(self._arrived)
        self.watch_own_theme()
        self.watch_whereabouts(False)

    def _end(self, number: int) -> None:
        """End, however it stands with the engine: without its terminal the app would go on unseen for ever."""
        last = threading.Timer(END_S, os._exit, [128 + number])
        last.daemon = True
        last.start()
        self.run_worker(self.leave(128 + number), group="leave", exclusive=True)

    async def action_leave(self) -> None:
        """Give locks back, stop runs, and end; asks when runs of this window are going."""
        mine = [view for view in self.snapshot.runs if view.alive and view.run.client == self.snapshot.client]
        going = sum(view.run.status == "running" for view in mine)
        self.run_worker(self._leave(going), group="leave", exclusive=True)

    async def action_quit(self) -> None:
        """Textual's own way out ends here, too."""
        await self.action_leave()

    async def _leave(self, going: int) -> None:
        if going:
            from flowide.tui.dialogs import Confirm

            runs = "A run goes on here" if going == 1 else f"{going} runs go on here"
            words = [[("It stops with its work saved, and can go on later.", "quiet")]]
            if not await self.push_screen_wait(Confirm(f"{runs}. Quit?", words, yes="quit")):
                return
        await self.leave(0)

    async def leave(self, code: int) -> None:
        """Store what was typed, give locks back, and end with an exit code."""
        if self._leaving:
            return
        self._leaving = True
        kept: list[str] = []
        for screen in self.screen_stack:
            if isinstance(screen, FlowScreen):
                with contextlib.suppress(FlowError):
                    kept += await screen.keep_text()
        self.remember()
        await self.engine.close()
        if self._terminal is not None and not os.isatty(self._terminal):
            os._exit(code)  # nothing is left to be put in order, and Textual would wait to write to it
        await self.end_pacing()
        self.exit(code, message=Text("\n".join(kept)) if kept else None)
        self._return_code = code

    async def _on_exit_app(self) -> None:
        """Whoever shows the app closes it, such as a browser its tab: that is quitting, too."""
        if not self._leaving:
            await self.leave(0)
        await super()._on_exit_app()

    def remember(self) -> None:
        """Keep what is open for the next time."""
        if self.root is not None and isinstance(self.screen_stack[0], Workspace):
            remember(self.screen_stack[0], self.remembered)
            save(self.root, self.remembered)

    def _handle_exception(self, error: Exception) -> None:
        """A mistake of the app's own ends it; whoever runs the app tells it without a traceback."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        self.crashed = cause if isinstance(cause, Exception) else error
        super()._handle_exception(error)
        self._exit_renderables.clear()

    # --- news ---------------------------------------------------------------------------------------

    def _arrived(self, news: News) -> None:
        if not self.is_running or self._leaving:
            return
        if news.snapshot is not None:
            before, self.snapshot = self.snapshot, news.snapshot
            self._tell_news(before, news.snapshot)
            self.book = colour_book(news.snapshot.seats, news.snapshot.me)
            if news.snapshot.standing is not None:
                self.watch_whereabouts(True)
        for warning in news.warnings:
            self.notify(warning, severity="warning", markup=False, timeout=8)
        if news.failed is not None:
            self._fail(news.failed)
            return
        if news.crashed is not None:
            try:
                raise news.crashed
            except Exception as error:
                self._handle_exception(error)
            return
        for screen in self.screen_stack:
            if isinstance(screen, FlowScreen) and screen.is_mounted:
                screen.on_news(news)
        if self._attached is not None and news.snapshot is not None:
            self._open_attached(self._attached)

    def _tell_news(self, before: Snapshot, after: Snapshot) -> None:
        """Say what has begun to wait: as a toast, and through the terminal when the person looks elsewhere."""
        if not before.head or before.head == after.head:
            return  # the first picture: what waits is listed
        from flowide.tui.views import waiting

        new = waiting.news(before, after)
        screen = self.screen
        for each in new[:3]:
            if not (isinstance(screen, FlowScreen) and screen.shows(each.item)):
                self.notify(
                    f"{clean(each.words)}  ^g", title="waits for you", severity="warning", markup=False
                )
        words = [each.words for each in new] or waiting.ended(before, after)
        if words and self._attention.is_elsewhere and self._driver is not None and not self.is_headless:
            self._driver.write(notifying.sequence(words[0], self.notifies, os.environ))

    async def on_event(self, event: events.Event) -> None:
        """Notes that somebody is here."""
        self._attention.note(event)
        await super().on_event(event)

    def _fail(self, error: FlowError) -> None:
        """Nothing works without the space: end, and say why on the terminal."""
        self._leaving = True
        self.exit(error.exit_code, message=Text(f"{error.message}\n{error.hint}".strip()))
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

    @property
    def workspace(self) -> Workspace | None:
        """The first screen."""
        return next((each for each in self.screen_stack if isinstance(each, Workspace)), None)

    @property
    def open_file(self) -> str | None:
        """Path of the file that is shown in the workspace."""
        opened = self.workspace.artifact.opened if self.workspace is not None else None
        return None if opened is None else opened.path

    def open_path(self, path: str) -> None:
        """Show a file in the workspace."""
        self._to_workspace()
        if self.workspace is not None:
            self.workspace.files.rescan()
            self.workspace.routes.open_file(path)

    def jump_to(self, thread: str, message: str | None) -> None:
        """Show a thread in the workspace, at a message."""
        self._to_workspace()
        if self.workspace is not None:
            self.workspace.talking.open(thread, message)

    def _to_workspace(self) -> None:
        while len(self.screen_stack) > 1 and not isinstance(self.screen, Workspace):
            self.pop_screen()

    def settling(self, artifact: str, begins: bool) -> None:
        """A conflict of an artifact is being settled, or was not: its lock may go while it is edited here."""
        if self.workspace is not None:
            self.workspace.artifact.settling(artifact, begins)

    def settled(self, artifact: str) -> None:
        """A conflict of an artifact is settled: what was being edited has gone where it was wanted."""
        if self.workspace is not None:
            self.workspace.artifact.settled(artifact)

    def open_item(self, item: Item) -> None:
        """Show what a row of the work list stands for, in the workspace."""
        self._to_workspace()
        if self.workspace is not None:
            self.workspace.routes.open_item(item)

    def action_waiting(self) -> None:
        """Everything that waits for the person."""
        from flowide.tui.screens.waiting import WaitingScreen

        if isinstance(self.screen, WaitingScreen):
            self.screen.dismiss()
        elif not isinstance(self.screen, ModalScreen):
            self.clear_notifications()
            self.push_screen(WaitingScreen())

    def action_decisions(self) -> None:
        """All decisions: open, agreed, superseded."""
        from flowide.tui.screens.decisions import DecisionsScreen

        if not isinstance(self.screen, DecisionsScreen | ModalScreen):
            self.push_screen(DecisionsScreen())

    async def edit_at(self, path: str, line: int) -> None:
        """Leave every screen for the editor of a file, at a line from 0."""
        self._to_workspace()
        if self.workspace is not None:
            self.workspace.artifact.edit_at(path, line)

    # --- commands -----------------------------------------------------------------------------------

    async def run_command(self, command: commands.Command) -> None:
        """Do what a row of the table says, on the screen it belongs to."""
        if command.where == "workspace":
            self._to_workspace()
        screen = self.screen
        await (
            screen.do_command(command)
            if isinstance(screen, FlowScreen)
            else screen.run_action(command.action)
        )

    def start_command(self, id: str) -> None:
        """Do what a row of the table says, after what is being done now."""
        self.call_later(self.run_command, commands.by_id(id))

    def action_go(self) -> None:
        """Wait for the letter after ctrl+o, and show what the letters are."""
        from flowide.tui.screens.go import GoScreen

        if not isinstance(self.screen, GoScreen):
            self.push_screen(GoScreen(), self._went)

    async def _went(self, command: commands.Command | None) -> None:
        if command is not None:
            await self.run_command(command)

    def action_help(self) -> None:
        """All keys of the present screen."""
        from flowide.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            where = self.screen.wheres if isinstance(self.screen, FlowScreen) else ("app",)
            self.push_screen(HelpScreen(where, min(76, self.size.width - 4) - 6))

    def action_commands(self) -> None:
        """Every command that makes sense now, by name."""
        from flowide.tui.screens.picker import Entry, Picker

        if isinstance(self.screen, ModalScreen):
            return
        wheres = self.screen.wheres if isinstance(self.screen, FlowScreen) else ("app",)
        wheres = wheres if "workspace" in wheres else (*wheres, "workspace")  # from there all else is reached
        entries = [
            Entry(each.id, each.title, each.help, commands.shown_key(each))
            for where in wheres
            for each in commands.of(where)
            if each.id != "app.palette"
        ]
        self.push_screen(Picker("Commands", entries), self._chosen)

    async def _chosen(self, id: str | None) -> None:
        if id is not None:
            await self.run_command(commands.by_id(id))
