"""Making versions: the file and the log change together, and neither overwrites what it does not know."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flowide import settings
from flowide.domain import rows
from flowide.domain.commands import (
    AcceptVariation,
    Command,
    CreateArtifact,
    DeleteArtifact,
    MoveArtifact,
    Provenance,
    RestoreArtifact,
    SaveArtifact,
    Versioned,
)
from flowide.errors import BadInput, Conflict, Exists, FlowError, StorageFailed
from flowide.project import conflicts, sync
from flowide.project.files import Found, Overtaken, Staged
from flowide.project.kinds import kind_of
from flowide.project.place import DOT, DiskState, Place
from flowide.project.turn import uninterrupted
from flowide.space.api import Space
from flowide.space.queries import Content, FindArtifact, Locks, VariationText

if TYPE_CHECKING:
    from flowide.project.committing import Committing
    from flowide.project.resolving import Resolved

Then = Literal["keep", "release"]
_LOG = logging.getLogger("flowide")

__all__ = ["DOT", "DiskState", "ProjectFolder", "Then"]


class ProjectFolder(Place):
    """A place where versions are made."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.tell: Callable[[str], None] = _LOG.warning
        """Is told, in one line, what did not work beside a version that was made."""
        self._committing: Committing | None = None

    async def create(
        self,
        space: Space,
        path: str,
        data: str | bytes,
        *,
        note: str = "",
        origin: Provenance | None = None,
        kind: str | None = None,
        lock: bool = False,
    ) -> Versioned:
        """Make an artifact and its file.

        Raises:
            Exists: There is an artifact, or a file with other bytes, of this name.
        """
        raw = sync.as_bytes(data)
        located = self.located(space, path)
        content = await sync.content_of(space, raw)
        command = CreateArtifact(
            path=located,
            kind=kind or kind_of(located, raw),
            note=note,
            origin=origin or Provenance(),
            lock=lock,
            **content,
        )
        async with self.turn():
            await self.row_at(space, located)  # refuses names that differ only in case
            found = self._free(located, raw)
            made = await uninterrupted(self._commit(space, command, located, raw, found))
        return await self._saved(space, made)

    async def save(
        self,
        space: Space,
        artifact: rows.Artifact,
        *,
        fence: int,
        base: int,
        data: str | bytes,
        note: str = "",
        then: Then = "release",
        origin: Provenance | None = None,
    ) -> Versioned:
        """Make the next version and write the file, at once and with its mode.

        Raises:
            Fenced: The fence has ended.
            Conflict: The artifact has moved on from `base`, or the file from the newest version. The text is kept
                with a conflict card, whose id is in the error's `conflict`.
            TooLarge: Above 16 MiB.
            StorageFailed: The file cannot be written; then nothing was saved either.
        """
        raw = sync.as_bytes(data)
        command = SaveArtifact(
            artifact=artifact.id,
            fence=fence,
            base=base,
            note=note,
            then=then,
            origin=origin or Provenance(),
            **await sync.content_of(space, raw),
        )
        return await self._next(space, command, raw)

    async def accept(
        self,
        space: Space,
        artifact: rows.Artifact,
        *,
        set: str,
        number: int,
        fence: int,
        base: int,
        note: str = "",
        then: Then = "release",
    ) -> Versioned:
        """Make a variation the next version, with its lineage, and write the file; as `save` otherwise."""
        raw = (await space.read(VariationText(set, number))).encode()
        command = AcceptVariation(
            set=set, number=number, artifact=artifact.id, fence=fence, base=base, note=note, then=then
        )
        return await self._next(space, command, raw)

    async def restore(
        self,
        space: Space,
        artifact: rows.Artifact,
        *,
        fence: int,
        base: int,
        version: int,
        note: str = "",
        then: Then = "release",
    ) -> Versioned:
        """Make the next version with the bytes of an older one; also brings back what was deleted."""
        raw = await space.read(Content(artifact.id, version))
        command = RestoreArtifact(
            artifact=artifact.id, fence=fence, base=base, version=version, note=note, then=then
        )
        return await self._next(space, command, raw)

    async def move(
        self,
        space: Space,
        artifact: rows.Artifact,
        path: str,
        *,
        fence: int,
        base: int,
        note: str = "",
        then: Then = "release",
    ) -> Versioned:
        """Give the artifact and its file another path.

        Raises:
            Exists: There is a file or artifact of that name.
        """
        located = self.located(space, path)
        command = MoveArtifact(
            artifact=artifact.id, fence=fence, base=base, path=located, note=note, then=then
        )
        async with self.turn():
            row, found = await self._unchanged(space, command)
            here = self.same_file(row.path, located)
            if self.tree.exists(located) and not here:
                raise Exists(f"the file {located} exists already", hint="Choose another path.", path=located)
            raw = await space.read(Content(row.id))
            moved = await uninterrupted(
                self._commit(space, command, located, raw, found if here else None, like=row.path)
            )
            if not here:
                self.tree.remove(row.path, found)
        return await self._saved(space, moved)

    async def delete(
        self, space: Space, artifact: rows.Artifact, *, fence: int, base: int, note: str = ""
    ) -> Versioned:
        """Take the artifact and its file away; its versions stay."""
        command = DeleteArtifact(artifact=artifact.id, fence=fence, base=base, note=note)
        async with self.turn():
            row, found = await self._unchanged(space, command)
            deleted = (await uninterrupted(space.execute(command))).ok
            self.tree.remove(row.path, found)
        return await self._saved(space, deleted)

    async def write_out(self, space: Space, artifact: rows.Artifact) -> None:
        """Bring the file to the newest version, after a command that made one without writing it.

        Raises:
            Conflict: The file holds what is no version of the artifact; it was not overwritten.
        """
        async with self.turn():
            row = await space.read(FindArtifact(artifact.id))
            if row.deleted:
                return
            found = self.tree.read(row.path)
            if found is None:
                await uninterrupted(sync.write_head(space, self.tree, self.ledger, row, None))
            else:
                await uninterrupted(sync.in_step(space, self.tree, self.ledger, row, found))

    async def resolve(
        self, space: Space, conflict: str, choice: str = "variation", *, save: bool = False, note: str = ""
    ) -> Resolved:
        """Answer a conflict card, by its id, and carry the answer out (see `conflicts.CHOICES`).

        With `save` a merge without conflicts is saved at once; else it waits as a draft under the lock.

        Raises:
            Busy: Somebody else holds the lock.
            Gone: It was answered before.
        """
        from flowide.project.resolving import resolve

        return await resolve(self, space, conflict, choice, save=save, note=note)

    # --- how ------------------------------------------------------------------------------------

    async def _next(self, space: Space, command: Changing, raw: bytes) -> Versioned:
        async with self.turn():
            row, found = await self._unchanged(space, command, instead=raw)
            try:
                made = await uninterrupted(self._commit(space, command, row.path, raw, found))
            except Conflict as refused:
                raise await self._stale(space, command, raw, refused) from refused
        return await self._saved(space, made)

    async def _unchanged(
        self, space: Space, command: Changing, *, instead: bytes | None = None
    ) -> tuple[rows.Artifact, Found | None]:
        """The artifact and its file, when that is what the holder has seen, or what will stand there anyway.

        A stale fence or base is left to the rules to refuse; then the file is not looked at.
        """
        row = await space.read(FindArtifact(command.artifact))
        if row.deleted:
            return row, self._free(row.path, instead)
        [state] = await space.read(Locks(row.id))
        if state.lock.fence != command.fence or row.version != command.base:
            return row, None
        found = self.tree.read(row.path)
        if found is None or found.sha256 == row.sha256 or found.data == instead:
            return row, found
        if await sync.base_of(space, self.tree, self.ledger, row, found) is not None:
            raise await conflicts.changed_under_lock(space, row, found.data, mine=instead)
        return row, found

    def _free(self, path: str, raw: bytes | None) -> Found | None:
        """What is at a path nobody uses: nothing, or a file with these very bytes."""
        found = self.tree.read(path)
        if found is not None and found.data != raw:
            raise Exists(
                f"the file {path} exists already",
                hint="Save a new version of it, or choose another path.",
                path=path,
            )
        return found

    async def _stale(self, space: Space, command: Changing, raw: bytes, refused: Conflict) -> Conflict:
        """A card instead of a refusal, when the text is made from an older version that there is."""
        row = await space.read(FindArtifact(command.artifact))
        if "conflict" in refused.data or not 1 <= command.base < row.version or row.deleted:
            return refused
        if conflicts.digest(raw) == row.sha256:
            return refused
        return await conflicts.saved_over_stale_base(space, row, raw, base=command.base, fence=command.fence)

    async def _commit(
        self,
        space: Space,
        command: Command[Versioned],
        path: str,
        data: bytes,
        found: Found | None,
        *,
        like: str | None = None,
    ) -> Versioned:
        """Write beside the file, have the space decide, then let the content take the place of what was found."""
        staged = self.tree.stage(path, data, like=like)
        try:
            versioned = (await space.execute(command)).ok
        except BaseException:
            staged.abandon()
            raise
        try:
            _take_place(staged, path, versioned, found)
        except Overtaken:
            # The version is in the log, and what another program wrote stays: a matter for a card.
            staged.abandon()
            await self._touch(space, path)
        else:
            self.ledger.note(versioned.artifact, versioned.version, versioned.sha256)
        return versioned

    async def _saved(self, space: Space, made: Versioned) -> Versioned:
        """The version, after git got its share."""
        try:
            policy = settings.load(self.root).settings.git.commit
        except BadInput as error:
            self.tell(f"not committed to git: {error.message}")
            return made
        if policy != "off":
            if self._committing is None:
                from flowide.project.committing import Committing

                self._committing = Committing(self)
            await self._committing.saved(space, made, policy)
        return made


Changing = SaveArtifact | AcceptVariation | RestoreArtifact | MoveArtifact | DeleteArtifact


def _take_place(staged: Staged, path: str, versioned: Versioned, found: Found | None) -> None:
    try:
        staged.commit(found)
    except Overtaken:
        raise
    except FlowError as error:
        # What was staged stays, so the next touch writes the file.
        raise StorageFailed(
            f"version {versioned.version} of {path} is saved, but its file is not written: {error.message}",
            hint="Put right what is in the way, then look at the artifact again: that writes the file.",
            artifact=versioned.artifact,
            version=versioned.version,
            path=path,
        ) from error
