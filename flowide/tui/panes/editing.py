"""The editor and its lock: the draft is stored as it is typed, saved as a version, or kept when the lock ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from flowide.domain.actors import ActorKind
from flowide.domain.commands import TransferLock
from flowide.errors import Conflict, Fenced, FlowError, Offline
from flowide.space.queries import LockState
from flowide.tui import commands
from flowide.tui.desk import AtDesk
from flowide.tui.dialogs import Choice, Choose
from flowide.tui.engine import editing
from flowide.tui.views.artifact import OpenArtifact
from flowide.tui.views.spans import Span, clean
from flowide.tui.widgets.editor import Editor

if TYPE_CHECKING:
    from flowide.tui.engine.session import Hold

DRAFT_S = 1.0
"""Seconds between stored parts of the draft."""


class EditPane(AtDesk, Vertical):
    """One artifact's text while its lock is ours. When the lock is lost, the text stays, read-only."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("editor")

    @dataclass
    class Ended(Message):
        """The lock is given back, or the text was put away: the editor can go."""

        focus: bool = True

    @dataclass
    class LockedOut(Message):
        """The lock was lost while typing."""

    def __init__(self, opened: OpenArtifact, hold: Hold, *, draft: str | None, row: int, id: str) -> None:
        super().__init__(id=id)
        assert opened.artifact is not None
        self.opened = opened
        self.artifact = opened.artifact.id
        self.base = opened.artifact.version
        self.fence = hold.fence
        self.since = hold.since
        """Position of the log from which on pictures show our lock."""
        self.editor = Editor(opened.text or "", opened.path, draft=draft, id="editor")
        self.ended = ""
        """Why the lock is not ours any more; empty while it is."""
        self.settling = False
        """A conflict about this text is being settled: its lock may go."""
        self._row = row
        self._waiting: str | None = None
        """The text of a save that waits for the hub; None when none does."""

    def compose(self) -> ComposeResult:
        yield self.editor

    def on_mount(self) -> None:
        """Begin where the text was looked at."""
        self.editor.go_to(self._row)
        self.set_interval(DRAFT_S, self.store)

    @property
    def top_row(self) -> int:
        """The first line that is visible."""
        return self.editor.top_line

    def ended_words(self) -> Sequence[Span]:
        """The lock bar once the lock is lost."""
        return [(" ! ", "warn b"), (self.ended, "warn"), (" · ", "quiet"), ("esc", "key"),
                (" says what can be done with your text", "quiet")]  # fmt: skip

    # --- the draft ----------------------------------------------------------------------------------

    @work(group="draft", exclusive=True)
    async def store(self) -> None:
        """Store what is typed, so that others see it and nothing is lost with this process."""
        await self.store_now()

    async def store_now(self) -> bool:
        """As `store`; whether everything is stored."""
        if self.ended or self.settling or not self.editor.touched:
            return not self.ended
        text = self.editor.content
        try:
            await self.ask_engine(lambda session: editing.stream_draft(session, self.artifact, text))
        except Fenced as error:
            self._lock_out(error.message)
            return False
        except FlowError as error:
            self.tell(error)
            return False
        return True

    def follow(self, lock: LockState | None) -> None:
        """After news: notice that the lock is not ours any more."""
        ours = lock is not None and lock.lock.fence == self.fence and lock.lock.state != "free"
        if self.settling or self.ended or ours:
            return
        if lock is None or lock.lock.state == "free":
            why = "somebody ended your lock"
        else:
            why = f"{clean(lock.lock.actor or 'somebody')} has the lock now"
        if self._waiting is None:
            self._lock_out(why)
        else:
            self._saved_or_locked_out(self._waiting, why)

    @work(group="save", exclusive=True)
    async def _saved_or_locked_out(self, text: str, why: str) -> None:
        """The lock has ended after a save that had to wait for the hub: has it been made meanwhile?"""
        try:
            version = await self.ask_engine(lambda session: editing.saved_later(session, self.artifact, text))
        except FlowError as error:
            self.tell(error)
            version = None
        if version is None or self.editor.content != text:
            self._lock_out(why)
        else:
            self.say(f"The hub is back: saved as v{version}. The lock is free again.", good=True)
            self.post_message(self.Ended(focus=False))

    def put_away(self) -> None:
        """The text is where it was wanted, and the lock is given back already."""
        self.ended = "the conflict is settled"
        self.post_message(self.Ended(focus=False))

    def _lock_out(self, why: str) -> None:
        if self.ended:
            return
        self.ended = why
        self.editor.read_only = True
        self.post_message(self.LockedOut())
        self._tell_lost(why)

    @work(group="lost", exclusive=True)
    async def _tell_lost(self, why: str) -> None:
        """Who ended the lock, and the reason they gave."""
        try:
            told = await self.ask_engine(lambda session: editing.why_lost(session, self.artifact, self.fence))
        except FlowError:
            told = ""
        self.ended = clean(told) or why
        self.post_message(self.LockedOut())
        if self.editor.touched:
            self._card("Your lock is gone", self.ended)
        else:
            self.say(f"{self.ended[:1].upper()}{self.ended[1:]}; you had changed nothing.")
            self.post_message(self.Ended())

    # --- ending -------------------------------------------------------------------------------------

    @work(group="save", exclusive=True)
    async def action_save_edit(self) -> None:
        """A new version of what the editor holds."""
        if self.ended:
            self._card("Your lock is gone", self.ended)
            return
        if not self.editor.touched:
            self.say("Nothing was changed; the lock is free again.", good=True)
            await self._release(drop=True)
            return
        text = self.editor.content
        try:
            version = await self.ask_engine(lambda session: editing.save(session, self.artifact, text))
        except Fenced as error:
            self._lock_out(error.message)
        except Conflict as error:
            self._clashed(error)
        except Offline as error:
            if error.data.get("kept"):
                self._waiting = text
            self.tell(error)
        except FlowError as error:
            self.tell(error)
        else:
            self.say(f"Saved as v{version}. The lock is free again.", good=True)
            self.post_message(self.Ended())

    def _clashed(self, error: Conflict) -> None:
        """Nothing was overwritten: show the texts beside each other."""
        card = error.data.get("conflict")
        if isinstance(card, str):
            from flowide.tui.screens.conflict import ConflictScreen

            self.app.push_screen(ConflictScreen(card))
        else:
            self._card("The file was changed underneath", error.message)

    @work(group="save", exclusive=True)
    async def action_leave_edit(self) -> None:
        """Give the lock back; text that was not saved stays as a draft."""
        if self.ended:
            self._card("Your lock is gone", self.ended)
            return
        changed = self.editor.touched
        if changed and not await self.store_now():
            return
        await self._release(drop=not changed)
        if changed:
            self.say("Not saved. Your text is kept as a draft, in the work pane.", good=True)

    @work(group="save", exclusive=True)
    async def hand_over(self, handle: str, kind: ActorKind) -> None:
        """Give the lock, and the text so far, to somebody else."""
        if self.ended or not await self.store_now():
            return
        self.ended = f"you handed the lock to {handle}"
        command = TransferLock(artifact=self.artifact, fence=self.fence, to=handle, to_kind=kind)
        try:
            await self.ask_engine(lambda session: session.space.execute(command))
        except FlowError as error:
            self.ended = ""
            self.tell(error)
            return
        self.say(f"{clean(handle)} has the lock now.", good=True)
        await self._release(drop=True)

    async def _release(self, *, drop: bool) -> None:
        try:
            await self.ask_engine(lambda session: editing.release(session, self.artifact, drop=drop))
        except FlowError as error:
            self.tell(error)
        self.post_message(self.Ended())

    @work(group="card", exclusive=True)
    async def _card(self, title: str, why: str) -> None:
        """What can be done with a text that cannot be saved."""
        lines: list[list[Span]] = [[(clean(why), "")], [("Your text is still here, untouched.", "quiet")]]
        choices = [
            Choice("v", "keep it as a variation", "beside what is there, to compare and mix"),
            Choice("c", "copy it to the clipboard", "and stay here"),
            Choice("d", "put it away", "what was stored of it stays as a draft"),
        ]
        chosen = await self.app.push_screen_wait(Choose(title, lines, choices))
        if chosen == "c":
            self.app.copy_to_clipboard(self.editor.content)
            self.say("Sent to the terminal's clipboard. Not every terminal takes it.")
        elif chosen == "v":
            await self._keep_as_variation()
        elif chosen == "d":
            await self._release(drop=False)

    async def _keep_as_variation(self) -> None:
        text, base = self.editor.content, self.base
        try:
            number = await self.ask_engine(
                lambda session: editing.as_variation(session, self.artifact, self.opened.path, base, text)
            )
        except FlowError as error:
            self.tell(error)
            return
        self.say(f"Kept as variation {number} of {self.opened.path}.", good=True)
        await self._release(drop=True)
