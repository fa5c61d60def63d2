"""What all screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from flowide.tui import commands
from flowide.tui.desk import AtDesk
from flowide.tui.engine.news import News
from flowide.tui.pacing import PacedScreen
from flowide.tui.widgets.bars import HintBar

if TYPE_CHECKING:
    from flowide.domain.rows import Gate
    from flowide.tui.views.runs import Item
    from flowide.tui.views.snapshot import Looked

NARROW = 100
"""Below so many cells one pane, or one column, is shown at a time."""


class FlowScreen(AtDesk, PacedScreen, Screen[None]):
    """A full screen of the app."""

    wheres: ClassVar[tuple[str, ...]] = ("app",)
    """Places of the command table that belong to this screen."""

    @property
    def deaf(self) -> bool:
        """Whether no key means a command now, as a text field is about to open."""
        return False

    @property
    def typing(self) -> bool:
        """Whether what has the focus takes letters as text."""
        return self.focused is not None and self.focused.check_consume_key("x", "x")

    @property
    def left(self) -> bool:
        """Whether the screen was left: what was being read for it comes too late, and nothing is there to draw on."""
        return self not in self.app.screen_stack

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text is being typed, letters are letters."""
        if action == "by_key":
            return not self.deaf and not self.typing
        return True

    @property
    def is_gone(self) -> bool:
        """Whether it was left while something was being read for it."""
        return not self.is_attached or not self.query(HintBar)

    async def action_by_key(self, id: str) -> None:
        """Do what a row of the command table says."""
        await self.run_action(commands.by_id(id).action)

    async def do_command(self, command: commands.Command) -> None:
        """As `action_by_key`, from the palette, where a command of one of its panes can be chosen, too."""
        await self.run_action(command.action)

    def on_news(self, news: News) -> None:
        """Something happened in the space; draw what changed."""

    def shows(self, item: Item) -> bool:
        """Whether this screen shows something that waits, so that it need not be told."""
        gate = next((gate for gate in self.snapshot.gates if gate.id == item.ref), None)
        return gate is not None and self.is_about(gate)

    @property
    def looks_at(self) -> Looked | None:
        """What others are told that the person looks at; None = what is below this screen."""
        return None

    def is_about(self, gate: Gate) -> bool:
        """Whether this screen shows a question."""
        return False

    async def keep_text(self) -> list[str]:
        """Before the app ends: store what was typed and not saved; says where, a line for each text."""
        return []
