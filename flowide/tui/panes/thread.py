"""One thread: what was said, what is being said, and a prompt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.panes.base import Pane
from flowide.tui.panes.thread_deeds import ThreadDeeds
from flowide.tui.panes.thread_reading import ThreadReader
from flowide.tui.views.offers import Offer, offers, refusal, slash_word
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.thread import Page, Spot, Talk, empty_rows, thread_rows, thread_title
from flowide.tui.widgets.bars import Bar
from flowide.tui.widgets.offers import Offers
from flowide.tui.widgets.prompt import Prompt, PromptEdge
from flowide.tui.widgets.rows import RowsPane
from flowide.tui.widgets.thread_log import ThreadLog

if TYPE_CHECKING:
    from flowide.domain.rows import Turn
    from flowide.tui.engine.news import News


class ThreadPane(Pane):
    """A thread with its prompt; without a thread, the place where one begins."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("thread")

    @dataclass
    class Left(Message):
        """The person is done here."""

    @dataclass
    class WentOn(Message):
        """Tab, with nothing to complete."""

    @dataclass
    class WantsFocus(Message):
        """A message is to be typed here, which is not shown."""

    @dataclass
    class Changed(Message):
        """Other hints may be due."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.log_pane = ThreadLog(id="messages")
        self.reading = ThreadReader(self, self.log_pane, self.draw)
        self.deeds = ThreadDeeds(self, self.reading, self.log_pane)
        self.chosen = False
        """Whether a thread was opened, or begun, by the person."""
        self._unfolded: frozenset[Spot] = frozenset()
        """Blocks of code that are shown whole."""
        self._page = Page(0, {})
        self._waved_off = ""
        """What was typed when the list of completions was closed."""
        self._speaking = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield self.log_pane
        yield Offers(id="offers")
        yield Bar(id="thread-words", ground="surface")
        with Horizontal(id="thread-foot"):
            yield PromptEdge()
            yield Prompt(id="say")

    @property
    def prompt(self) -> Prompt:
        """Where one types."""
        return self.query_one(Prompt)

    @property
    def thread(self) -> str | None:
        """Id of the thread that is shown; None = one that is about to be opened."""
        return self.reading.thread

    @property
    def talk(self) -> Talk | None:
        """What is known of it."""
        return self.reading.talk

    @property
    def writing(self) -> list[Turn]:
        """Answers that are due or being written, those being written first."""
        return self.deeds.writing

    @property
    def keys_go_to(self) -> Widget:
        """What gets the keys when the pane does."""
        return self.prompt

    @property
    def names_command(self) -> bool:
        """Whether enter does a command of the app."""
        here = self.query_one(Offers).here
        return here is not None and bool(here.command)

    # --- what is shown ------------------------------------------------------------------------------

    def open(self, thread: str | None, about: str | None = None) -> None:
        """Show a thread, or the beginning of one about a path."""
        self.chosen = True
        if thread != self.thread or thread is None:
            self.reading.turn_to(thread, about)
            self._unfolded = frozenset()
            self.log_pane.show([])
        self.draw()
        self.reading.reload()

    def open_last(self) -> None:
        """As long as the person has chosen none: the thread somebody spoke in last."""
        if not self.chosen and self.snapshot.threads and not self.prompt.text:
            self.open(self.snapshot.threads[0].id)

    def show_last(self) -> None:
        """The thread that was open, read anew; where none was, the one somebody spoke in last."""
        self.open_last()
        if not self.chosen:
            self.reading.about = self.desk.open_file
        self.draw()
        self.reading.reload()

    def on_news(self, news: News) -> None:
        """Something was committed or written."""
        if not self.display:
            return
        if self.thread is None:
            self.open_last()
        else:
            self.reading.on_news(news)

    @work(group="jump", exclusive=True)
    async def jump(self, message: str) -> None:
        """Go to a message, however long ago it was said."""
        await self.reading.jump(message)

    def on_thread_log_near_start(self, event: ThreadLog.NearStart) -> None:
        """Read on before the start is reached."""
        event.stop()
        self.reading.read_ahead()

    def fold(self, spot: Spot) -> None:
        """Show a block of code, or only its first line."""
        self._unfolded ^= {spot}
        self.draw()

    def draw(self) -> None:
        """Everything, at the present width."""
        log = self.log_pane
        width = log.body_width
        left, right = thread_title(self.talk, self.reading.about)
        if self.thread is not None and self.talk is None:
            left, right = [("THREAD", "quiet b")], []
        log.set_title(left, right)
        if self.talk is not None and self.talk.view.messages:
            page, known = Page(width, self.book, self._unfolded), self._page
            if (page.width, page.book, page.unfolded) != (known.width, known.book, known.unfolded):
                self._page = page
            log.show(thread_rows(self.talk, self._page))
        elif self.thread is None or self.talk is not None:
            log.show(empty_rows(self.reading.about or (self.talk.view.path if self.talk else None), width))
        self._draw_words()
        self.post_message(self.Changed())

    def on_rows_pane_resized(self, event: RowsPane.Resized) -> None:
        """Lines break elsewhere."""
        event.stop()
        if event.pane is self.log_pane:
            self.draw()

    def _draw_words(self) -> None:
        """The list above the prompt, and in the line below it what tab would make of the word at the cursor."""
        _, found = self._offers()
        listed = self.query_one(Offers)
        listed.offer(found if len(found) > 1 or (found and found[0].command) else [])
        self.prompt.choosing = listed.here is not None
        edge: Span = ("▌", "accent") if self.prompt.has_focus else ("│", "hairline")
        spans: list[Span] = [edge, (" ", "")]
        chosen = listed.here or (found[0] if found else None)
        if chosen is not None and chosen.command:
            spans += [("enter ", "key"), (chosen.whole, "b")]
        elif chosen is not None:
            spans += [("tab ", "key"), (clean(chosen.whole), "b")]
        self.query_one("#thread-words", Bar).show(spans)

    def _offers(self) -> tuple[str, list[Offer]]:
        """What the word at the cursor can become that it is not yet."""
        text = self.prompt.text
        if not self.prompt.has_focus or text == self._waved_off:
            return "", []
        word, found = offers(text, self.prompt.before, self.snapshot)
        return word, [] if [each.whole for each in found if not each.command] == [word] else found

    def on_prompt_moved(self, event: Prompt.Moved) -> None:
        """An arrow while completions are listed."""
        event.stop()
        self.query_one(Offers).action_move(event.by)
        self._draw_words()

    def close_offers(self) -> bool:
        """Hide the list of completions until something else is typed; whether there was one."""
        if self.query_one(Offers).here is None:
            return False
        self._waved_off = self.prompt.text
        self._draw_words()
        self.post_message(self.Changed())
        return True

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
        self._waved_off = self._waved_off if self.prompt.text == self._waved_off else ""
        was = self.prompt.choosing
        self._draw_words()
        if was != self.prompt.choosing:
            self.post_message(self.Changed())

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
        """Say what is typed; a command is done instead."""
        text = self.prompt.text
        if slash_word(text):
            self._command(text)
        elif text.strip():
            self.prompt.clear()
            self._send(text, self.thread)

    def _command(self, text: str) -> None:
        """Do the command that is named; one that is not there is told, and the words stay."""
        _, found = offers(text, text, self.snapshot)
        exact = next((each for each in found if each.whole == text.rstrip()), None)
        chosen = self.query_one(Offers).here or exact
        if chosen is None or not chosen.command:
            self.say(refusal(text))
        else:
            self._do_command(chosen)

    def _do_command(self, chosen: Offer) -> None:
        self.prompt.clear()
        self.desk.start_command(chosen.command)

    @work(group="say")
    async def _send(self, text: str, thread: str | None) -> None:
        """Post it, after what was sent before; what is refused comes back into the prompt."""
        from flowide.tui.engine import talking

        async with self._speaking:
            thread, about = thread or self.thread, self.reading.about
            try:
                posted = await self.ask_engine(lambda session: talking.say(session, thread, text, about))
            except FlowError as error:
                self.tell(error)
                self.prompt.text = f"{text}\n{self.prompt.text}".rstrip("\n")
                self.prompt.move_cursor(self.prompt.document.end)
                return
            if self.thread == thread:
                self.reading.thread = posted
                self.log_pane.to_end()
                self.reading.reload()

    def action_thread_newline(self) -> None:
        """From the palette, as the prompt's own key."""
        self.prompt.action_newline()

    def action_thread_complete(self) -> None:
        """The word at the cursor, else the next pane."""
        word, found = self._offers()
        if word and found:
            self._complete(word, self.query_one(Offers).here or found[0])
        else:
            self.post_message(self.WentOn())

    def _complete(self, word: str, chosen: Offer) -> None:
        self.prompt.complete(word, chosen.whole, space=not chosen.command)

    def action_thread_type(self) -> None:
        """To the prompt."""
        if self.display:
            self.prompt.focus()
        else:
            self.post_message(self.WantsFocus())

    # --- what can be done with what the cursor is on ------------------------------------------------

    @work(group="stop")
    async def action_thread_stop_one(self) -> None:
        """Stop one of several answers."""
        await self.deeds.stop_one()

    def action_thread_retry(self) -> None:
        """Ask again who did not answer."""
        self.deeds.retry()

    def action_thread_unfold(self) -> None:
        """Show or fold the block of code at the cursor, else the newest one."""
        spot = self.deeds.block()
        if spot is not None:
            self.fold(spot)

    @work(group="code", exclusive=True)
    async def action_thread_open_code(self) -> None:
        """Make a file or a variation of a block of code."""
        await self.deeds.open_code()

    def action_thread_decide(self) -> None:
        """Agree to a decision, or put it up again."""
        self.deeds.decide()

    @work(group="decide")
    async def action_thread_propose(self) -> None:
        """Put up what a message says."""
        await self.deeds.propose()

    @work(group="pin")
    async def action_thread_pin(self) -> None:
        """Have the open file in the context of every answer here, or no longer."""
        await self.deeds.pin()

    @work(group="told", exclusive=True)
    async def action_thread_told(self) -> None:
        """What agents would be told of what is typed; else what the author of the message was told."""
        await self.deeds.tell_context(self.prompt.text)

    # --- keys and clicks ----------------------------------------------------------------------------

    def action_thread_stop(self) -> None:
        """Close the list of completions; else stop the answer at the cursor or the first; else leave step by step."""
        if self.close_offers():
            return
        turn = self.deeds.turn_here(self.writing)
        if turn is not None:
            self.deeds.stop(turn)
        elif self.prompt.has_focus:
            self.log_pane.focus()
        else:
            self.post_message(self.Left())

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter or a click on a row."""
        event.stop()
        if isinstance(event.key, Offer):
            word, _ = self._offers()
            if event.key.command:
                self._do_command(event.key)
            elif word:
                self._complete(word, event.key)
        elif isinstance(event.key, Spot) and event.key.kind == "earlier":
            self.reading.read_earlier()
        elif isinstance(event.key, Spot) and event.key.kind == "code":
            self.fold(event.key)
