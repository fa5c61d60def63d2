"""The part of the workspace that has to do with threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from flowide.tui.desk import AtDesk
from flowide.tui.panes.artifact import ArtifactPane
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import clean

if TYPE_CHECKING:
    from flowide.tui.panes.thread import ThreadPane


_MESSAGES_ONLY = frozenset(
    {
        "thread.type",
        "thread.unfold",
        "thread.code",
        "thread.decide",
        "thread.propose",
        "thread.retry",
        "decisions.open",
    }
)
"""Commands whose keys are letters, so that they cannot be pressed while a message is typed."""


class Talks(AtDesk, Screen[None]):
    """Opens threads, and passes on what the palette asks of the thread that is open."""

    can_talk = False
    """The pane of threads is there: it comes after the first frame, which it would hold up."""

    async def mount_thread(self) -> None:
        """Bring the pane of threads."""
        from flowide.tui.panes.thread import ThreadPane

        await self.query_one("#panes").mount(ThreadPane(id="thread"))
        self.can_talk = True

    @property
    def thread(self) -> ThreadPane:
        """The thread that is open; not before `can_talk`."""
        return cast("ThreadPane", self.query_one("#thread"))

    @property
    def artifact(self) -> ArtifactPane:
        """What is open."""
        return self.query_one(ArtifactPane)

    def show_pane(self, pane: str) -> None:
        """Give a pane the keys."""
        raise NotImplementedError

    def action_new_thread(self) -> None:
        """About the open file, or about nothing in particular."""
        if not self.can_talk:
            self.call_after_refresh(self.action_new_thread)
            return
        opened = self.artifact.opened
        self.thread.open(None, opened.path if opened is not None else None)
        self.show_pane("thread")

    def open_thread(self, thread: str) -> None:
        """Show a thread."""
        if not self.can_talk:
            self.call_after_refresh(self.open_thread, thread)
            return
        self.thread.open(thread)
        self.show_pane("thread")

    def open_decision(self, decision: str) -> None:
        """Show a decision where it was proposed."""
        found = next((each for each in self.snapshot.decisions if each.id == decision), None)
        if found is None or found.thread is None:
            self.say("It belongs to no thread; `flowide decisions` lists it.")
            return
        self.open_thread(found.thread)
        if found.message is not None and self.can_talk:
            self.thread.jump(found.message)

    def action_decisions(self) -> None:
        """All decisions: open, agreed, superseded."""
        from flowide.tui.screens.decisions import DecisionsScreen

        self.app.push_screen(DecisionsScreen())

    def action_list_threads(self) -> None:
        """Choose one by its title."""
        from flowide.tui.screens.picker import Entry, Picker

        if not self.snapshot.threads:
            self.say("There are no threads yet. Press t to begin one.")
            return
        paths = {each.id: each.path for each in self.snapshot.artifacts}
        entries = [
            Entry(each.id, clean(each.title), clean(paths.get(each.about or "", "")), str(each.count))
            for each in self.snapshot.threads
        ]
        self.app.push_screen(Picker("Threads", entries), self._listed)

    def _listed(self, thread: str | None) -> None:
        if thread is not None:
            self.open_thread(thread)

    def last_thread(self) -> None:
        """The thread that was open, read anew; where none was, the one somebody spoke in last."""
        pane = self.thread
        pane.open_last()
        if not pane.chosen:
            pane.about = self.desk.open_file
        pane.draw()
        pane.reload()

    def thread_leaves_out(self) -> set[str]:
        """Commands of the thread that mean nothing now."""
        pane = self.thread
        typing = pane.prompt.has_focus
        out = set(_MESSAGES_ONLY) if typing else set()
        if pane.names_command:
            out.add("thread.send")
        if not typing:
            out |= {"thread.send", "thread.newline", "thread.complete"}
            talk = pane.talk
            if talk is None or not any(each.status == "open" for each in talk.decisions):
                out.add("thread.decide")
            if talk is None or not any(each.state in {"failed", "stopped"} for each in talk.view.turns):
                out.add("thread.retry")
            if not any(getattr(row.key, "kind", "") == "code" for row in pane.log_pane.rows):
                out |= {"thread.unfold", "thread.code"}
        if not pane.writing:
            out.add("thread.stop")
        if len(pane.writing) < 2:
            out.add("thread.stop_one")
        if not typing or "@" not in pane.prompt.text:
            out.add("thread.told")
        return out

    def way_out(self) -> list[Hint]:
        """What esc does while no answer is being written."""
        if self.thread.prompt.choosing:
            does = [Hint("enter", "do it", "enter")] if self.thread.names_command else []
            return [*does, Hint("↑↓", "choose", "down"), Hint("esc", "close", "escape")]
        if self.thread.writing:
            return []
        return [Hint("esc", "messages" if self.thread.prompt.has_focus else "work list", "escape")]

    def on_thread_pane_left(self, event: ThreadPane.Left) -> None:
        """Back to the list of what there is."""
        self.show_pane("side")

    # --- for the palette ----------------------------------------------------------------------------

    def action_thread_send(self) -> None:
        """Say what is typed."""
        self.thread.action_thread_send()

    def action_thread_newline(self) -> None:
        """A new line in the prompt."""
        self.thread.action_thread_newline()

    def action_thread_complete(self) -> None:
        """The word at the cursor of the prompt."""
        self.thread.action_thread_complete()

    def action_thread_type(self) -> None:
        """To the prompt."""
        self.show_pane("thread")

    def action_thread_stop(self) -> None:
        """Stop an answer."""
        self.thread.action_thread_stop()

    def action_thread_unfold(self) -> None:
        """Show or fold code."""
        self.thread.action_thread_unfold()

    def action_thread_decide(self) -> None:
        """Agree, or open again."""
        self.thread.action_thread_decide()

    def action_thread_retry(self) -> None:
        """Ask again."""
        self.thread.action_thread_retry()

    def action_thread_stop_one(self) -> None:
        """Stop one of several answers."""
        self.thread.action_thread_stop_one()

    def action_thread_open_code(self) -> None:
        """Make a file or a variation of a block of code."""
        self.thread.action_thread_open_code()

    def action_thread_propose(self) -> None:
        """Put up what a message says."""
        self.thread.action_thread_propose()

    def action_thread_pin(self) -> None:
        """Have the open file in the context of every answer."""
        self.thread.action_thread_pin()

    def action_thread_told(self) -> None:
        """What agents are, or were, told."""
        self.thread.action_thread_told()
