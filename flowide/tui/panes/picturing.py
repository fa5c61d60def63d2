"""The picture that is open in the artifact pane."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flowide.errors import BadInput
from flowide.tui.ink import ink_of
from flowide.tui.picture import is_picture, with_words

if TYPE_CHECKING:
    from flowide.tui.panes.base import Pane
    from flowide.tui.picture import Picture
    from flowide.tui.views.artifact import OpenArtifact
    from flowide.tui.views.spans import Span
    from flowide.tui.widgets.code import CodeView


class OpenPicture:
    """A picture as half blocks with what is known of it beside; words where it cannot be drawn."""

    def __init__(self, pane: Pane, code: CodeView) -> None:
        """It is drawn in the size of `code`, in the colours of the app of `pane`."""
        self._pane = pane
        self._code = code
        self._picture: Picture | None = None
        """What is open, when it is one."""
        self._not_drawn = ""
        """Why it is not drawn."""

    async def read(self, opened: OpenArtifact) -> None:
        """Read what is open, when it is a picture."""
        self._picture, self._not_drawn = None, ""
        root = self._pane.desk.root
        if opened.text is not None or root is None or not is_picture(opened.path):
            return
        from flowide.tui.picture import Picture

        try:
            self._picture = await asyncio.to_thread(Picture, root / opened.path)
        except BadInput as error:
            self._not_drawn = f"{error.message}{f': {error.hint}' if error.hint else '.'}"

    @property
    def lines(self) -> list[list[Span]]:
        """The picture in the size of the pane; nothing where there is none, or the terminal cannot show it."""
        app, code = self._pane.app, self._code
        if self._picture is None or ink_of(app).few:
            return []
        room = max(4, code.body_width - 4)
        drawn = self._picture.lines(room, max(2, code.body_height - 3), app.theme_variables["background"])
        return [[], *with_words(drawn, [[(self._picture.facts, "quiet")]], room)]

    @property
    def words(self) -> list[list[Span]]:
        """What is known of a picture that is not drawn, and why it is not."""
        if self._picture is not None:
            few = "This terminal has too few colours or signs to draw it."
            return [[(self._picture.facts, "quiet")], [(few, "quiet")]]
        return [[(self._not_drawn, "quiet")]] if self._not_drawn else []
