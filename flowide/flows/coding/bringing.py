"""What an agent changed in its copy comes back into the project: each file under its lock, or it waits."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from flowide.domain import rows
from flowide.domain.commands import Provenance, ReleaseLock
from flowide.errors import Busy, Conflict, Exists, FlowError, NotAllowed, NotFound
from flowide.flows.coding.parking import Parked, park, why_of
from flowide.flows.state import RunState
from flowide.flows.steps.gate import answered
from flowide.project.private.changes import EXECUTABLE, Change, Found, read_changed
from flowide.project.private.copying import PrivateCopy
from flowide.space.api import Space
from flowide.space.queries import ArtifactAt
from flowide.space.waiting import acquire

TTL_MS = 10_000
"""Held for milliseconds; when this process dies meanwhile, nobody waits long."""
MOST_CHANGES = 500
"""Files of one turn that are brought back; with more, the copy is kept."""
MOST_PARKED = 50
"""Files of one turn that wait as variations; more are left in the copy, which then is kept."""
_UNSAVED = (Busy, Conflict, Exists)


class Brought(Struct):
    """What became of the changes of a turn."""

    saved: list[dict[str, Any]] = field(default_factory=list)
    """`{"path", "kind", "version"?, "was"?}`"""
    parked: list[Parked] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """What can neither be saved nor wait, by path, and why."""
    left: int = 0
    """Changes that were not looked at."""

    def told(self) -> dict[str, Any]:
        """As the log keeps it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in found.items() if value}

    def summary(self) -> str:
        """For people, a line for each file; empty when nothing was changed."""
        lines = [f"- {_DID[each['kind']]} {_named(each)}" for each in self.saved]
        lines += [f"- {each.path} is not saved: {each.why}; it waits as {each.where}" for each in self.parked]
        lines += [f"- {path} is not taken over: {why}" for path, why in self.refused.items()]
        if self.left:
            lines.append(f"- {self.left} more changes are not taken over")
        return "\n".join(lines)


_DID = {
    "created": "made",
    "edited": "changed",
    "moved": "moved",
    "deleted": "deleted",
    "mode": "changed the mode of",
}


def _named(saved: dict[str, Any]) -> str:
    version = f"@{saved['version']}" if saved.get("version") else ""
    was = f" (was {saved['was']})" if saved.get("was") else ""
    return f"{saved['path']}{version}{was}"


