"""One client at the door: who it is, what it holds, which runs it drives."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

from flowide.domain import rows
from flowide.domain.actors import DISK, SYSTEM, Actor
from flowide.errors import BadInput, BadPath, Conflict, NotFound
from flowide.mcp_server.holding import Holds
from flowide.mcp_server.running import Runs
from flowide.mcp_server.uris import SCHEME, path_in
from flowide.project.folder import DOT, ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import ArtifactAt, Artifacts, FindArtifact

_CLOSE_S = 1.0
"""Seconds that giving back locks and stopping runs may take: nothing outlives its client for long."""
_NO_NAMES = {"all", SYSTEM.id, DISK.id}


def handle_of(name: str, person: str) -> str:
    """The handle of a client that calls itself `name`: `Claude Code` is @claude-code."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", name.casefold()).strip("-_")[:56].strip("-_") or "agent"
    return f"{slug}-agent" if slug in {*_NO_NAMES, person} else slug


def check_handle(handle: str, person: str) -> str:
    """The handle that was chosen for the agent, without its @.

    Raises:
        BadInput: It cannot be one, or is that of the person.
    """
    from flowide.agents.load import check_handle as check

    chosen = check(handle.removeprefix("@"))
    if chosen == person:
        raise BadInput(
            f"@{chosen} is a person, and what connects here is an agent",
            hint=f"Choose a handle for the agent, for example --as {chosen}-agent.",
        )
    if chosen in _NO_NAMES:
        raise BadInput(f"@{chosen} is part of FlowIDE", hint="Choose another handle.")
    return chosen


class Session:
    """What the tools work on: the space as the agent sees it, the folder, its locks and its runs."""

    def __init__(self, folder: ProjectFolder, space: Space, *, handle: str, copy: Path | None = None) -> None:
        """`space` is the person's, whose agent the client is, or that of another agent of theirs.

        `copy` is the private copy of the project that the client works in; None = it has none.
        """
        self.folder = folder
        self._copy = copy
        self._roots = [folder.root] if copy is None else [copy, folder.root]
        self.person = space.actor.for_ or space.actor.id
        self.space = space.acting_as(Actor(handle, "agent", for_=self.person))
        self.holds = Holds(self.space)
        self.runs = Runs(self.space, folder)

    async def close(self) -> None:
        """Stop the runs with a checkpoint, give back the locks; drafts are kept."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(self.holds.close(), self.runs.close(), return_exceptions=True)

    def held_for_turn(self, lock: rows.Lock) -> bool:
        """Whether a lock is held for the turn of the agent that the client is."""
        return self._copy is not None and lock.actor == self.space.actor.id

    # --- finding --------------------------------------------------------------------------------

    def path_of(self, ref: str) -> str:
        """A path, as models give it, relative to the project: also absolute ones in it or the copy, and addresses."""
        if ref.startswith(SCHEME):
            ref = path_in(ref)
        if ref.startswith("/"):
            for root in self._roots:
                with suppress(ValueError):
                    ref = Path(ref).relative_to(root).as_posix()
        if "\0" in ref or not _utf8(ref):
            raise BadPath("a path is UTF-8 text without NUL", hint="Call list_artifacts for the paths.")
        return ref.removeprefix("./")

    async def files(self) -> list[str]:
        """Paths of the files that an agent may touch."""
        found = await asyncio.to_thread(list, self.folder.scan())
        return [path for path in found if not path.casefold().startswith(f"{DOT}/")]

    async def find(self, ref: str) -> rows.Artifact:
        """The artifact by path, id or address, in step with its file; a file becomes one when first touched."""
        return await self.folder.find(self.space, self.path_of(ref))

    async def look(self, ref: str) -> tuple[rows.Artifact, list[str]]:
        """As `find`, for reading: what would refuse a change is a warning, and deleted artifacts are found."""
        path = self.path_of(ref)
        try:
            row = await self.folder.find(self.space, path)
        except Conflict as conflict:
            row = await self.space.read(FindArtifact(conflict.data["artifact"]))
            return row, [f"{conflict.message}; this is version {row.version}"]
        except NotFound:
            gone = [row for row in await self.space.read(Artifacts(deleted=True)) if row.deleted]
            gone = [row for row in gone if row.path == path]
            if not gone:
                raise
            return max(gone, key=lambda row: row.id), ["it is deleted; restore brings it back"]
        if not row.deleted and self.folder.state(row) == "missing":
            return row, ["its file is gone; its versions are kept, and restore writes it again"]
        return row, []

    async def known(self, ref: str) -> rows.Artifact:
        """As `find`, but an artifact that is known is not compared with its file: who holds the lock goes on."""
        path = self.path_of(ref)
        if len(path) == 36 and path.count("-") == 4:
            with suppress(NotFound):
                return await self.space.read(FindArtifact(path))
        located = self.folder.located(self.space, path)
        row = await self.space.read(ArtifactAt(located))
        return row if row is not None and row.path == located else await self.find(ref)


def _utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
