"""One thread: what was said, what is being said, and a prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.desk import AtDesk
from flowide.tui.engine.news import News
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.thread import (
    Page,
    Spot,
    Talk,
    completions,
    due_turns,
    empty_rows,
    thread_rows,
    thread_title,
)
from flowide.tui.widgets.bars import Bar
from flowide.tui.widgets.prompt import Prompt, PromptEdge
from flowide.tui.widgets.rows import RowsPane
from flowide.tui.widgets.thread_log import ThreadLog

if TYPE_CHECKING:
    from flowide.domain.rows import Decision, Turn

PAGE = 50
"""Messages that are read at first, and more each time one asks for earlier ones."""
TICK_S = 0.3
"""Seconds between looks at what another process writes."""


class ThreadPane(AtDesk, Vertical):
    """A thread with its prompt; without a thread, the place where one begins."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("thread")

    @dataclass
    class Left(Message):
        """The person is done here."""

    @dataclass
    class WentOn(Message):
        """Tab, with nothing to complete."""

    @dataclass
    class Changed(Message):
        """Other hints may be due."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.thread: str | None = None
        """None = one that is about to be opened."""
        self.chosen = False
        """Whether a thread was opened, or begun, by the person."""
        self.about: str | None = None
        """Path that a new thread is about."""
        self.talk: Talk | None = None
        self._limit = PAGE
        self._unfolded: frozenset[Spot] = frozenset()
        self._tick: Timer | None = None
        self._page = Page(0, {})
        self._speaking = asyncio.Lock()
        self._reading = self._behind = self._stale = False

    def compose(self) -> ComposeResult:
        yield ThreadLog(id="messages")
        yield Bar(id="thread-words", ground="surface")
        with Horizontal(id="thread-foot"):
            yield PromptEdge()
            yield Prompt(id="say")

    @property
    def log_pane(self) -> ThreadLog:
        """The messages."""
        return self.query_one(ThreadLog)

    @property
    def prompt(self) -> Prompt:
        """Where one types."""
        return self.query_one(Prompt)

    @property
    def keys_go_to(self) -> Widget:
        """What gets the keys when the pane does."""
        return self.prompt

    # --- what is shown ------------------------------------------------------------------------------

    def open(self, thread: str | None, about: str | None = None) -> None:
        """Show a thread, or the beginning of one about a path."""
        self.chosen = True
        if thread != self.thread or thread is None:
            self.thread, self.about, self.talk = thread, about, None
            self._limit, self._unfolded = PAGE, frozenset()
            self.log_pane.show([])
        self.draw()
        self.reload()

    def open_last(self) -> None:
        """As long as the person has chosen none: the thread somebody spoke in last."""
        if not self.chosen and self.snapshot.threads and not self.prompt.text:
            self.open(self.snapshot.threads[0].id)

    def on_news(self, news: News) -> None:
        """Something was committed or written."""
        if not self.display:
            return
        if self.thread is None:
            self.open_last()
            return
        if news.snapshot is not None or self.talk is None:
            self.reload()
        elif any(turn.state == "taken" for turn in self.talk.view.turns):
            self._read_soon()

    def reload(self) -> None:
        """Read the newest messages and what is being written."""
        self._stale = True
        self._read_soon()

    def _read_soon(self) -> None:
        self._behind = True
        if not self._reading:
            self._reading = True
            self._read()

    @work(group="thread")
    async def _read(self) -> None:
        """One read after the other, however fast the news come."""
        try:
            while self._behind:
                self._behind = False
                await self._read_once()
        except FlowError as error:
            self.tell(error)
        finally:
            self._reading = False

    async def _read_once(self) -> None:
        from flowide.tui.engine import talking

        thread, limit, talk = self.thread, self._limit, self.talk
        if thread is None:
            return
        if self._stale or talk is None:
            self._stale = False
            talk = await self.ask_engine(lambda session: talking.look(session, thread, limit))
        else:
            turns = talk.view.turns
            live = await self.ask_engine(lambda session: talking.live_texts(session, turns))
            talk = replace(talk, live=live)
        if thread == self.thread:
            self.talk = talk
            self.draw()
            self._watch(any(turn.state == "taken" for turn in talk.view.turns))

    def _watch(self, on: bool) -> None:
        """Look again soon while somebody writes, wherever that is."""
        if on and self._tick is None:
            self._tick = self.set_interval(TICK_S, self._read_soon)
        elif not on and self._tick is not None:
            self._tick.stop()
            self._tick = None

    def draw(self) -> None:
        """Everything, at the present width."""
        log = self.log_pane
        width = log.body_width
        left, right = thread_title(self.talk, self.about)
        if self.thread is not None and self.talk is None:
            left, right = [("THREAD", "quiet b")], []
        log.set_title(left, right)
        if self.talk is not None and self.talk.view.messages:
            page, known = Page(width, self.book, self._unfolded), self._page
            if (page.width, page.book, page.unfolded) != (known.width, known.book, known.unfolded):
                self._page = page
            log.show(thread_rows(self.talk, self._page))
        elif self.thread is None or self.talk is not None:
            log.show(empty_rows(self.about or (self.talk.view.path if self.talk else None), width))
        self._draw_words()
        self.post_message(self.Changed())

    def on_rows_pane_resized(self, event: RowsPane.Resized) -> None:
        """Lines break elsewhere."""
        event.stop()
        self.draw()

    def _draw_words(self) -> None:
        """The line above the prompt: what tab would make of the word at the cursor."""
        word, found = self._completions()
        edge: Span = ("▌", "accent") if self.prompt.has_focus else ("│", "hairline")
        spans: list[Span] = [edge, (" ", "")]
        if self.prompt.has_focus and found and found != [word]:
            spans += [("tab ", "key"), (clean(found[0]), "b")]
            spans += [(f"  {clean(each)}", "quiet") for each in found[1:4]]
        self.query_one("#thread-words", Bar).show(spans)

    def _completions(self) -> tuple[str, list[str]]:
        handles = [seat.handle for seat in self.snapshot.seats]
        paths = [each.path for each in self.snapshot.artifacts if not each.deleted]
        return completions(self.prompt.before, handles, paths)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The edge beside the prompt shows it."""
        self._light()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """The edge beside the prompt shows it."""
        self._light()

    def _light(self) -> None:
        self.query_one(PromptEdge).light(self.prompt.has_focus)
        self._draw_words()

    # --- speaking -----------------------------------------------------------------------------------

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Something was typed."""
        event.stop()
        self._draw_words()

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """The cursor is elsewhere."""
        event.stop()
        self._draw_words()

    def on_prompt_sent(self, event: Prompt.Sent) -> None:
        """Enter in the prompt."""
        event.stop()
        self.action_thread_send()

    def on_prompt_tabbed(self, event: Prompt.Tabbed) -> None:
        """Tab in the prompt."""
        event.stop()
        self.action_thread_complete()

    def action_thread_send(self) -> None:
        """Say what is typed."""
        text = self.prompt.text
        if text.strip():
            self.prompt.clear()
            self._send(text, self.thread)

    @work(group="say")
    async def _send(self, text: str, thread: str | None) -> None:
        """Post it, after what was sent before; what is refused comes back into the prompt."""
        from flowide.tui.engine import talking

        async with self._speaking:
            thread, about = thread or self.thread, self.about
            try:
                posted = await self.ask_engine(lambda session: talking.say(session, thread, text, about))
            except FlowError as error:
                self.tell(error)
                self.prompt.text = f"{text}\n{self.prompt.text}".rstrip("\n")
                self.prompt.move_cursor(self.prompt.document.end)
                return
            if self.thread == thread:
                self.thread = posted
                self.log_pane.to_end()
                self.reload()

    def action_thread_newline(self) -> None:
        """From the palette, as the prompt's own key."""
        self.prompt.action_newline()

    def action_thread_complete(self) -> None:
        """The word at the cursor, else the next pane."""
        word, found = self._completions()
        if self.prompt.has_focus and word and found and found != [word]:
            self.prompt.complete(word, found[0])
        else:
            self.post_message(self.WentOn())

    def action_thread_type(self) -> None:
        """To the prompt."""
        self.prompt.focus()

    # --- what the cursor is on ----------------------------------------------------------------------

    @property
    def spot(self) -> Spot | None:
        """What the cursor is on while the messages have the keys."""
        key = self.log_pane.current if self.log_pane.has_focus else None
        return key if isinstance(key, Spot) else None

    @property
    def writing(self) -> list[Turn]:
        """Answers that are due or being written, those being written first."""
        return due_turns(self.talk.view) if self.talk else []

    def _turn_here(self, turns: Sequence[Turn]) -> Turn | None:
        """The turn under the cursor, else the first."""
        spot = self.spot
        here = (each for each in turns if spot == Spot("turn", each.message, agent=each.agent))
        return next(here, turns[0] if turns else None)

    def action_thread_stop(self) -> None:
        """Stop the answer under the cursor, or the first one; with none, leave step by step."""
        turn = self._turn_here(self.writing)
        if turn is not None:
            self._end(turn)
        elif self.prompt.has_focus:
            self.log_pane.focus()
        else:
            self.post_message(self.Left())

    @work(group="stop")
    async def _end(self, turn: Turn) -> None:
        from flowide.tui.engine import talking

        try:
            await self.ask_engine(lambda session: talking.stop(session, turn))
        except FlowError as error:
            self.tell(error)

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter or a click on a row."""
        event.stop()
        if isinstance(event.key, Spot) and event.key.kind == "earlier":
            self._limit += 4 * PAGE
            self.reload()
        elif isinstance(event.key, Spot) and event.key.kind == "code":
            self._fold(event.key)

    def action_thread_unfold(self) -> None:
        """The block of code at the cursor, else the newest one."""
        spots = [
            row.key for row in self.log_pane.rows if isinstance(row.key, Spot) and row.key.kind == "code"
        ]
        spot = self.spot
        if spot is not None and spot.kind == "code":
            self._fold(spot)
        elif spots:
            self._fold(spots[-1])

    def _fold(self, spot: Spot) -> None:
        self._unfolded ^= {spot}
        self.draw()

    def action_thread_decide(self) -> None:
        """Agree to the decision at the cursor or put it up again; elsewhere agree to the newest open one."""
        decisions = self.talk.decisions if self.talk else ()
        spot = self.spot
        here = spot.ref if spot is not None and spot.kind == "decision" else None
        opened = [each for each in decisions if each.status == "open"]
        chosen = next((each for each in decisions if each.id == here), opened[-1] if opened else None)
        if chosen is None:
            self.say(
                "No decision is open in this thread. A paragraph that begins with Decision: puts one up."
            )
        else:
            self._decide(chosen)

    @work(group="decide")
    async def _decide(self, decision: Decision) -> None:
        from flowide.tui.engine import talking

        try:
            await self.ask_engine(lambda session: talking.decide(session, decision))
        except FlowError as error:
            self.tell(error)
            return
        self.say(
            f"D{decision.number} is {'agreed' if decision.status == 'open' else 'open again'}.", good=True
        )
        self.reload()

    def action_thread_retry(self) -> None:
        """Ask again who did not answer; else have written what is due."""
        turns = self.talk.view.turns if self.talk else []
        ended = [each for each in turns if each.state in {"failed", "stopped"}]
        turn = self._turn_here([*reversed(ended), *self.writing])
        if turn is None:
            self.say("Nobody owes an answer here.")
        else:
            self._retry(turn)

    @work(group="retry")
    async def _retry(self, turn: Turn) -> None:
        from flowide.tui.engine import talking

        try:
            await self.ask_engine(lambda session: talking.ask_again(session, turn))
        except FlowError as error:
            self.tell(error)
            return
        self.reload()
