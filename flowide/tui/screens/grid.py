"""The variation grid: compare, pick, blend, short-list, accept."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from flowide.errors import FlowError
from flowide.space.queries import VariationView
from flowide.tui import commands
from flowide.tui.dialogs import Show
from flowide.tui.engine import mixing
from flowide.tui.engine.news import News
from flowide.tui.highlight import Highlighter, language_of
from flowide.tui.rereading import Rereading
from flowide.tui.screens import grid_mixing
from flowide.tui.screens import grid_steps as steps
from flowide.tui.screens.base import FlowScreen
from flowide.tui.screens.pieces import PiecesScreen
from flowide.tui.views.actors import working
from flowide.tui.views.grid import Column, Grid
from flowide.tui.views.grid_frame import about_lines, top_bar
from flowide.tui.views.grid_state import GridState
from flowide.tui.views.hints import Hint
from flowide.tui.views.lineage import from_words
from flowide.tui.views.snapshot import Looked
from flowide.tui.views.sorting import NUMBER, ordered
from flowide.tui.views.spans import Span
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.grid import GridView

if TYPE_CHECKING:
    from flowide.domain.rows import Gate

STREAM_S = 0.1
"""Seconds between looks at what is being written, while something is."""


class GridScreen(FlowScreen):
    """One variation set."""

    wheres = ("grid", "app")
    BINDINGS: ClassVar[list[BindingType]] = [
        *commands.bindings("grid"),
        Binding("up,k", "row(-1)", show=False),
        Binding("down,j", "row(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(-1)", show=False),
        Binding("end", "edge(1)", show=False),
        *[Binding(str(digit), f"number({digit})", show=False) for digit in range(1, 10)],
    ]

    def __init__(self, set_id: str, *, number: int | None = None) -> None:
        """`number` is the variation to go to; None = the first."""
        super().__init__()
        self.set_id = set_id
        self.state: GridState | None = None
        self.view: GridView | None = None
        self._known: dict[str, Column] = {}
        self._stream: Timer | None = None
        self.wanted = number
        """Number of the variation to go to as soon as it is there."""
        self._rereading = Rereading(self._read, pause_s=STREAM_S)
        self.order = NUMBER
        """Of the columns."""

    @property
    def looks_at(self) -> Looked:
        return Looked(None if self.state is None else self.state.grid.group.path)

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield Bar(id="empty", ground="background")
        yield Bar(id="piece", ground="surface")
        yield Bar(id="mix", ground="surface")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Words first, columns as soon as they are read."""
        self.query_one("#empty", Bar).styles.height = "1fr"
        self._draw_frame()
        self.reload()

    # --- reading ------------------------------------------------------------------------------------

    def on_news(self, news: News) -> None:
        """Read the set again when something was committed or written."""
        if news.snapshot is not None or news.texts:
            self.reload()

    @work(group="read")
    async def reload(self) -> None:
        """Read the set again."""
        try:
            await self._rereading.again()
        except FlowError as error:
            self.tell(error)

    async def _read(self) -> None:
        await self._take(
            await self.ask_engine(lambda session: mixing.read_grid(session, self.set_id, self._known))
        )

    async def _take(self, grid: Grid) -> None:
        if self.left:
            return
        if self.state is None or self.view is None:
            if not grid.columns:
                self._draw_frame(grid)
                return
            self.state = GridState(grid)
            self.view = GridView(self.state, self.book, id="grid")
            await self._colour(grid)
            await self.mount(self.view, after="#where")
            self.query_one("#empty", Bar).remove()
            self.view.focus()
            self.state.next_piece(1)
        else:
            self.state.replace(ordered(grid, self.order))
            self.view.book = self.book
            await self._colour(grid)
        if self.wanted is not None and grid.numbered(self.wanted) is not None:
            self.state.focus_number(self.wanted)
            self.wanted = None
        self.draw()
        self._follow_streams(grid)

    async def _colour(self, grid: Grid) -> None:
        """Parse what is new, in a thread."""
        assert self.view is not None
        language = language_of(grid.group.path or "")
        known = self.view.colours
        for column in grid.columns:
            if column.key not in known and not column.streaming:
                known[column.key] = await asyncio.to_thread(Highlighter, column.lines, language)

    def _follow_streams(self, grid: Grid) -> None:
        """Runs of other processes send no news of their words: look while they write."""
        writing = any(column.streaming for column in grid.columns)
        if writing and self._stream is None:
            self._stream = self.set_interval(STREAM_S * 3, self.reload)
        elif not writing and self._stream is not None:
            self._stream.stop()
            self._stream = None

    # --- drawing ------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Everything, from the state."""
        if self.view is not None:
            self.view.refresh_state()
        self._draw_frame()

    def _draw_frame(self, empty: Grid | None = None) -> None:
        state = self.state
        grid = state.grid if state is not None else empty
        shown = self.view.shown_columns() if self.view is not None else []
        top: tuple[list[Span], list[Span]] = ([(" variations", "accent b")], [])
        if grid is not None:
            focus = state.focus if state is not None else 0
            top = top_bar(grid, shown, focus, working(self.snapshot), self.app.size.width)
        if self.order != NUMBER:
            top[0].append((f" · by {self.order}", "accent"))
        self.query_one("#where", Bar).show(*top)
        if state is None:
            words: list[Span] = [("   Reading…", "quiet")]
            if empty is not None:
                words = [
                    ("   The agents are about to write; each variation shows here as it comes.", "quiet")
                ]
            for bar in self.query("#empty").results(Bar):
                bar.show(words)
            self.query_one("#hints", HintBar).show_hints([Hint("esc", "back", "escape")])
            return
        number = state.grid.group.count + 1
        self.query_one("#mix", Bar).show(*state.mix_bar(number))
        right: list[Span] = []
        if self.view is not None:
            right = [(f"{self.view.place + 1}/{self.view.line_count()} ", "quiet")]
        gate = self.snapshot.gate_of_set(self.set_id)
        if gate is not None:
            right = [("? ", "warn b"), ("the run waits: accept one, or ask for more ", "warn")]
        words = state.piece_words()
        if state.column is not None and state.piece is not None:
            words += from_words(state.grid, state.column, state.piece.name, self.book)
        self.query_one("#piece", Bar).show([(" ", ""), *words], right)
        leave_out = {"grid.back"} if state.picks else {"grid.back", "grid.build", "grid.undo"}
        hints = commands.hints("grid", leave_out=frozenset(leave_out))
        self.query_one("#hints", HintBar).show_hints(hints, commands.tail("grid"))

    def on_resize(self, event: events.Resize) -> None:
        """Other columns fit."""
        self.draw()

    # --- moving -------------------------------------------------------------------------------------

    def action_column(self, by: int) -> None:
        """Another column, at the same line."""
        if self.state is not None:
            self.state.move_column(by)
            self.draw()

    def action_number(self, number: int) -> None:
        """The column of a variation."""
        if self.state is not None:
            self.state.focus_number(number)
            self.draw()

    def action_row(self, by: int) -> None:
        """A line up or down."""
        if self.view is not None:
            self.view.move(by)
            self.draw()

    def action_page(self, by: int) -> None:
        """A page up or down."""
        if self.state is not None and self.view is not None:
            self.view.move(by * max(1, self.view.body_height - 2))
            self.draw()

    def action_edge(self, by: int) -> None:
        """The first or last line."""
        if self.view is not None:
            self.view.move(by * self.view.line_count())
            self.draw()

    def action_piece(self, by: int) -> None:
        """The next or previous piece of the column."""
        if self.state is not None:
            self.state.next_piece(by)
            self.draw()
            if self.view is not None:
                self.view.show_piece()

    def on_grid_view_pointed(self, event: GridView.Pointed) -> None:
        """A click moves there."""
        if self.state is not None:
            self.state.focus = event.column
            if event.row is not None:
                self.state.cursor = event.row
            self.draw()

    def action_diff(self) -> None:
        """Show what was taken away, too."""
        if self.state is not None:
            self.state.diff = not self.state.diff
            self.draw()

    def action_pin(self) -> None:
        """Keep the column at the left, or let it go."""
        if self.state is not None and self.state.column is not None:
            key = self.state.column.key
            self.state.pinned = None if self.state.pinned == key else key
            self.draw()

    def is_about(self, gate: Gate) -> bool:
        return gate.context.get("set") == self.set_id

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()

    # --- mixing -------------------------------------------------------------------------------------

    def action_pick(self) -> None:
        """Take the piece at the cursor, or put it back."""
        if self.state is not None:
            self._mixed(self.state.toggle_pick())

    def action_base(self) -> None:
        """The column becomes the base."""
        if self.state is not None:
            self._mixed(self.state.set_base())

    def action_undo_pick(self) -> None:
        """Put the last one back."""
        if self.state is not None:
            self.state.undo_pick()
            self._mixed("")

    def _mixed(self, refused: str) -> None:
        if refused:
            self.say(refused)
        self.draw()
        if self.state is not None and self.state.picks:
            self._preview()

    @work(group="preview", exclusive=True)
    async def _preview(self) -> None:
        await grid_mixing.preview(self)

    @work(group="build", exclusive=True)
    async def action_build(self) -> None:
        """Show what the blend would lack, then build it."""
        await grid_mixing.build(self)

    # --- opinions and next steps ----------------------------------------------------------------------

    def variation(self) -> VariationView | None:
        """The finished variation with the keys; says so when it is not finished."""
        column = self.state.column if self.state is not None else None
        if column is None or column.view is None:
            self.say("This one is not finished yet.")
            return None
        return column.view

    @work(group="opinion")
    async def action_shortlist(self) -> None:
        """On the short list, or off it."""
        view = self.variation()
        if view is not None:
            number, on = view.variation.number, not view.variation.shortlisted
            await self.do(lambda session: mixing.shortlist(session, self.set_id, number, on))

    @work(group="opinion")
    async def action_reject(self) -> None:
        """Set aside, or take back in."""
        view = self.variation()
        if view is not None:
            number, on = view.variation.number, not view.variation.rejected
            await self.do(lambda session: mixing.reject(session, self.set_id, number, on))

    async def do(self, wanted: mixing.Opinion) -> bool:
        """Have the engine do something about the set; whether it was done."""
        try:
            await self.ask_engine(wanted)
        except FlowError as error:
            self.tell(error)
            return False
        self.reload()
        return True

    def action_sort(self) -> None:
        """Ask by what the columns are to be ordered."""
        steps.sort(self)

    def action_lineage(self) -> None:
        """Where the variation and its pieces come from."""
        steps.lineage(self)

    def to_copy(self) -> tuple[str, str]:
        """The piece at the cursor; where there is none, the whole variation."""
        column, piece = (self.state.column, self.state.piece) if self.state is not None else (None, None)
        if column is None or self.state is None:
            return "", ""
        name = PurePosixPath(self.state.grid.group.path or "variation.txt")
        text = column.text
        if piece is not None:
            text = column.text.encode()[piece.start : piece.end].decode(errors="replace")
        return text, f"{name.stem}-{column.number or column.actor}{name.suffix}"

    def action_checks(self) -> None:
        """The output of the checks, the critique, the notes."""
        column = self.state.column if self.state is not None else None
        if self.variation() is not None and column is not None:
            lines = about_lines(column, min(76, self.size.width) - 6)
            self.app.push_screen(Show(f"Variation {column.number}", lines))

    def action_pieces(self) -> None:
        """Which pieces are the same where."""
        if self.state is not None:
            self.app.push_screen(PiecesScreen(self.state), lambda _: self._mixed(""))

    @work(group="opinion")
    async def action_note(self) -> None:
        """Say something about the variation."""
        await steps.note(self)

    @work(group="opinion")
    async def action_tag(self) -> None:
        """Give it words of one's own."""
        await steps.tag(self)

    @work(group="more", exclusive=True)
    async def action_more(self) -> None:
        """Another round, made from the short list and the notes."""
        await steps.more(self)

    @work(group="accept", exclusive=True)
    async def action_accept(self) -> None:
        """Save the variation as the next version."""
        await steps.accept(self)
