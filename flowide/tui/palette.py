"""The command palette, fed from the command table."""

from __future__ import annotations

from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from flowide.tui import commands
from flowide.tui.screens.base import FlowScreen


class Runner(Protocol):
    """The app, as the palette knows it."""

    async def run_command(self, command: commands.Command) -> None:
        """Do what a row of the table says."""
        ...


class TableCommands(Provider):
    """Every command that makes sense on the present screen."""

    def _rows(self) -> list[commands.Command]:
        screen = self.screen
        wheres = screen.wheres if isinstance(screen, FlowScreen) else ("app",)
        return [command for command in commands.COMMANDS if command.where in wheres]

    def _help(self, command: commands.Command) -> str:
        key = commands.shown_key(command)
        return "  ".join(part for part in (key, command.help) if part)

    async def discover(self) -> Hits:
        app = cast(Runner, self.app)
        for command in self._rows():
            yield DiscoveryHit(command.title, partial(app.run_command, command), help=self._help(command))

    async def search(self, query: str) -> Hits:
        app = cast(Runner, self.app)
        matcher = self.matcher(query)
        for command in self._rows():
            score = matcher.match(f"{command.title} {command.help}")
            if score > 0:
                shown = matcher.highlight(command.title)
                yield Hit(score, shown, partial(app.run_command, command), help=self._help(command))
