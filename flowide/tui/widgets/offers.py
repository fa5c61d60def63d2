"""The list above a prompt: what the word at the cursor can become."""

from __future__ import annotations

from collections.abc import Sequence

from flowide.tui.views.offers import Offer, offer_rows
from flowide.tui.widgets.rows import RowsPane

MOST = 8
"""Rows that are shown at once; the others scroll."""


class Offers(RowsPane, can_focus=False):
    """The keys stay with the prompt, which moves the cursor here; a click chooses."""

    DEFAULT_CSS = "Offers { height: 0; display: none; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, ground="panel")
        self.always_lit = True
        self._found: list[Offer] = []

    def offer(self, found: Sequence[Offer]) -> None:
        """List these; none hides the list. The cursor goes to the first when they are others than before."""
        if list(found) == self._found:
            return
        self._found = list(found)
        self.display = bool(self._found)
        self.styles.height = min(len(self._found), MOST, max(2, self.app.size.height // 4))
        self.show(offer_rows(self._found))
        if self._found:
            self.action_end(-1)

    @property
    def here(self) -> Offer | None:
        """The one under the cursor, while they are listed."""
        return self.current if self._found and isinstance(self.current, Offer) else None
