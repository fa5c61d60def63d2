"""What the agents of a flow would be told first: its steps taken in a copy of the space, where nobody answers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from flowide.agents.api import Backend, Delta, Request
from flowide.agents.context import Manifest, decode
from flowide.errors import BadInput, FlowError, NeedsInput, NotAllowed
from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.flows.surroundings import Surroundings
from flowide.project.files import Found, Staged, Tree
from flowide.project.folder import ProjectFolder
from flowide.project.ledger import Ledger
from flowide.space.api import Space
from flowide.space.queries import OneRun

TOGETHER = 64
"""Calls that are waited for at the same time."""
SETTLED_S = 0.05
"""Seconds without another call after which all that can be made at the same time are known."""


class Call(Struct, frozen=True, kw_only=True):
    """A call that would be made."""

    step: str
    """Its key."""
    purpose: str
    agent: str
    manifest: Manifest


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What is known of a run that was not started."""

    flow: str
    calls: list[Call]
    """In the order in which they would be recorded."""
    stops: dict[str, Any] | None
    """What would end or stop the run, as an error, before or beside these calls; None = what comes after them depends
    on the answers, or nothing does."""


async def rehearse(
    space: Space, folder: ProjectFolder, request: RunRequest, *, surroundings: Surroundings
) -> Rehearsal:
    """What the agents would be told first, as far as it is known before one of them answers.

    Nothing is sent, no command and no tool is started, no file is written, nothing is added to the log.

    Raises:
        BadInput: The flow, an input or an agent is wrong; or the space is on a hub, which has no copy to work in.
    """
    from flowide.space.local import LocalSpace
    from flowide.store.backup import back_up
    from flowide.store.sqlite import SqliteStore

    if space.shared:
        raise BadInput(
            "what agents would be told is worked out in a copy of the space, and that of a hub cannot be copied here",
            hint="After a run, see: flowide runs manifest. Or try the flow in a local workspace.",
        )
    with tempfile.TemporaryDirectory(prefix="flowide-rehearsal-") as place:
        [copied] = await asyncio.to_thread(back_up, str(folder.database), Path(place))
        copy = LocalSpace(SqliteStore(copied, durable=False), space.actor)
        try:
            return await _rehearsed(copy, _still(folder), request, surroundings)
        finally:
            await copy.close()


async def _rehearsed(
    copy: Space, folder: ProjectFolder, request: RunRequest, around: Surroundings
) -> Rehearsal:
    pool = _Nobody()
    bound = structs.replace(request, parallel=TOGETHER, lock_timeout_s=0)
    result = await engine.rehearse(copy, folder, bound, pool, surroundings=around)
    view = await copy.read(OneRun(result.run))
    calls = [
        Call(
            step=step.key,
            purpose=step.kind,
            agent=step.result["agent"],
            manifest=decode(await copy.blob(step.result["manifest"])),
        )
        for step in view.steps
        if step.result.get("manifest")
    ]
    error = result.error
    if error is not None and error["message"] == _UNSENT:
        error = None
    for step in view.steps:
        if step.status == "failed" and step.kind in _CARRIED_OUT:
            held = NotAllowed(
                f"{step.key} is a {step.kind} step, which only a run carries out", step=step.key
            )
            error = held.to_dict()
    return Rehearsal(flow=view.run.flow, calls=calls, stops=error)


_CARRIED_OUT = {"run", "tool", "check", "picture"}
"""Kinds of steps that start programs."""
_UNSENT = "nothing is sent in a rehearsal"


class _Nobody:
    """In place of every agent: takes what it is told, and never answers."""

    def __init__(self) -> None:
        self.asked = 0

    def backend(self, handle: str) -> Backend:
        return self

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return

    def stream(self, request: Request) -> AsyncIterator[Delta]:
        self.asked += 1
        return _Silence(self)


class _Silence:
    """An answer that does not come; it ends as a question does, so that what goes on beside it comes to its end."""

    def __init__(self, nobody: _Nobody) -> None:
        self._nobody = nobody

    def __aiter__(self) -> _Silence:
        return self

    async def __anext__(self) -> Delta:
        seen = 0
        while seen != self._nobody.asked:
            seen = self._nobody.asked
            await asyncio.sleep(SETTLED_S)
        raise NeedsInput(_UNSENT)

    async def aclose(self) -> None:
        return


def _still(folder: ProjectFolder) -> ProjectFolder:
    """The same folder, which is only read."""
    still = ProjectFolder(folder.root)
    still.tree = _StillTree(folder.root)
    still.ledger = _StillLedger(folder.dot_dir / "folder.db")
    still.tell = lambda _: None
    return still


class _StillTree(Tree):
    def stage(self, path: str, data: bytes, *, like: str | None = None) -> Staged:
        raise _refusal(path)

    def clear_left_over(self, path: str) -> None:
        return

    def remove(self, path: str, expected: Found | None) -> None:
        raise _refusal(path)


def _refusal(path: str) -> FlowError:
    return NotAllowed(
        f"{path} would be written now", hint="What comes after that is not known before the run."
    )


class _StillLedger(Ledger):
    def note(self, artifact: str, version: int, sha256: str, stamp: str = "") -> None:
        return
