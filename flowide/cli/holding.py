"""Locks and texts of a command: what is held is given back, and what was written is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from flowide.cli.desk import Desk

if TYPE_CHECKING:
    from flowide.domain.rows import Artifact


@asynccontextmanager
async def lock_for(
    desk: Desk, artifact: Artifact, *, fence: int | None, wait_s: float, purpose: str
) -> AsyncIterator[tuple[int, int]]:
    """Fence and base version for a command that ends the lock itself; `fence` is one taken earlier.

    Raises:
        Busy: The lock did not come within `wait_s` seconds.
    """
    from flowide.domain.commands import ReleaseLock
    from flowide.errors import FlowError
    from flowide.space.waiting import acquire

    if fence is not None:
        yield fence, artifact.version
        return
    granted = await acquire(desk.space, artifact.id, timeout_s=wait_s, ttl_ms=desk.ttl_ms, purpose=purpose)
    assert granted.fence is not None and granted.version is not None
    try:
        yield granted.fence, granted.version
    except BaseException:
        with suppress(FlowError):
            await asyncio.shield(
                desk.space.execute(ReleaseLock(artifact=artifact.id, fence=granted.fence, draft="drop"))
            )
        raise


async def keep_text(desk: Desk, artifact: Artifact, fence: int, data: bytes) -> str:
    """Keep a text that could not be saved, and say where and how to get it.

    It becomes the draft under the fence while that is ours; else a draft of its own; else, and when it is no
    text, a file in the workspace's `kept` folder.
    """
    from flowide.errors import FlowError
    from flowide.space.drafting import put_draft

    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"Your text is kept in {_keep_file(desk, artifact, fence, data)}."
    with suppress(FlowError):
        await put_draft(desk.space, artifact.id, fence, text, have=None)
        return f"Your text is the draft under fence {fence}, which you still hold."
    with suppress(FlowError):
        return kept_as(await _private(desk, artifact, text))
    return f"Your text is kept in {_keep_file(desk, artifact, fence, data)}."


def kept_as(draft: str) -> str:
    """Where a text is that became an orphan draft."""
    return f"Your text is kept: `flowide draft show {draft}`, and `flowide draft adopt {draft}` to go on."


async def _private(desk: Desk, artifact: Artifact, text: str) -> str:
    from flowide.domain.commands import MAX_INLINE, KeepDraft

    content = {"text": text}
    if len(text.encode()) > MAX_INLINE:
        content = {"blob": await desk.space.put_blob(text.encode())}
    kept = KeepDraft(artifact=artifact.id, base=artifact.version, why="could not be saved", **content)
    return (await desk.space.execute(kept)).ok.draft


def _keep_file(desk: Desk, artifact: Artifact, fence: int, data: bytes) -> str:
    """Write the text where nothing else is; the path relative to the project."""
    from pathlib import PurePosixPath

    folder = desk.folder.dot_dir / "kept"
    folder.mkdir(exist_ok=True)
    name = PurePosixPath(artifact.path).name[-180:]
    for number in range(1, 10_000):
        file = folder / f"{fence}-{number}-{name}"
        with suppress(FileExistsError), file.open("xb") as out:
            out.write(data)
            return file.relative_to(desk.folder.root).as_posix()
    raise AssertionError("ten thousand kept texts of one fence")
