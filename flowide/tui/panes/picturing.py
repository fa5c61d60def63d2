"""The part of the artifact pane that draws pictures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.widget import Widget

from flowide.errors import BadInput
from flowide.tui.desk import AtDesk
from flowide.tui.ink import ink_of
from flowide.tui.picture import is_picture, with_words
from flowide.tui.views.artifact import OpenArtifact
from flowide.tui.views.spans import Span
from flowide.tui.widgets.code import CodeView

if TYPE_CHECKING:
    from flowide.tui.picture import Picture


class ShowsPictures(AtDesk, Widget):
    """A picture as half blocks with what is known of it beside; words where it cannot be drawn."""

    _picture: Picture | None = None
    """What is open, when it is one."""
    _not_drawn = ""
    """Why it is not drawn."""

    async def read_picture(self, opened: OpenArtifact) -> None:
        """Read what is open, when it is a picture."""
        self._picture, self._not_drawn = None, ""
        root = self.desk.root
        if opened.text is not None or root is None or not is_picture(opened.path):
            return
        from flowide.tui.picture import Picture

        try:
            self._picture = await asyncio.to_thread(Picture, root / opened.path)
        except BadInput as error:
            self._not_drawn = f"{error.message}{f': {error.hint}' if error.hint else '.'}"

    @property
    def picture_lines(self) -> list[list[Span]]:
        """The picture in the size of the pane; nothing where there is none, or the terminal cannot show it."""
        if self._picture is None or ink_of(self.app).few:
            return []
        code = self.query_one("#code", CodeView)
        room = max(4, code.body_width - 4)
        ground = self.app.theme_variables["background"]
        drawn = self._picture.lines(room, max(2, code.body_height - 3), ground)
        return [[], *with_words(drawn, [[(self._picture.facts, "quiet")]], room)]

    @property
    def picture_words(self) -> list[list[Span]]:
        """What is known of a picture that is not drawn, and why it is not."""
        if self._picture is not None:
            few = "This terminal has too few colours or signs to draw it."
            return [[(self._picture.facts, "quiet")], [(few, "quiet")]]
        return [[(self._not_drawn, "quiet")]] if self._not_drawn else []
