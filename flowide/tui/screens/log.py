"""The audit trail: who did what, as it happens; by whom, about what, about which file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from flowide.domain.events import Event
from flowide.errors import FlowError
from flowide.project.story import tell
from flowide.text import one_line
from flowide.tui import commands
from flowide.tui.dialogs import Ask, Show
from flowide.tui.engine.news import News
from flowide.tui.engine.reading import newest_events
from flowide.tui.highlight import Highlighter
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.views.grid_frame import wrapped
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row, Span, clean, lines_of
from flowide.tui.views.story import Place, Sieve, families, log_rows, place_of, sieve_spans
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.code import CodeView
from flowide.tui.widgets.rows import RowsPane

MOST = 2_000
"""Events that are listed, the newest ones; `flowide log` prints them all."""


class LogScreen(FlowScreen):
    """The newest events, and the one at the cursor in full. Gives back where to go, through `chosen`."""

    wheres = ("log", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("log")
    AUTO_FOCUS = "#log"

    def __init__(self, sieve: Sieve | None = None) -> None:
        super().__init__()
        self.sieve = sieve or Sieve()
        self.chosen: Place | None = None
        self._events: list[Event] = []
        self._head: int | None = None
        """Position up to which the log was read; None = not yet."""

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        with Horizontal(id="events"):
            yield RowsPane(id="log", ground="background", edge=False)
            yield CodeView(id="event")
        yield HintBar(id="hints")

    @property
    def rows(self) -> RowsPane:
        """The events."""
        return self.query_one("#log", RowsPane)

    @property
    def paths(self) -> Mapping[str, str]:
        """Path of each artifact, by id."""
        return {artifact.id: artifact.path for artifact in self.snapshot.artifacts}

    @property
    def event(self) -> Event | None:
        """The event at the cursor."""
        return next((each for each in self._events if each.seq == self.rows.current), None)

    def on_mount(self) -> None:
        """Read it."""
        self.set_class(self.app.size.width < NARROW, "-narrow")
        self.rows.show([Row((("Reading…", "quiet"),))])
        self._draw_frame()
        self.reload()

    def on_resize(self) -> None:
        """No room for an event in full beside the list."""
        self.set_class(self.app.size.width < NARROW, "-narrow")

    def on_news(self, news: News) -> None:
        """More has happened."""
        if news.snapshot is not None and self._head is not None:
            self.reload()

    @work(group="read", exclusive=True)
    async def reload(self) -> None:
        """Read what is newer than what is shown."""
        sieve, paths = self.sieve, self.paths
        after = self._head
        try:
            new, head = await self.ask_engine(
                lambda session: newest_events(session, after, MOST, sieve, paths)
            )
        except FlowError as error:
            self.tell(error)
            return
        if self.left:
            return
        first = self._head is None
        self._head = head
        self._events = new if first else [*self._events, *new][-MOST:]
        at_top = first or (self.rows.top == 0 and self.rows.cursor == 0)
        nothing = (
            "Nothing has happened yet." if self.sieve.open else "Nothing like that has happened. x shows all."
        )
        self.rows.show(log_rows(self._events, paths, self.book) or [Row(()), Row(((nothing, "quiet"),))])
        if at_top:
            self.rows.action_end(-1)
        self._draw_event()
        self._draw_frame()

    def _sift(self, sieve: Sieve) -> None:
        """Want other events."""
        if sieve != self.sieve:
            self.sieve, self._head, self._events = sieve, None, []
            self.rows.show([Row((("Reading…", "quiet"),))])
            self._draw_frame()
            self.reload()

    def _draw_frame(self) -> None:
        left: list[Span] = [(" log", "accent b"), *sieve_spans(self.sieve, self.paths)]
        right: list[Span] = []
        if self._head is not None:
            shown = f"{len(self._events):,} of ".replace(",", "\u202f")
            many = count(self._head, "event")
            right = [(f"{'' if len(self._events) == self._head else shown}{many} ", "quiet")]
        self.query_one("#where", Bar).show(left, right)
        leave_out = set() if not self.sieve.open else {"log.all"}
        if self.event is None or place_of(self.event) is None:
            leave_out.add("log.go")
        hints = commands.hints("log", leave_out=frozenset({"log.back", *leave_out}))
        self.query_one(HintBar).show_hints([Hint("enter", "in full", "enter"), *hints], commands.tail("log"))

    @on(RowsPane.Moved, "#log")
    def _draw_event(self) -> None:
        event, view = self.event, self.query_one(CodeView)
        if event is None:
            view.set_title([], [])
            view.show_empty([])
            return
        words = wrapped(one_line(tell(event, self.paths), 2_000), max(20, view.body_width - 7))
        lines = [*words, "", *event_lines(event)]
        view.set_title([(str(event.seq), "b"), (f"  {clean(event.type)}", "quiet")], [])
        view.go_to(0)
        view.show(lines, Highlighter(["" for _ in words] + lines[len(words) :], "json"))
        self._draw_frame()

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """The event as it is stored."""
        event.stop()
        found = self.event
        if found is not None:
            lines: list[list[Span]] = [[(line, "")] for line in event_lines(found)]
            self.app.push_screen(Show(f"{found.seq} {clean(found.type)}", lines))

    # --- keys ---------------------------------------------------------------------------------------

    def action_who(self) -> None:
        """Only what one actor did."""
        known = [seat.handle for seat in self.snapshot.seats]
        actors = dict.fromkeys([*(str(each.actor.get("id")) for each in self._events), *known])
        self._pick("Events by", "everybody", sorted(actors), self.sieve.actor, "actor")

    def action_what(self) -> None:
        """Only events of one kind."""
        self._pick("Events about", "everything", families(), self.sieve.family, "family")

    def action_file(self) -> None:
        """Only events about one file."""
        paths = sorted(self.paths.items(), key=lambda each: each[1])
        ids = [id for id, _ in paths]
        self._pick("Events about the file", "all files", ids, self.sieve.artifact, "artifact", dict(paths))

    def _pick(
        self,
        title: str,
        all_: str,
        ids: list[str],
        at: str,
        field: str,
        names: Mapping[str, str] | None = None,
    ) -> None:
        from flowide.tui.screens.picker import Entry, Picker

        entries = [Entry("", all_), *(Entry(id, clean((names or {}).get(id, id))) for id in ids)]

        def take(id: str | None) -> None:
            if id is not None:
                self._sift(msgspec.structs.replace(self.sieve, **{field: id}))

        self.app.push_screen(Picker(title, entries, at=at), take)

    def action_words(self) -> None:
        """Only events that say something."""

        def take(words: str | None) -> None:
            if words is not None:
                self._sift(msgspec.structs.replace(self.sieve, words=words))

        lines: list[list[Span]] = [
            [("They may be in what was done, in the type, or in who did it.", "quiet")]
        ]
        self.app.push_screen(
            Ask("Events with these words", lines, value=self.sieve.words, enter="show"), take
        )

    def action_all(self) -> None:
        """All events again."""
        self._sift(Sieve())

    def action_go(self) -> None:
        """To what the event is about."""
        place = None if self.event is None else place_of(self.event)
        if place is None:
            self.say("This event leads nowhere.")
        else:
            self.chosen = place
            self.dismiss()

    def to_copy(self) -> tuple[str, str]:
        """The event at the cursor."""
        event = self.event
        return (
            ("", "") if event is None else ("\n".join([*event_lines(event), ""]), f"event-{event.seq}.json")
        )

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()


def event_lines(event: Event) -> list[str]:
    """An event as it is stored."""
    return lines_of(json.dumps(msgspec.to_builtins(event), indent=2, ensure_ascii=False))
