"""The project's files: the tree, its scan, and the fuzzy search."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

from textual import events, work
from textual.app import ComposeResult
from textual.message import Message

from flowide.errors import FlowError
from flowide.tui.panes.base import Pane
from flowide.tui.views.finding import find
from flowide.tui.views.spans import Row
from flowide.tui.views.tree import FileTree, Folder, More, filtered_rows
from flowide.tui.views.words import count
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from textual.widgets import Input

MOST_FILES = 200_000


class FilesPane(Pane):
    """The tree; while something is searched, what was found."""

    @dataclass
    class Picked(Message):
        """A file is to be opened."""

        path: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.files = FileTree()
        self.current: str | None = None
        """The file that is shown beside the tree."""
        self._scanned = asyncio.Event()
        self._found: list[str] | None = None

    def compose(self) -> ComposeResult:
        yield RowsPane(id="tree")

    def on_mount(self) -> None:
        """The field for a search can come after the first frame."""
        self.call_after_refresh(self._add_box)

    async def _add_box(self) -> None:
        from flowide.tui.widgets.field import Field

        field = Field(placeholder="parts of a name", id="find")
        field.display = False
        await self.mount(field, before=0)

    @property
    def rows(self) -> RowsPane:
        """The rows."""
        return self.query_one("#tree", RowsPane)

    @property
    def scanned(self) -> bool:
        """Whether the folder was read."""
        return self._scanned.is_set()

    # --- drawing ------------------------------------------------------------------------------------

    def draw(self) -> None:
        """The tree, or what the search found."""
        if not self.scanned:
            self.rows.set_title([("FILES", "quiet b")])
            self.rows.show([Row((("Reading the folder…", "quiet"),))])
            return
        if self._found is not None:
            self.rows.set_title([("FOUND", "quiet b")], [(str(len(self._found)), "quiet")])
            rows = filtered_rows(self._found, self.snapshot, self.book)
            self.rows.show(rows or [Row((("Nothing like that.", "quiet"),))])
            return
        self.rows.set_title([("FILES", "quiet b")], [(f"{len(self.files.paths):,}", "quiet")])
        rows = self.files.rows(self.snapshot, self.book, self.current)
        self.rows.show(rows or [Row((("This folder is empty.", "quiet"),))])

    def mark(self, path: str | None) -> None:
        """Show which file is open."""
        if path != self.current:
            self.current = path
            if path is not None:
                self.files.reveal(path)
        self.draw()

    # --- scan ---------------------------------------------------------------------------------------

    @work(group="scan", exclusive=True)
    async def rescan(self) -> None:
        """Read the folder, off the loop that draws."""
        try:
            paths = await self.ask_engine(
                lambda session: asyncio.to_thread(lambda: list(islice(session.folder.scan(), MOST_FILES)))
            )
        except FlowError as error:
            self.tell(error)
            return
        await asyncio.to_thread(self.files.fill, paths)
        self._scanned.set()
        if len(paths) == MOST_FILES:
            self.say(f"Only the first {count(MOST_FILES, 'file')} are listed.")
        self.draw()
        if self.rows.current is None:
            self.rows.action_end(-1)

    # --- choosing -----------------------------------------------------------------------------------

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter or a click in the tree."""
        event.stop()
        self.choose(event.key)

    def choose(self, key: Hashable) -> None:
        """Open a file, or open and close a folder."""
        if isinstance(key, Folder):
            self.files.toggle(key.path)
            self.draw()
        elif isinstance(key, More):
            self.files.show_more(key.folder)
            self.draw()
        elif isinstance(key, str):
            if self._found is not None:
                self.files.reveal(key)
                self._end_search()
                self.rows.move_to(key)
            self.post_message(self.Picked(key))

    # --- search -------------------------------------------------------------------------------------

    @property
    def box(self) -> Input:
        """Where parts of a name are typed."""

        return cast("Input", self.query_one("#find"))

    def search(self) -> None:
        """Let parts of a name be typed."""
        if not self.query("#find"):
            return  # the first frame is being drawn still
        self.box.display = True
        self.screen.set_focus(self.box)  # at once: what is typed next belongs there

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        event.stop()
        if event.input.display:
            self._search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter opens the best one."""
        event.stop()
        if event.value.strip():
            self._open_best(event.value)
        else:
            self._end_search()
            self.screen.set_focus(self.rows)

    def on_key(self, event: events.Key) -> None:
        """esc ends the search, down goes into what was found."""
        if not self.query("#find") or not self.box.display:
            return
        if event.key == "escape":
            event.stop()
            self._end_search()
            self.screen.set_focus(self.rows)
        elif event.key == "down" and self.box.has_focus:
            event.stop()
            self.screen.set_focus(self.rows)

    @work(group="search", exclusive=True)
    async def _search(self, typed: str) -> None:
        self._found = await self._find(typed) if typed.strip() else None
        self.draw()
        self.rows.action_end(-1)

    @work(group="search", exclusive=True)
    async def _open_best(self, typed: str) -> None:
        """For those who type faster than the list is drawn: search for exactly what stands there."""
        self._found = await self._find(typed)
        self.draw()
        if self._found:
            self.choose(self._found[0])

    async def _find(self, typed: str) -> list[str]:
        await self._scanned.wait()
        return await asyncio.to_thread(find, typed, self.files.paths)

    def _end_search(self) -> None:
        self._found = None
        if not self.query("#find"):
            return
        self.box.display = False
        self.box.value = ""
        self.draw()
