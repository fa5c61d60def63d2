"""One thread: what was said, what is being said, and a prompt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.panes.thread_deeds import ThreadDeeds
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.thread import (
    Page,
    Spot,
    completions,
    empty_rows,
    thread_rows,
    thread_title,
)
from flowide.tui.widgets.bars import Bar
from flowide.tui.widgets.prompt import Prompt, PromptEdge
from flowide.tui.widgets.rows import RowsPane
from flowide.tui.widgets.thread_log import ThreadLog


class ThreadPane(ThreadDeeds):
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
        self.chosen = False
        """Whether a thread was opened, or begun, by the person."""
        self._page = Page(0, {})
        self._speaking = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield ThreadLog(id="messages")
        yield Bar(id="thread-words", ground="surface")
        with Horizontal(id="thread-foot"):
            yield PromptEdge()
            yield Prompt(id="say")

    @property
    def prompt(self) -> Prompt:
        """Where one types."""
        return self.query_one(Prompt)

    @property
    def draft(self) -> str:
        """What is typed and not sent."""
        return self.prompt.text

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
            self._unfolded, self._wanted, self._aim = frozenset(), None, None
            self.log_pane.show([])
        self.draw()
        self.reload()

    def open_last(self) -> None:
        """As long as the person has chosen none: the thread somebody spoke in last."""
        if not self.chosen and self.snapshot.threads and not self.prompt.text:
            self.open(self.snapshot.threads[0].id)

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

    # --- keys and clicks ----------------------------------------------------------------------------

    def action_thread_stop(self) -> None:
        """Stop the answer under the cursor, or the first one; with none, leave step by step."""
        turn = self.turn_here(self.writing)
        if turn is not None:
            self.stop_answer(turn)
        elif self.prompt.has_focus:
            self.log_pane.focus()
        else:
            self.post_message(self.Left())

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter or a click on a row."""
        event.stop()
        if isinstance(event.key, Spot) and event.key.kind == "earlier":
            self.read_earlier()
        elif isinstance(event.key, Spot) and event.key.kind == "code":
            self.fold(event.key)