class Bringing:
    """One turn's changes on their way back."""

    def __init__(
        self, state: RunState, key: str, agent: str, copy: PrivateCopy, *, save: bool, but: str
    ) -> None:
        """`save` False = nothing is saved, everything waits; `but` is a path that somebody else sees to."""
        self._state, self._key, self._agent, self._copy, self._save, self._but = (
            state,
            key,
            agent,
            copy,
            save,
            but,
        )
        self._space: Space = state.space.acting_as(state.actor(agent))
        self.brought = Brought()
        self._gone: list[str] = []
        """What it deleted: asked about once."""

    async def bring(self, found: Found) -> Brought:
        """Bring back what can be; what was brought back before is passed over.

        Raises:
            NeedsInput: Somebody must say whether a file is deleted.
        """
        self.brought.refused |= dict(list(found.beyond.items())[:MOST_PARKED])
        self.brought.left += max(0, len(found.beyond) - MOST_PARKED)
        mine = [each for each in found.changes if not self._but or self._but not in (each.path, each.was)]
        self.brought.left += max(0, len(mine) - MOST_CHANGES)
        mine = mine[:MOST_CHANGES]
        self._gone = [each.path for each in mine if each.kind == "deleted"]
        for change in mine:
            try:
                await self._one(change)
            except (Busy, Conflict, Exists, NotFound) as error:
                await self._park(change, why_of(error))
            except FlowError as error:
                if error.code in {"needs_input", "fenced", "gone", "storage", "budget"}:
                    raise
                self.brought.refused[change.path] = error.message
        return self.brought

    async def _one(self, change: Change) -> None:
        if not self._save:
            if change.kind in {"created", "edited", "moved"}:
                raise Conflict("it was asked for something else")
            self.brought.refused[change.path] = "it was asked for something else"
            return
        match change.kind:
            case "created":
                await self._create(change)
            case "edited":
                await self._edit(change)
            case "moved":
                await self._move(change)
            case "mode":
                await self._mode(change)
            case "deleted":
                await self._delete(change)

    async def _create(self, change: Change) -> None:
        data = self._bytes(change)
        there = await self._space.read(ArtifactAt(change.path))
        version = None
        if there is not None and not there.deleted and there.sha256 == change.sha256:
            version = there.version  # brought back before the process was gone
        else:
            made = await self._state.folder.create(
                self._space, change.path, data, note=self._note, origin=self._origin
            )
            version = made.version
        self._set_mode(change)
        self._saved(change, version)

    async def _edit(self, change: Change) -> None:
        data = self._bytes(change)
        artifact = await self._state.folder.artifact(self._space, change.path)
        if artifact.sha256 != change.sha256:
            self._check_base(artifact, change)
            async with self._locked(self._space, artifact) as fence:
                made = await self._state.folder.save(
                    self._space,
                    artifact,
                    fence=fence,
                    base=artifact.version,
                    data=data,
                    note=self._note,
                    then="keep",
                    origin=self._origin,
                )
                self._set_mode(change)
            self._saved(change, made.version)
        else:
            self._set_mode(change)
            self._saved(change, artifact.version)

    async def _move(self, change: Change) -> None:
        there = await self._space.read(ArtifactAt(change.path))
        if there is not None and not there.deleted and there.sha256 == change.sha256:
            self._saved(change, there.version)
            return
        data = self._bytes(change)
        artifact = await self._state.folder.artifact(self._space, change.was)
        self._check_base(artifact, change)
        folder = self._state.folder
        async with self._locked(self._space, artifact) as fence:
            made = await folder.move(
                self._space,
                artifact,
                change.path,
                fence=fence,
                base=artifact.version,
                note=self._note,
                then="keep",
            )
            if change.sha256 != change.base:
                moved = await folder.artifact(self._space, change.path)
                made = await folder.save(
                    self._space,
                    moved,
                    fence=fence,
                    base=moved.version,
                    data=data,
                    note=self._note,
                    then="keep",
                    origin=self._origin,
                )
            self._set_mode(change)
        self._saved(change, made.version)

    async def _mode(self, change: Change) -> None:
        artifact = await self._state.folder.artifact(self._space, change.path)
        async with self._locked(self._space, artifact):
            self._set_mode(change)
        self._saved(change, artifact.version)

    async def _delete(self, change: Change) -> None:
        """Agents may not delete: a person says whether it is done, and it is done in their name."""
        state = self._state
        there = await state.space.read(ArtifactAt(change.path))
        if (there is None or there.deleted) and not state.folder.holds(change.path):
            self._saved(change, None)
            return
        artifact = await state.folder.artifact(state.space, change.path)
        if artifact.sha256 != change.base:
            self.brought.refused[change.path] = (
                "@" + self._agent + " deleted it, and it has moved on meanwhile"
            )
            return
        named = ", ".join(self._gone[:10]) + (
            f" and {len(self._gone) - 10} more" if len(self._gone) > 10 else ""
        )
        gate = await answered(
            state,
            f"{self._key}/delete",
            kind="delete",
            question=f"@{self._agent} deleted {named} in its copy. Delete it in the project too?",
            options=["delete", "keep"],
            by_policy={"approve": "delete", "reject": "keep"}.get(state.request.on_gate),
            context={"agent": self._agent, "paths": self._gone[:MOST_CHANGES]},
        )
        if gate.answer != "delete":
            self.brought.refused[change.path] = f"@{self._agent} deleted it, and it was decided to keep it"
            return
        async with self._locked(state.space, artifact) as fence:
            await state.folder.delete(
                state.space,
                artifact,
                fence=fence,
                base=artifact.version,
                note=f"deleted by @{self._agent}: {self._note}",
            )
        self._saved(change, None)

    # --- how ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _locked(self, space: Space, artifact: rows.Artifact) -> AsyncIterator[int]:
        """The lock, at once or not at all: what somebody works on is not waited for."""
        purpose = f"changes of {self._key}"
        granted = await acquire(space, artifact.id, timeout_s=0, ttl_ms=TTL_MS, purpose=purpose)
        fence = granted.fence or 0
        try:
            yield fence
        finally:
            with contextlib.suppress(FlowError):  # a deleted artifact has no lock, a lost one is not ours
                await space.execute(ReleaseLock(artifact=artifact.id, fence=fence))

    def _check_base(self, artifact: rows.Artifact, change: Change) -> None:
        if artifact.sha256 != change.base:
            raise Conflict(
                f"it is at version {artifact.version} now, which is not what @{self._agent} began with"
            )

    def _bytes(self, change: Change) -> bytes:
        data = read_changed(self._copy, change)
        if data is None:
            raise NotAllowed("it was changed again after the turn")
        return data

    def _set_mode(self, change: Change) -> None:
        """Make the file a program, or none any more, for those who may read it."""
        if change.executable is None:
            return
        with contextlib.suppress(OSError):
            file = os.open(self._file(change.path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                mode = os.fstat(file).st_mode & 0o7777
                bits = (mode & 0o444) >> 2
                os.fchmod(file, mode | bits if change.executable else mode & ~EXECUTABLE)
            finally:
                os.close(file)

    def _file(self, path: str) -> Path:
        return self._state.folder.root / self._state.folder.locate(path)

    def _saved(self, change: Change, version: int | None) -> None:
        told: dict[str, Any] = {"path": change.path, "kind": change.kind}
        self.brought.saved.append(
            told | ({"version": version} if version else {}) | ({"was": change.was} if change.was else {})
        )

    async def _park(self, change: Change, why: str) -> None:
        if change.kind not in {"created", "edited", "moved"}:
            self.brought.refused[change.path] = why
            return
        if len(self.brought.parked) >= MOST_PARKED:
            self.brought.left += 1
            return
        about = await self._state.space.read(ArtifactAt(change.was or change.path))
        artifact = None if about is None or about.deleted else about
        data = self._bytes(change)
        moved = f"{why} (it moved {change.was} there)" if change.was else why
        self.brought.parked.append(
            await park(self._state, self._key, self._agent, change.path, data, moved, artifact)
        )

    @property
    def _origin(self) -> Provenance:
        step = self._state.steps.get(self._key)
        model = None if step is None else step.result.get("model")
        return Provenance(model=model, run=self._state.run, step=self._key)

    @property
    def _note(self) -> str:
        return f"@{self._agent} in its turn {self._key}"
