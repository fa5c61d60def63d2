"""An editor at work on a copy, under a lock."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path, PurePosixPath

from flowide.cli.desk import Desk, say, warn
from flowide.cli.holding import keep_text, kept_as
from flowide.domain.commands import MAX_BLOB, ReleaseLock, Versioned
from flowide.domain.rows import Artifact
from flowide.errors import BadInput, DraftGap, Fenced, FlowError, StorageFailed, TooLarge
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import Content, Drafts, LiveDraft

WATCH_S = 1.0
"""Seconds between looks at what the editor has written."""


def editor_command() -> list[str]:
    """The program of $VISUAL or $EDITOR with its options; at a terminal else one that is there.

    Raises:
        BadInput: There is none.
    """
    for name in ("VISUAL", "EDITOR"):
        text = os.environ.get(name, "").strip()
        if text:
            try:
                command = shlex.split(text)
            except ValueError as error:
                raise BadInput(f"${name} is no command: {error}", hint=f"Set {name} to an editor.") from error
            if shutil.which(command[0]) is None:
                raise BadInput(
                    f"${name} names {command[0]}, which is not there", hint=f"Set {name} to an editor."
                )
            return command
    at_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    found = next((name for name in ("editor", "nano", "vi") if at_terminal and shutil.which(name)), None)
    if found is None:
        raise BadInput("no editor is set", hint="Set EDITOR, for example: EDITOR=nano.")
    return [found]


class Editing:
    """One editor on one artifact under one fence, which it ends."""

    def __init__(
        self, desk: Desk, artifact: Artifact, fence: int, command: list[str], *, base: int | None = None
    ) -> None:
        self._desk = desk
        self._artifact = artifact
        self._fence = fence
        self._command = command
        self._base = base
        """The version to save over; None = the one the text is made from."""
        self._drafted = ""
        """The draft as it is stored."""

    async def run(self, note: str) -> Versioned | None:
        """Edit and save; None when nothing was changed.

        Raises:
            FlowError: The editor failed; what it had written is kept as a draft.
            Fenced, Conflict: The lock or the base was lost; the hint says where the text is kept.
        """
        with ExitStack() as workplace:
            try:
                head = await self._desk.space.read(Content(self._artifact.id))
                start = await self._start(head)
                place = workplace.enter_context(
                    _workplace(self._desk.folder.dot_dir, self._artifact.path, start)
                )
            except BaseException:
                await self._release(keep=True)
                raise
            before = _stamp(place.file)
            async with self._words_kept(place, start):
                await self._edit(place.file)
            if start != head and _stamp(place.file) == before:
                await self._release(keep=True)  # the draft as it was
                return None
            return await self._save(place, head, note)

    async def _start(self, head: bytes) -> bytes:
        """What the editor starts from: the draft under the fence, or the newest version."""
        live = await self._desk.space.read(LiveDraft(self._artifact.id))
        if live is None or live.fence != self._fence:
            return head
        self._drafted = live.text
        if self._base is None:
            self._base = live.base
            if live.base != self._artifact.version:
                warn(
                    f"this draft is made from version {live.base}, the newest is {self._artifact.version}; "
                    f"look at the difference, then edit with --base {self._artifact.version} to save over it"
                )
        return live.text.encode()

    async def _edit(self, file: Path) -> None:
        keeper = LeaseKeeper.of_lock(
            self._desk.space, self._artifact.id, self._fence, ttl_ms=self._desk.ttl_ms
        )
        async with keeper:
            editor = await asyncio.create_subprocess_exec(*self._command, str(file))
            watching = asyncio.create_task(self._watch(file))
            try:
                status = await editor.wait()
            except asyncio.CancelledError:
                await _end(editor)
                raise
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
        if status != 0:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise FlowError(
                f"the editor {self._command[0]} {how}; nothing was saved",
                hint="Edit again when it works.",
            )

    async def _watch(self, file: Path) -> None:
        """Keep what the editor writes as the draft under the fence, until that is lost."""
        seen = _stamp(file)
        while True:
            await asyncio.sleep(WATCH_S)
            stamp = _stamp(file)
            if stamp != seen:
                try:
                    await self._draft(file)
                except Fenced:
                    return
                except (FlowError, OSError):
                    continue  # a busy disk may recover; the file is still there
                seen = stamp

    async def _draft(self, file: Path) -> None:
        from flowide.space.drafting import put_draft

        try:
            text = _read(file).decode()
        except UnicodeDecodeError:
            return
        try:
            await put_draft(self._desk.space, self._artifact.id, self._fence, text, have=self._drafted)
        except DraftGap:
            await put_draft(self._desk.space, self._artifact.id, self._fence, text, have=None)
        self._drafted = text

    async def _save(self, place: Workplace, head: bytes, note: str) -> Versioned | None:
        try:
            data = _read(place.file)
        except FlowError as error:
            if place.file.exists():  # too large
                error.hint = f"{place.left()} {error.hint}"
            await self._release(keep=True)
            raise
        if data == head:
            await self._release(keep=False)
            return None
        async with self._words_kept(place, head):
            return await self._desk.folder.save(
                self._desk.space,
                self._artifact,
                fence=self._fence,
                base=self._artifact.version if self._base is None else self._base,
                data=data,
                note=note,
            )

    @asynccontextmanager
    async def _words_kept(self, place: Workplace, start: bytes) -> AsyncIterator[None]:
        """On every way out but the good one: release the lock, keep what was written, and say where."""
        try:
            yield
        except FlowError as error:
            kept = await asyncio.shield(self._give_up(place, start))
            error.hint = f"{kept} {error.hint}".strip()
            raise
        except BaseException:
            kept = await asyncio.shield(self._give_up(place, start))
            if kept:
                say(kept)
            raise

    async def _give_up(self, place: Workplace, start: bytes) -> str:
        """Release the lock and keep what was written; says where, empty when there is nothing."""
        try:
            data = _read(place.file)
        except FlowError:
            data = start
        if data == start and not self._drafted:
            await self._release(keep=False)
            return ""
        try:
            kept = await keep_text(self._desk, self._artifact, self._fence, data)
        except (FlowError, OSError):
            kept = place.left()
        if await self._release(keep=True):
            with suppress(FlowError):
                drafts = await self._desk.space.read(Drafts(self._artifact.id))
                kept = next((kept_as(draft.id) for draft in drafts if draft.fence == self._fence), kept)
        return kept

    async def _release(self, *, keep: bool) -> bool:
        """Whether the lock was still ours."""
        try:
            await self._desk.space.execute(
                ReleaseLock(artifact=self._artifact.id, fence=self._fence, draft="keep" if keep else "drop")
            )
        except FlowError:
            return False
        return True


class Workplace:
    """A copy for the editor, with the file's own name in a folder of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.stays = False
        """True when the copy holds words that are nowhere else."""

    def left(self) -> str:
        """Leave the copy where it is; says where."""
        self.stays = True
        return f"Your text is still in {self.file}."


@contextmanager
def _workplace(dot_dir: Path, path: str, data: bytes) -> Iterator[Workplace]:
    """A copy in the workspace; gone afterwards, unless it was left."""
    above = dot_dir / "editing"
    folder = None
    try:
        above.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=above))
        place = Workplace(folder / PurePosixPath(path).name)
        place.file.write_bytes(data)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise StorageFailed(
            f"no copy for the editor can be made in {above}: {error.strerror}",
            hint="Check the free space and the permissions of the folder.",
        ) from error
    try:
        yield place
    finally:
        if not place.stays:
            shutil.rmtree(folder, ignore_errors=True)


async def _end(editor: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        editor.terminate()
    try:
        async with asyncio.timeout(1.0):
            await editor.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            editor.kill()
        await editor.wait()


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BLOB:
            raise TooLarge(
                f"the text has {file.stat().st_size} bytes", hint=f"An artifact has at most {MAX_BLOB} bytes."
            )
        return file.read_bytes()
    except OSError as error:
        raise FlowError(
            f"the editor took the file away: {error.strerror}", hint="Nothing was saved."
        ) from error
