"""The artifact in the middle: its text or what somebody is writing in it, its lock, and the way to the editor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import work
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea

from flowide.errors import Busy, FlowError
from flowide.tui.highlight import Highlighter, language_of
from flowide.tui.panes.base import Pane
from flowide.tui.panes.picturing import OpenPicture
from flowide.tui.views.actors import is_mine
from flowide.tui.views.align import compare_lines
from flowide.tui.views.artifact import OpenArtifact, is_prose, live_words, title, version_words
from flowide.tui.views.locks import busy_words, lock_bar, named, purpose_words
from flowide.tui.views.spans import Span, clean, lines_of
from flowide.tui.views.welcome import welcome
from flowide.tui.widgets.code import CodeView

if TYPE_CHECKING:
    from textual.worker import Worker

    from flowide.domain import rows
    from flowide.tui.engine.session import Hold
    from flowide.tui.panes.editing import EditPane

WATCH_S = 0.5
"""Seconds between looks at somebody else's lock and draft; nothing is polled while the lock is free."""


class ArtifactPane(Pane):
    """Shows one file; while its lock is ours, the editor is in its place."""

    @dataclass
    class Changed(Message):
        """Another file, text, lock or editor: what is around the pane is out of date."""

    @dataclass
    class WantsFocus(Message):
        """What was opened is to be read or written now."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.code = CodeView(id="code")
        """The text that is looked at."""
        self._picture = OpenPicture(self, self.code)
        self.opened: OpenArtifact | None = None
        self.edit: EditPane | None = None
        """The editor with its lock; None while the text is only looked at."""
        self.starting = False
        """The lock is being asked for."""
        self._aim: tuple[str, int] | None = None
        """A file that is to be shown, and the line (from 0) to be in view."""
        self._waiting = False
        self._watch: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.code

    @property
    def keys_go_to(self) -> Widget:
        """What takes the keys of this pane: the editor, or the text that is looked at."""
        return self.edit.editor if self.edit is not None else self.code

    def to_copy(self) -> tuple[str, str]:
        """What is selected in the editor or the text; without a selection all of it."""
        opened = self.opened
        if opened is None:
            return "", ""
        name = PurePosixPath(opened.path).name
        if self.edit is not None:
            return self.edit.editor.selected_text or self.edit.editor.text, name
        text = opened.draft if opened.draft is not None else opened.text or ""
        chosen = self.code.selected
        lines = text.split("\n")[chosen.start : chosen.stop]
        return "\n".join([*lines, ""]) if chosen else text, name

    # --- looking ------------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Show a file and give it the keys."""
        if self.edit is not None:
            self.say("Save (ctrl+s) or stop editing (esc) first.")
            return
        self.look(path, focus=True)

    def look(self, path: str, *, focus: bool = False, line: int | None = None) -> Worker[None]:
        """Read a file again, or another one; `line` counts from 0."""
        if focus or line is not None:
            self._aim = (path, line or 0)  # kept until the file is shown, should it be read again meanwhile
        return self._look_soon(path, focus)

    @work(group="look", exclusive=True)
    async def _look_soon(self, path: str, focus: bool) -> None:
        await self._look(path, focus=focus, line=self._aim[1] if self._aim is not None else None)

    async def _look(self, path: str, *, focus: bool = False, line: int | None = None) -> None:
        if focus or line is not None:
            self._aim = (path, line or 0)
        from flowide.tui.engine import editing  # with what it stands on, after the first frame

        try:
            opened = await self.ask_engine(lambda session: editing.look(session, path))
        except FlowError as error:
            self.tell(error)
            return
        await self._show(opened)
        if focus:
            self.post_message(self.WantsFocus())

    async def _show(self, opened: OpenArtifact) -> None:
        self.opened = opened
        await self._picture.read(opened)
        lines = opened.lines
        colours, new = await asyncio.to_thread(_prepare, opened, lines)
        if self.opened is not opened:
            return
        if self._aim is not None and self._aim[0] == opened.path:
            self.code.go_to(self._aim[1])
        self._aim = None
        self.code.show(lines, colours, new, wraps=is_prose(opened.path))
        self.draw()
        self._watch_others()

    def draw(self) -> None:
        """Title line, and words where there is no text."""
        state, code = self.snapshot, self.code
        self._draw_title()
        if self.opened is None:
            code.show_empty(welcome(state, code.body_width))
        elif drawn := self._picture.lines:
            code.show_empty(drawn)
        elif not self.opened.lines:
            said = clean(self.opened.problem) or "This file is empty. Press e to write."
            code.show_empty([[], [(said, "quiet")], *self._picture.words])
        self.post_message(self.Changed())

    def _draw_title(self) -> None:
        state, code = self.snapshot, self.code
        at = None if self.edit is None else self.edit.editor.position
        code.set_title(*title(self.opened, state.me, state.client, code.body_width, at))

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """The title says where the cursor is."""
        event.stop()
        self._draw_title()

    def lock_words(self) -> tuple[Sequence[Span], Sequence[Span]]:
        """The lock bar."""
        if self._waiting:
            return [(" ◐ ", "warn"), ("waiting in line for the lock", ""), (" · ", "quiet"), ("esc", "key"),
                    (" stops waiting", "quiet")], []  # fmt: skip
        if self.opened is None:
            return [(" nothing is open", "quiet")], []
        if self.edit is not None and self.edit.ended:
            return self.edit.ended_words(), []
        if self.opened.artifact is None or self.opened.text is None:
            return [(" ", ""), (clean(self.opened.problem) or "no artifact", "quiet")], []
        state = self.snapshot
        kept = [draft for draft in state.drafts if draft.artifact == self.opened.artifact.id]
        lock = named(self.opened.lock, state)
        left = lock_bar(lock, state.me, state.client, self.book, written=live_words(self.opened))
        if kept and self.edit is None and not self.locked_by_another:
            left += [("   ◇ ", "warn"), ("a text was not saved · ", "quiet"), ("D", "key")]
        if self.opened.warning:
            left = [(" ! ", "warn"), (clean(self.opened.warning), "warn")]
        return left, [(version_words(self.opened.newest) + " ", "quiet")]

    def follow(self) -> None:
        """After news: look again when the open artifact has a newer version or another lock."""
        opened = self.opened
        if opened is None:
            self.draw()  # the welcome says what there is
            return
        if opened.artifact is None:
            return
        lock = self.snapshot.lock_of(opened.path)
        if self.edit is not None:
            if self.snapshot.head < self.edit.since:
                return  # the picture is older than our lock
            self.edit.follow(lock)
            if opened.lock != lock:
                self.opened = replace(opened, lock=lock)
                self.draw()
            return
        row = next((each for each in self.snapshot.artifacts if each.id == opened.artifact.id), None)
        known = opened.lock.lock if opened.lock and opened.lock.lock.state != "free" else None
        if (row is not None and row.version != opened.artifact.version) or (
            lock.lock if lock else None
        ) != known:
            self.look(opened.path)

    @property
    def locked_by_another(self) -> bool:
        """Whether somebody else holds the lock of what is open."""
        state = self.snapshot
        lock = self.opened.lock.lock if self.opened and self.opened.lock else None
        return lock is not None and lock.state == "held" and not is_mine(lock, state.me, state.client)

    def _watch_others(self) -> None:
        """Look at somebody else's lock as long as there is one."""
        foreign = self.locked_by_another
        if foreign and self._watch is None:
            self._watch = self.set_interval(WATCH_S, self._watch_once)
        elif not foreign and self._watch is not None:
            self._watch.stop()
            self._watch = None

    @work(group="watch", exclusive=True)
    async def _watch_once(self) -> None:
        from flowide.tui.engine import editing

        opened = self.opened
        if opened is None or opened.artifact is None or self.edit is not None:
            return
        artifact = opened.artifact.id
        try:
            lock, draft = await self.ask_engine(lambda session: editing.watch(session, artifact))
        except FlowError:
            return
        if self.opened is not opened:
            return
        if draft == opened.draft:
            self.opened = replace(opened, lock=lock)
            self.draw()
        else:
            await self._show(replace(opened, lock=lock, draft=draft))

    # --- editing ------------------------------------------------------------------------------------

    def editable(self) -> OpenArtifact | None:
        """What can be edited now; says why not when nothing can."""
        if self.edit is not None:
            self.say("Save (ctrl+s) or stop editing (esc) first.")
            return None
        if self.opened is None:
            self.say("Open a file first: choose one and press enter.")
            return None
        if self.opened.artifact is None or self.opened.text is None:
            self.say(self.opened.problem or "This file cannot be edited here.")
            return None
        return self.opened

    def start_edit(self, *, wait: bool = False) -> None:
        """Take the lock and start typing; with `wait` stand in line for it."""
        opened = self.editable()
        if opened is None or opened.artifact is None:
            return
        if not opened.fits_editor:
            self.say("This file is long: edit it with E, in your own editor.")
            return
        self.starting = not wait
        self._set_waiting(wait)
        self._start_edit(opened.artifact, opened.path, wait)

    @work(group="edit", exclusive=True)
    async def _start_edit(self, artifact: rows.Artifact, path: str, wait: bool) -> None:
        from flowide.tui.engine import editing

        try:
            hold = await self.ask_engine(
                lambda session: editing.take(session, artifact, "editing", wait_s=None if wait else 0)
            )
            fresh = await self.ask_engine(lambda session: editing.look(session, path))
            draft = await self.ask_engine(lambda session: editing.own_draft(session, artifact.id))
        except Busy as busy:
            self.refused(busy)
        except FlowError as error:
            self.tell(error)
        else:
            await self._show(fresh)
            await self._open_editor(fresh, hold, draft)
        finally:
            self.starting = False
            self._set_waiting(False)

    def _set_waiting(self, waiting: bool) -> None:
        if waiting != self._waiting:
            self._waiting = waiting
            self.post_message(self.Changed())

    def stop_waiting(self) -> bool:
        """Leave the line for the lock; whether we stood in it."""
        if not self._waiting:
            return False
        self.workers.cancel_group(self, "edit")
        return True

    def refused(self, busy: Busy) -> None:
        """Somebody holds the lock: who, for what, and what to do."""
        data = {**busy.data, "purpose": purpose_words(str(busy.data.get("purpose") or ""), self.snapshot)}
        self.app.notify(busy_words(data), title="locked", severity="warning", markup=False, timeout=8)
        if self.opened is not None:
            self.look(self.opened.path)

    async def _open_editor(self, opened: OpenArtifact, hold: Hold, draft: str | None) -> None:
        from flowide.tui.panes.editing import EditPane

        top = self.code.top_line
        self.edit = EditPane(opened, hold, draft=draft, row=top, id="edit")
        await self.mount(self.edit)
        self.add_class("-editing")
        self.code.can_focus = False
        self.draw()
        self.post_message(self.WantsFocus())

    async def on_edit_pane_ended(self, event: EditPane.Ended) -> None:
        """The editor is done: show what is there now."""
        event.stop()
        edit, self.edit = self.edit, None
        self.remove_class("-editing")
        self.code.can_focus = True
        if edit is not None:
            self.code.go_to(edit.top_row)
            await edit.remove()
        if self.opened is not None:
            self.look(self.opened.path)
        self.draw()
        if event.focus:
            self.post_message(self.WantsFocus())

    def on_edit_pane_locked_out(self, event: EditPane.LockedOut) -> None:
        """The lock bar says it."""
        event.stop()
        self.draw()

    def settling(self, artifact: str, begins: bool) -> None:
        """A conflict of an artifact is being settled elsewhere; its lock may go meanwhile."""
        if self.edit is not None and self.edit.artifact == artifact:
            self.edit.settling = begins

    def settled(self, artifact: str) -> None:
        """The text in the editor has gone where it was wanted."""
        if self.edit is not None and self.edit.artifact == artifact:
            self.edit.put_away()

    @work(group="edit", exclusive=True)
    async def edit_outside(self) -> None:
        """The person's own editor, under the lock."""
        from flowide.tui.panes.editing_outside import edit_in_own_editor

        opened = self.editable()
        if opened is not None and opened.artifact is not None:
            await edit_in_own_editor(self, opened, opened.artifact)

    @work(group="adopt", exclusive=True)
    async def adopt(self, draft: str) -> None:
        """Take the lock and go on with a kept draft."""
        from flowide.tui.engine import editing

        try:
            path = await self.ask_engine(lambda session: editing.adopt(session, draft))
        except Busy as busy:
            self.refused(busy)
            return
        except FlowError as error:
            self.tell(error)
            return
        await self._look(path)
        self.start_edit()

    @work(group="adopt", exclusive=True)
    async def edit_at(self, path: str, line: int) -> None:
        """Look at a file, then take its lock and write at a line (from 0)."""
        if self.edit is None:
            await self._look(path, focus=True, line=line)
        self.start_edit()


def _prepare(opened: OpenArtifact, lines: list[str]) -> tuple[Highlighter, frozenset[int]]:
    """What takes a while, for a thread: the parse, and what a live draft changed."""
    colours = Highlighter(lines, language_of(opened.path))
    if opened.draft is None:
        return colours, frozenset()
    return colours, compare_lines(lines_of(opened.text or ""), lines).new
