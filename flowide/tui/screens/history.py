"""The history of an artifact: its versions, what changed between two of them, where its lines come from."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.dialogs import Confirm
from flowide.tui.engine import history
from flowide.tui.engine.history import Pair, Past
from flowide.tui.engine.news import News
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.views.artifact import is_prose
from flowide.tui.views.hints import Hint
from flowide.tui.views.history import about, around_words, origin_line, version_rows, what
from flowide.tui.views.snapshot import Looked
from flowide.tui.views.spans import Row, Span, clean, shorten_path
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.diff import DiffView
from flowide.tui.widgets.origin import OriginView
from flowide.tui.widgets.rows import RowsPane


class HistoryScreen(FlowScreen):
    """Versions at the left; at the right what the one at the cursor changed, or where its lines come from."""

    wheres = ("history", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("history")
    AUTO_FOCUS = "#versions"

    def __init__(self, ref: str, *, version: int | None = None, origins: bool = False) -> None:
        """`ref` is a path or id; `version` the one to begin at, None = the newest."""
        super().__init__()
        self.ref = ref
        self.past: Past | None = None
        self.mark: int | None = None
        """The version that others are compared with; None = each with the one before it."""
        self.origins = origins
        """Show where pieces come from, not what changed."""
        self._wanted = version
        self._pair: Pair | None = None
        self._texts: dict[int, str] = {}
        """Texts of the versions that are shown."""
        self._text_has_keys = False

    @property
    def looks_at(self) -> Looked:
        return Looked(None if self.past is None else self.past.artifact.path)

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        with Horizontal(id="history"):
            yield RowsPane(id="versions")
            yield DiffView(id="diff")
            yield OriginView(id="origin")
        yield Bar(id="about", ground="surface")
        yield HintBar(id="hints")

    @property
    def versions(self) -> RowsPane:
        """The list."""
        return self.query_one("#versions", RowsPane)

    @property
    def diff(self) -> DiffView:
        """What changed."""
        return self.query_one(DiffView)

    @property
    def origin(self) -> OriginView:
        """Where the pieces come from."""
        return self.query_one(OriginView)

    @property
    def text(self) -> Widget:
        """What is shown at the right."""
        return self.origin if self.origins else self.diff

    @property
    def version(self) -> int | None:
        """The version at the cursor."""
        key = self.versions.current
        return key if isinstance(key, int) else None

    def on_mount(self) -> None:
        """Words first."""
        self.versions.show([Row((("Reading…", "quiet"),))])
        self._fit()
        self._draw_frame()
        self.reload()

    def on_resize(self, event: events.Resize) -> None:
        """One pane below 100 cells."""
        self._fit()
        self._draw_frame()

    def _fit(self) -> None:
        self.set_class(self.app.size.width < NARROW, "-narrow")
        self.set_class(self._text_has_keys, "-on-text")
        self.set_class(self.origins, "-origins")

    # --- reading ------------------------------------------------------------------------------------

    def on_news(self, news: News) -> None:
        """Somebody may have saved another version."""
        past = self.past
        if news.snapshot is None or past is None:
            return
        row = next((each for each in news.snapshot.artifacts if each.id == past.artifact.id), None)
        if row is not None and row.version != past.artifact.version:
            self.reload()

    @work(group="read", exclusive=True)
    async def reload(self) -> None:
        """Read the versions; the cursor stays on its version."""
        here = self._wanted or self.version
        at_newest = self.past is None or here == self.past.artifact.version
        try:
            past = await self.ask_engine(lambda session: history.read_past(session, self.ref))
        except FlowError as error:
            if self.left:
                return
            self.versions.show([])
            self.diff.say([[], [(clean(error.message), "warn")], [(clean(error.hint or ""), "quiet")]])
            return
        if self.left:
            return
        self.past = past
        self._draw_versions()
        self.versions.move_to(past.artifact.version if at_newest and self._wanted is None else here)
        self._wanted = None
        self._draw_frame()
        self.show_version()

    def _draw_versions(self) -> None:
        if self.past is not None:
            now = datetime.now().astimezone()
            rows = version_rows(self.past.versions, self.book, compared_with=self.mark, now=now)
            self.versions.set_title([("VERSIONS", "quiet b")], [(str(len(self.past.versions)), "quiet")])
            self.versions.show(rows)

    @on(RowsPane.Moved, "#versions")
    def show_version(self) -> None:
        """Read what the version at the cursor is about."""
        if self.origins:
            self._read_origins()
        else:
            self._read_pair()

    @work(group="text", exclusive=True)
    async def _read_pair(self) -> None:
        past, version = self.past, self.version
        if past is None or version is None:
            return
        before, after = (version - 1, version) if self.mark is None else (self.mark, version)
        if self.mark == version:
            before, after = version - 1, version
        if before > after:
            before, after = after, before
        try:
            pair = await self.ask_engine(
                lambda session: history.compare(session, past.artifact, before, after)
            )
        except FlowError as error:
            self.tell(error)
            return
        if self.left:
            return
        self._pair, self._texts = pair, {pair.before: pair.texts[0], pair.after: pair.texts[1]}
        if pair.found is None:
            self.diff.say([[], [("One of the two is not text, so there is no comparison.", "quiet")]])
        elif pair.found.same:
            self.diff.say([[], [(pair.found.line_ends or "Both have the same text.", "quiet")]])
        else:
            self.diff.show(pair.found, pair.colours, wraps=is_prose(past.artifact.path))
        self._draw_title()
        self._draw_frame()

    @work(group="text", exclusive=True)
    async def _read_origins(self) -> None:
        past, version = self.past, self.version
        if past is None or version is None:
            return
        self.origin.set_title([(f"v{version}", "b"), ("  where its lines come from", "quiet")], [])
        try:
            found = await self.ask_engine(lambda session: history.origins(session, past.artifact, version))
        except FlowError as error:
            self.tell(error)
            return
        if self.left:
            return
        self._texts = {version: found.text}
        if found.lines:
            self.origin.show(found.lines, found.colours, found.since, found.around, self.book)
        else:
            self.origin.say([[], [("This version is empty, or not text.", "quiet")]])
        self._draw_frame()

    # --- drawing ------------------------------------------------------------------------------------

    def _draw_title(self) -> None:
        pair, past = self._pair, self.past
        if pair is None or past is None:
            return
        old = f"v{pair.before}" if pair.before else "nothing"
        left: list[Span] = [(old, "b"), (" → ", "quiet"), (f"v{pair.after}", "b")]
        found = pair.found
        if found is not None and not found.same:
            left += [("   ", ""), (f"+{found.added}", "add"), (" ", "")]
            left.append((f"\N{MINUS SIGN}{found.removed}", "del"))
            if found.line_ends:
                left.append((f"   {found.line_ends}", "quiet"))
        how = "whole text" if self.diff.whole else "only what changed"
        self.diff.set_title(left, [(f"{how} ", "quiet")])

    def _draw_frame(self) -> None:
        past = self.past
        left: list[Span] = [(" history", "accent b")]
        if past is not None:
            left += [(" ▸ ", "quiet"), (shorten_path(clean(past.artifact.path), 60), "b")]
        right: list[Span] = []
        if self.mark is not None:
            right = [("compared with ", "quiet"), (f"v{self.mark} ", "accent b")]
        elif past is not None:
            right = [(count(len(past.versions), "version") + " ", "quiet")]
        self.query_one("#where", Bar).show(left, right)
        words: list[Span] = []
        version = None if past is None or self.version is None else past.version(self.version)
        right = []
        came = self.origin.came_with if self.origins else None
        if came is not None:
            words, right = origin_line(came, self.book), around_words(self.origin.around)
        elif version is not None and past is not None:
            words = about(version, past.commits.get(version.version))
            words += [(" · ", "quiet"), (what(version), "quiet i")]
        self.query_one("#about", Bar).show([(" ", ""), *words], right)
        self._draw_hints()

    def _draw_hints(self) -> None:
        leave_out = {"history.back"}
        if self.past is None or self.version in {None, self.past.artifact.version}:
            leave_out.add("history.restore")
        if self.origins:
            leave_out |= {"history.layout", "history.whole", "history.mark", "history.next"}
        elif not self._text_has_keys and self.has_class("-narrow"):
            leave_out |= {"history.layout", "history.whole", "history.next"}
        if self.diff.beside and not self.diff.is_beside:
            leave_out.add("history.layout")  # there is no room for it
        hints = commands.hints("history", leave_out=frozenset(leave_out))
        if self.diff.is_beside:
            hints = [Hint("d", "one below the other", "d") if hint.key == "d" else hint for hint in hints]
        if self.origins:
            hints = [Hint("b", "what changed", "b") if hint.key == "b" else hint for hint in hints]
        elif self.mark is not None and self.mark == self.version:
            hints = [Hint("m", "compare no more", "m") if hint.key == "m" else hint for hint in hints]
        if not self._text_has_keys:
            hints = [Hint("enter", "look", "enter"), *hints]
        elif self.origins:
            hints = [Hint("enter", "open it", "enter"), Hint("n", "next origin", "n"), *hints]
        self.query_one("#hints", HintBar).show_hints(hints, commands.tail("history"))

    # --- keys ---------------------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The hints belong to what has the keys."""
        self._text_has_keys = event.widget is not self.versions
        self._fit()
        self._draw_frame()

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter on a version: the keys go to its text."""
        event.stop()
        self.action_other_side()

    def action_other_side(self) -> None:
        """From the list to the text, or back."""
        self._text_has_keys = not self._text_has_keys
        self._fit()
        self.set_focus(self.text if self._text_has_keys else self.versions)
        self._draw_frame()

    def action_layout(self) -> None:
        """Beside each other, or below each other."""
        if not self.diff.is_beside and self.diff.beside:
            self.say("Side by side needs a wider window.")
            return
        self.diff.set_layout(beside=not self.diff.beside)
        self._draw_hints()

    def action_whole(self) -> None:
        """All lines, or only those around changes."""
        self.diff.set_layout(whole=not self.diff.whole)
        self._draw_title()

    def action_next(self, by: int) -> None:
        """The next change, or the next piece."""
        found = self.origin.next_origin(by) if self.origins else self.diff.next_change(by)
        if not found:
            self.say("That was the last one." if by > 0 else "That was the first one.")

    def action_mark(self) -> None:
        """Compare others with this version, or again each with the one before it."""
        self.mark = None if self.mark == self.version else self.version
        self._draw_versions()
        self.show_version()
        self._draw_frame()

    def action_origins(self) -> None:
        """Where the pieces come from, or what changed."""
        self.origins = not self.origins
        self._fit()
        if self._text_has_keys:
            self.set_focus(self.text)
        self.show_version()
        self._draw_frame()

    def on_origin_view_moved(self, event: OriginView.Moved) -> None:
        """Say where this line is from."""
        self._draw_frame()

    def on_origin_view_chosen(self, event: OriginView.Chosen) -> None:
        """The variation a line came with, else the version."""
        piece = event.origin
        if piece.set is not None:
            from flowide.tui.screens.grid import GridScreen

            self.app.push_screen(GridScreen(piece.set, number=piece.variation))
            return
        self.versions.move_to(piece.version)
        self.action_origins()

    @work(group="restore", exclusive=True)
    async def action_restore(self) -> None:
        """Ask, then make the newest version have this text."""
        past, version = self.past, self.version
        if past is None or version is None:
            return
        if version == past.artifact.version:
            self.say("This is the newest version already.")
            return
        newest = past.artifact.version
        words: list[list[Span]] = [
            [("It becomes version ", "quiet"), (f"v{newest + 1}", "b"), (", under the lock.", "quiet")],
            [("Nothing is lost: ", "quiet"), (f"v{newest}", "b"), (" stays in this list.", "quiet")],
        ]
        if not await self.app.push_screen_wait(Confirm(f"Restore v{version}?", words, yes="restore")):
            return
        try:
            made = await self.ask_engine(lambda session: history.restore(session, past.artifact, version))
        except FlowError as error:
            self.tell(error)
            return
        self.say(f"v{made} has the text of v{version}.", good=True)
        self._wanted = made
        if not self.left:
            self.reload()

    def to_copy(self) -> tuple[str, str]:
        """The text of the version at the cursor."""
        past, version = self.past, self.version
        if past is None or version is None:
            return "", ""
        name = PurePosixPath(past.artifact.path)
        return self._texts.get(version, ""), f"{name.stem}-v{version}{name.suffix}"

    def action_back(self) -> None:
        """From the text to the list where only one is shown, else to where one came from."""
        if self._text_has_keys and self.has_class("-narrow"):
            self.action_other_side()
        else:
            self.dismiss()
