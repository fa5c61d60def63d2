"""The files part of the workspace: the tree, its scan, and the fuzzy search."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from itertools import islice

from textual import events, work
from textual.containers import Vertical
from textual.widgets import Input

from flowide.errors import FlowError
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.spans import Row
from flowide.tui.views.tree import FileTree, Folder, More, filtered_rows
from flowide.tui.views.words import count
from flowide.tui.widgets.rows import RowsPane

MOST_FILES = 200_000
FOUND = 50


class FilesPart(FlowScreen):
    """What the workspace does with files."""

    def __init__(self) -> None:
        super().__init__()
        self.files = FileTree()
        self._scanned = False
        self._found: list[str] | None = None

    # --- to be given by the workspace ---------------------------------------------------------------

    def open_file(self, path: str) -> None:
        """Show a file."""
        raise NotImplementedError

    @property
    def current_path(self) -> str | None:
        """The file that is shown."""
        raise NotImplementedError

    # --- drawing ------------------------------------------------------------------------------------

    def draw_files(self) -> None:
        """The tree, or what the search found."""
        tree = self.query_one("#tree", RowsPane)
        if not self._scanned:
            tree.set_title([("FILES", "quiet b")])
            tree.show([Row((("Reading the folder…", "quiet"),))])
            return
        if self._found is not None:
            tree.set_title([("FOUND", "quiet b")], [(str(len(self._found)), "quiet")])
            rows = filtered_rows(self._found, self.snapshot, self.book)
            tree.show(rows or [Row((("Nothing like that.", "quiet"),))])
            return
        tree.set_title([("FILES", "quiet b")], [(f"{len(self.files.paths):,}", "quiet")])
        rows = self.files.rows(self.snapshot, self.book, self.current_path)
        tree.show(rows or [Row((("This folder is empty.", "quiet"),))])

    # --- scan ---------------------------------------------------------------------------------------

    def rescan(self) -> None:
        """Read the folder, off the loop that draws."""
        self._scan()

    def action_rescan(self) -> None:
        """Look again."""
        self._scan()

    @work(group="scan", exclusive=True)
    async def _scan(self) -> None:
        try:
            paths = await self.ask_engine(
                lambda session: asyncio.to_thread(lambda: list(islice(session.folder.scan(), MOST_FILES)))
            )
        except FlowError as error:
            self.tell(error)
            return
        self._scanned = True
        self.files.fill(paths)
        if len(paths) == MOST_FILES:
            self.say(f"Only the first {count(MOST_FILES, 'file')} are listed.")
        self.draw_files()
        tree = self.query_one("#tree", RowsPane)
        if tree.current is None:
            tree.action_end(-1)

    # --- choosing -----------------------------------------------------------------------------------

    def choose_file(self, key: Hashable) -> None:
        """Open a file, or open and close a folder."""
        if isinstance(key, Folder):
            self.files.toggle(key.path)
            self.draw_files()
        elif isinstance(key, More):
            self.files.show_more(key.folder)
            self.draw_files()
        elif isinstance(key, str):
            if self._found is not None:
                self.files.reveal(key)
                self._end_search()
                self.query_one("#tree", RowsPane).move_to(key)
            self.open_file(key)

    # --- search -------------------------------------------------------------------------------------

    async def action_find_file(self) -> None:
        """Type parts of a name."""
        fields = self.query("#find")
        if not fields:
            field = Input(placeholder="parts of a name", id="find", select_on_focus=False)
            field.cursor_blink = False
            await self.query_one("#files", Vertical).mount(field, before=0)
        box = self.query_one("#find", Input)
        box.add_class("-open")
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        if event.input.id == "find" and event.input.has_class("-open"):
            self._search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter opens the best one."""
        if event.input.id == "find":
            if self._found:
                self.choose_file(self._found[0])
            else:
                self._end_search()

    def on_key(self, event: events.Key) -> None:
        """esc ends the search, down goes into what was found."""
        box = self.query("#find.-open")
        if not box:
            return
        if event.key == "escape":
            event.stop()
            self._end_search()
            self.query_one("#tree", RowsPane).focus()
        elif event.key == "down" and box.first().has_focus:
            event.stop()
            self.query_one("#tree", RowsPane).focus()

    @work(group="search", exclusive=True)
    async def _search(self, typed: str) -> None:
        if not typed.strip():
            self._found = None
        else:
            paths = self.files.paths
            self._found = await asyncio.to_thread(find, typed, paths)
        self.draw_files()
        self.query_one("#tree", RowsPane).action_end(-1)

    def _end_search(self) -> None:
        self._found = None
        for box in self.query("#find").results(Input):
            box.remove_class("-open")
            box.value = ""
        self.draw_files()


def find(typed: str, paths: list[str]) -> list[str]:
    """The paths most like what was typed, best first; names count more than folders."""
    from rapidfuzz import fuzz, process, utils

    wanted = typed.strip().casefold()
    hits = process.extract(
        wanted,
        paths,
        scorer=fuzz.partial_ratio,
        processor=utils.default_process,
        limit=FOUND,
        score_cutoff=60,
    )

    def merit(hit: tuple[str, float, int]) -> tuple[bool, bool, float, int]:
        path = hit[0].casefold()
        name = path.rpartition("/")[2]
        return (wanted not in name, wanted not in path, -hit[1], len(path))

    return [path for path, _, _ in sorted(hits, key=merit)]
