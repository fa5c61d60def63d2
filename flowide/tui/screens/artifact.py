"""The artifact part of the workspace: what is shown, its lock, and the life of an edit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical
from textual.timer import Timer

from flowide.errors import Busy, FlowError
from flowide.tui.engine import editing, running
from flowide.tui.highlight import Highlighter, language_of
from flowide.tui.screens.files import FilesPart
from flowide.tui.views.actors import is_mine
from flowide.tui.views.align import compare_lines
from flowide.tui.views.artifact import OpenArtifact, live_words, title, version_words
from flowide.tui.views.locks import busy_words, lock_bar
from flowide.tui.views.spans import Span, clean, lines_of
from flowide.tui.widgets.code import CodeView

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest
    from flowide.tui.widgets.editor import Editor

WATCH_S = 0.5
"""Seconds between looks at somebody else's lock and draft; nothing is polled while the lock is free."""
DRAFT_S = 1.0
"""Seconds between stored parts of the draft."""


class ArtifactPart(FilesPart):
    """What the workspace does with the artifact in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: OpenArtifact | None = None
        self.editor: Editor | None = None
        self._hint: list[Span] | None = None
        self._watch: Timer | None = None
        self._streaming: Timer | None = None

    # --- to be given by the workspace ---------------------------------------------------------------

    def show_pane(self, pane: str) -> None:
        """Give a pane the keys."""
        raise NotImplementedError

    def open_set(self, set_id: str) -> None:
        """Show a variation set."""
        raise NotImplementedError

    def _draw_frame(self) -> None:
        raise NotImplementedError

    # --- looking ------------------------------------------------------------------------------------

    @property
    def current_path(self) -> str | None:
        """The file that is shown."""
        return self.opened.path if self.opened else None

    def open_file(self, path: str) -> None:
        """Show a file and give it the keys."""
        if self.editor is not None:
            self.say("Save (ctrl+s) or stop editing (esc) first.")
            return
        self._look(path, True)

    @work(group="look", exclusive=True)
    async def _look(self, path: str, focus: bool) -> None:
        try:
            opened = await self.ask_engine(lambda session: editing.look(session, path))
        except FlowError as error:
            self.tell(error)
            return
        if focus:
            self.query_one("#code", CodeView).go_to_top()
        await self._show(opened)
        if focus:
            self.show_pane("artifact")
        self.draw_files()

    async def _show(self, opened: OpenArtifact) -> None:
        self.opened = opened
        self._hint = None
        lines = opened.lines
        colours, new = await asyncio.to_thread(_prepare, opened, lines)
        self.query_one("#code", CodeView).show(lines, colours, new)
        self.draw_artifact()
        self._watch_others()

    def draw_artifact(self) -> None:
        """Title line, and words where there is no text."""
        code = self.query_one("#code", CodeView)
        state = self.snapshot
        code.set_title(*title(self.opened, state.me, state.client, code.body_width))
        if self.opened is None:
            code.show_empty(_WELCOME)
        elif not self.opened.lines:
            code.show_empty(
                [[], [(clean(self.opened.problem) or "This file is empty. Press e to write.", "quiet")]]
            )
        self._draw_frame()

    def lock_words(self) -> tuple[list[Span], list[Span]]:
        """The lock bar."""
        if self._hint is not None:
            return self._hint, []
        if self.opened is None or self.opened.artifact is None:
            return [(" no artifact open", "quiet")], []
        state = self.snapshot
        left = lock_bar(self.opened.lock, state.me, state.client, self.book, written=live_words(self.opened))
        return left, [(version_words(self.opened.newest) + " ", "quiet")]

    def follow_artifact(self) -> None:
        """After news: look again when the open artifact has a newer version or another lock."""
        opened = self.opened
        if opened is None or opened.artifact is None or self.editor is not None:
            return
        row = next((each for each in self.snapshot.artifacts if each.id == opened.artifact.id), None)
        lock = self.snapshot.lock_of(opened.path)
        known = opened.lock.lock if opened.lock and opened.lock.lock.state != "free" else None
        if (row is not None and row.version != opened.artifact.version) or (
            lock.lock if lock else None
        ) != known:
            self._look(opened.path, False)

    def _watch_others(self) -> None:
        """Look at somebody else's lock as long as there is one."""
        state = self.snapshot
        lock = self.opened.lock.lock if self.opened and self.opened.lock else None
        foreign = lock is not None and lock.state == "held" and not is_mine(lock, state.me, state.client)
        if foreign and self._watch is None:
            self._watch = self.set_interval(WATCH_S, self._watch_once)
        elif not foreign and self._watch is not None:
            self._watch.stop()
            self._watch = None

    @work(group="watch", exclusive=True)
    async def _watch_once(self) -> None:
        opened = self.opened
        if opened is None or opened.artifact is None:
            return
        artifact = opened.artifact.id
        try:
            lock, draft = await self.ask_engine(lambda session: editing.watch(session, artifact))
        except FlowError:
            return
        if self.opened is opened:
            from msgspec.structs import replace

            await self._show(replace(opened, lock=lock, draft=draft))

    # --- editing ------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Take the lock and start typing."""
        self._edit(wait=False)

    def action_wait_for_lock(self) -> None:
        """Stand in line for the lock, then start typing."""
        self._edit(wait=True)

    def edit_adopted(self, path: str) -> None:
        """Edit what was taken over from a kept draft: its lock is ours already."""
        self._edit_path(path)

    @work(group="edit", exclusive=True)
    async def _edit_path(self, path: str) -> None:
        await self._look(path, True).wait()
        self._edit(wait=False)

    @work(group="edit", exclusive=True)
    async def _edit(self, *, wait: bool) -> None:
        opened = self._editable()
        if opened is None or opened.artifact is None:
            return
        artifact, path = opened.artifact, opened.path
        if wait:
            self._hint = [
                (" ◐ ", "warn"),
                ("waiting for the lock; ", ""),
                ("e", "key"),
                (" asks once", "quiet"),
            ]
            self._draw_frame()
        try:
            await self.ask_engine(
                lambda session: editing.take(session, artifact, "editing", wait_s=None if wait else 0)
            )
            fresh = await self.ask_engine(lambda session: editing.look(session, path))
        except Busy as busy:
            self.notify(busy_words(busy.data), title="locked", severity="warning", markup=False, timeout=8)
            self._hint = None
            self._draw_frame()
            return
        except FlowError as error:
            self._hint = None
            self.tell(error)
            self._draw_frame()
            return
        await self._show(fresh)
        await self._open_editor(fresh)

    def _editable(self) -> OpenArtifact | None:
        if self.editor is not None:
            return None
        if self.opened is None or self.opened.artifact is None or self.opened.text is None:
            self.say("Open a file first: choose one and press enter.")
            return None
        from flowide.tui.widgets.editor import MOST_EDITED

        if len(self.opened.lines) > MOST_EDITED:
            self.say("This file is long: edit it with ctrl+o e, in your own editor.")
            return None
        return self.opened

    async def _open_editor(self, opened: OpenArtifact) -> None:
        from flowide.tui.widgets.editor import Editor

        code = self.query_one("#code", CodeView)
        self.editor = Editor(opened.text or "", opened.path, id="editor", draft=await self._adopted(opened))
        row = code.top
        await self.query_one("#middle", Vertical).mount(self.editor)
        code.styles.height = 1
        code.can_focus = False
        self.editor.move_cursor((row, 0))
        self.show_pane("artifact")
        self._streaming = self.set_interval(DRAFT_S, self._stream)

    async def _adopted(self, opened: OpenArtifact) -> str | None:
        """The text of a draft that lives under our lock already."""
        assert opened.artifact is not None
        artifact = opened.artifact.id
        return await self.ask_engine(lambda session: editing.own_draft(session, artifact))

    @work(group="stream", exclusive=True)
    async def _stream(self) -> None:
        editor, opened = self.editor, self.opened
        if editor is None or opened is None or opened.artifact is None:
            return
        text, artifact = editor.content, opened.artifact.id
        if not editor.touched:
            return
        try:
            await self.ask_engine(lambda session: editing.stream_draft(session, artifact, text))
        except FlowError as error:
            if self._streaming is not None:
                self._streaming.pause()
            self.tell(error)

    @work(group="save", exclusive=True)
    async def action_save_edit(self) -> None:
        """A new version of what the editor holds."""
        editor, opened = self.editor, self.opened
        if editor is None or opened is None or opened.artifact is None:
            return
        text, artifact = editor.content, opened.artifact.id
        if not editor.touched:
            self.say("Nothing was changed; the lock is free again.", good=True)
            await self._stop_editing(drop=True)
            return
        try:
            version = await self.ask_engine(lambda session: editing.save(session, artifact, text))
        except FlowError as error:
            self.tell(error)
            return
        await self._close_editor()
        self.say(f"Saved as v{version}. The lock is free again.", good=True)
        self._look(opened.path, False)

    @work(group="save", exclusive=True)
    async def action_leave_edit(self) -> None:
        """Give the lock back; text that was not saved stays as a draft."""
        editor, opened = self.editor, self.opened
        if editor is None or opened is None:
            return
        changed = editor.touched
        if changed:
            await self._stream().wait()
        await self._stop_editing(drop=not changed)
        if changed:
            self.say("Not saved: your text is kept as a draft, at the right under KEPT DRAFTS.", good=True)

    async def _stop_editing(self, *, drop: bool) -> None:
        opened = self.opened
        assert opened is not None and opened.artifact is not None
        artifact = opened.artifact.id
        try:
            await self.ask_engine(lambda session: editing.release(session, artifact, drop=drop))
        except FlowError as error:
            self.tell(error)
        await self._close_editor()
        self._look(opened.path, False)

    async def _close_editor(self) -> None:
        if self._streaming is not None:
            self._streaming.stop()
            self._streaming = None
        editor, self.editor = self.editor, None
        code = self.query_one("#code", CodeView)
        code.styles.height = "1fr"
        code.can_focus = True
        if editor is not None:
            await editor.remove()
        self.show_pane("artifact")

    @work(group="edit", exclusive=True)
    async def action_edit_outside(self) -> None:
        """The person's own editor, under the lock."""
        if self.editor is not None:
            self.say("Save (ctrl+s) or stop editing (esc) first.")
            return
        opened = self.opened
        if opened is None or opened.artifact is None or opened.text is None:
            self.say("Open a file first: choose one and press enter.")
            return
        from flowide.tui.screens.outside import edit_outside

        artifact = opened.artifact
        try:
            await self.ask_engine(lambda session: editing.take(session, artifact, "editing in $EDITOR"))
            fresh = await self.ask_engine(lambda session: editing.look(session, opened.path))
            text = edit_outside(self.app, fresh.path, fresh.text or "")
            if text is None or text == fresh.text:
                await self.ask_engine(lambda session: editing.release(session, artifact.id, drop=True))
                self.say("Nothing was changed.", good=True)
            else:
                version = await self.ask_engine(lambda session: editing.save(session, artifact.id, text))
                self.say(f"Saved as v{version}.", good=True)
        except Busy as busy:
            self.notify(busy_words(busy.data), title="locked", severity="warning", markup=False, timeout=8)
        except FlowError as error:
            self.tell(error)
        self._look(opened.path, False)

    @work(group="force", exclusive=True)
    async def action_force_lock(self) -> None:
        """End another's lock, with a reason."""
        opened = self.opened
        if (
            opened is None
            or opened.artifact is None
            or opened.lock is None
            or opened.lock.lock.state == "free"
        ):
            self.say("Nobody holds a lock here.")
            return
        from flowide.domain.commands import ForceLock
        from flowide.tui.screens.dialogs import Ask

        holder = clean(opened.lock.lock.actor or "?")
        lines: list[list[Span]] = [[("They are told the reason. Their text is kept as a draft.", "quiet")]]
        reason = await self.app.push_screen_wait(
            Ask(f"End the lock of {holder}?", lines, placeholder="the reason", enter="end the lock")
        )
        if not reason or not reason.strip():
            return
        artifact = opened.artifact.id
        command = ForceLock(artifact=artifact, reason=reason.strip())
        try:
            await self.ask_engine(lambda session: session.space.execute(command))
        except FlowError as error:
            self.tell(error)

    # --- variations ---------------------------------------------------------------------------------

    @work(group="vary")
    async def start_variations(self, request: RunRequest) -> None:
        """Start the run, and show its grid as soon as it has a set."""
        try:
            run = await self.ask_engine(lambda session: running.start(session, request))
        except FlowError as error:
            self.tell(error)
            return
        self.say("The agents are at work.", good=True)
        for _ in range(200):
            found = next((group for group in self.snapshot.sets if group.run == run), None)
            if found is not None:
                self.open_set(found.id)
                return
            view = self.snapshot.run_of(run)
            if view is not None and view.run.status != "running":
                return
            await asyncio.sleep(0.05)


def _prepare(opened: OpenArtifact, lines: list[str]) -> tuple[Highlighter, frozenset[int]]:
    """What takes a while, for a thread: the parse, and what a live draft changed."""
    colours = Highlighter(lines, language_of(opened.path))
    if opened.draft is None:
        return colours, frozenset()
    return colours, compare_lines(lines_of(opened.text or ""), lines).new


_WELCOME: list[list[Span]] = [
    [],
    [("Nothing is open yet.", "b")],
    [],
    [("enter", "key"), ("  opens the file at the cursor", "quiet")],
    [("/", "key"), ("      finds a file by parts of its name", "quiet")],
    [("v", "key"), ("      has several variations written, to compare and to mix", "quiet")],
    [("e", "key"), ("      edits the open file under its lock; others see it and wait", "quiet")],
    [("?", "key"), ("      shows every key", "quiet")],
]
