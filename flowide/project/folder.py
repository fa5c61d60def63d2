"""The project folder: its files are artifacts on first touch, kept in step with the space (see `sync`)."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from flowide.domain import rows
from flowide.domain.commands import (
    CreateArtifact,
    DeleteArtifact,
    MoveArtifact,
    Provenance,
    RestoreArtifact,
    SaveArtifact,
    Versioned,
)
from flowide.errors import BadInput, Exists, FlowError, NotAllowed, NotFound, StorageFailed
from flowide.project import ignore, sync
from flowide.project.files import Staged, Tree
from flowide.project.kinds import kind_of
from flowide.project.turn import FolderTurn, uninterrupted
from flowide.space.api import Space
from flowide.space.queries import ArtifactAt, Artifacts, Content, FindArtifact, History, Locks

Then = Literal["keep", "release"]
DiskState = Literal["same", "changed", "missing"]

DOT = ".flowide"
_GITIGNORE = (
    "# Made by FlowIDE: shared are just agents, flows and settings.\n/*\n!/agents/\n!/flows/\n!/config.toml\n"
)


class ProjectFolder:
    """A folder whose files are artifacts of a space. Belongs to one event loop."""

    def __init__(self, root: Path) -> None:
        self.root = root
        """Real path of the folder."""
        self.dot_dir = root / DOT
        self.database = self.dot_dir / "workspace.db"
        self._tree = Tree(root)
        self._turn = FolderTurn(self.dot_dir / "folder.turn")

    @classmethod
    def open(cls, path: Path | str) -> ProjectFolder:
        """Open a project; on first use `.flowide` is made, which git ignores but for what is shared.

        Raises:
            BadInput: No such folder.
            StorageFailed: `.flowide` cannot be made.
        """
        try:
            root = Path(path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise NotFound(
                f"there is no folder {str(path)[:300]!r}", hint="Make it, or name another."
            ) from error
        if not root.is_dir():
            raise BadInput(f"{path} is no folder", hint="Name the folder of the project.")
        folder = cls(root)
        folder._make_dot_dir()
        return folder

    def _make_dot_dir(self) -> None:
        if self.dot_dir.is_symlink() or (self.dot_dir.exists() and not self.dot_dir.is_dir()):
            raise BadInput(
                f"{self.dot_dir} is no folder",
                hint="Move it away: FlowIDE keeps the workspace in a folder there.",
            )
        rules = self.dot_dir / ".gitignore"
        try:
            self.dot_dir.mkdir(exist_ok=True)
            if not rules.exists():
                rules.write_text(_GITIGNORE)
        except OSError as error:
            raise StorageFailed(
                f"{self.dot_dir} cannot be made: {error.strerror}",
                hint="Make the project folder writable, or work on a copy.",
            ) from error

    # --- what there is --------------------------------------------------------------------------

    def scan(self) -> Iterator[str]:
        """Paths of the regular files that git would not ignore, by folder and name."""
        return ignore.scan(self.root)

    def ignored(self, path: str) -> bool:
        """Whether `scan` leaves this path out."""
        return ignore.ignored(self.root, path)

    def locate(self, path: str) -> str:
        """The artifact path of a file: relative, NFC, links inside the folder resolved; it need not exist.

        Raises:
            BadPath: Absolute, with `..`, out of the folder, or of git or the workspace.
        """
        return self._tree.locate(path)

    def holds(self, path: str) -> bool:
        """Whether there is a file of this path."""
        return self._tree.exists(path)

    def read(self, path: str) -> bytes | None:
        """Bytes of a file as it is on disk now; None when there is none."""
        found = self._tree.read(self._tree.locate(path))
        return None if found is None else found.data

    def state(self, artifact: rows.Artifact) -> DiskState:
        """How the file compares with the newest version. Reads the file when its size alone does not tell."""
        status = self._tree.status(artifact.path)
        if status is None:
            return "missing"
        if status.st_size != artifact.size:
            return "changed"
        found = self._tree.read(artifact.path)
        if found is None:
            return "missing"
        return "same" if found.sha256 == artifact.sha256 else "changed"

    async def artifact(self, space: Space, path: str) -> rows.Artifact:
        """The artifact of a file, in step with the disk; a file that was none yet becomes one, by `disk`.

        A file that has vanished stays an artifact: see `state`.

        Raises:
            BadPath: The path may not name an artifact.
            NotFound: Neither a file nor an artifact; the hint names similar ones.
            Conflict: The file was changed while somebody holds the lock; nothing was overwritten.
        """
        located = self._located(space, path)
        async with self._turn():
            return await uninterrupted(self._touch(space, located))

    async def find(self, space: Space, ref: str) -> rows.Artifact:
        """As `artifact`, by path or id; by its id also one that was deleted."""
        if len(ref) == 36 and ref.count("-") == 4:
            try:
                row = await space.read(FindArtifact(ref))
            except NotFound:
                pass
            else:
                return row if row.deleted else await self.artifact(space, row.path)
        return await self.artifact(space, ref)

    def _located(self, space: Space, path: str) -> str:
        located = self._tree.locate(path)
        if space.actor.kind == "agent" and located.casefold().startswith(f"{DOT}/"):
            raise NotAllowed(
                f"{space.actor.id} is an agent and may not touch {located}", hint="Ask a person."
            )
        return located

    async def _touch(self, space: Space, path: str) -> rows.Artifact:
        row = await self._row(space, path)
        found = self._tree.read(path)
        if row is not None:
            return await sync.in_step(space, self._tree, row, found)
        if found is None:
            raise await self._not_found(space, path)
        await sync.take_in(space, path, found.data)
        return await space.read(FindArtifact(path))

    async def _row(self, space: Space, path: str) -> rows.Artifact | None:
        row = await space.read(ArtifactAt(path))
        if row is None or row.path == path or self._same_file(row.path, path):
            return row
        raise Exists(
            f"{path} differs only in case from {row.path}, which is an artifact",
            hint="Rename one of them: both could not exist on every system.",
            artifact=row.id,
            path=row.path,
        )

    def _same_file(self, one: str, other: str) -> bool:
        try:
            return os.path.samefile(self.root / one, self.root / other)
        except OSError:
            return False

    async def _not_found(self, space: Space, path: str) -> NotFound:
        import difflib
        from itertools import islice

        known = [row.path for row in await space.read(Artifacts())][:20_000]
        close = difflib.get_close_matches(path, {*known, *islice(self.scan(), 20_000)}, n=3)
        return NotFound(
            f"there is no file or artifact {path}",
            hint=f"Did you mean {', '.join(close)}?" if close else "List them with `flowide artifact list`.",
            path=path,
            close=close,
        )

    # --- in step with the disk ------------------------------------------------------------------

    # --- making versions ------------------------------------------------------------------------

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
        located = self._located(space, path)
        content = await sync.content_of(space, raw)
        command = CreateArtifact(
            path=located,
            kind=kind or kind_of(located, raw),
            note=note,
            origin=origin or Provenance(),
            lock=lock,
            **content,
        )
        async with self._turn():
            await self._row(space, located)  # refuses names that differ only in case
            found = self._tree.read(located)
            if found is not None and found.data != raw:
                raise Exists(
                    f"the file {located} exists already",
                    hint="Save a new version of it, or choose another path.",
                    path=located,
                )
            return await uninterrupted(self._commit(located, raw, lambda: space.execute(command)))

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
            Conflict: The artifact has moved on from `base`, or the file from the newest version.
            TooLarge: Above 16 MiB.
            StorageFailed: The file cannot be written; then nothing was saved either.
        """
        raw = sync.as_bytes(data)
        content = await sync.content_of(space, raw)
        command = SaveArtifact(
            artifact=artifact.id,
            fence=fence,
            base=base,
            note=note,
            then=then,
            origin=origin or Provenance(),
            **content,
        )
        async with self._turn():
            row = await self._unchanged(space, artifact.id, fence, base, instead=raw)
            return await uninterrupted(self._commit(row.path, raw, lambda: space.execute(command)))

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
        async with self._turn():
            row = await self._unchanged(space, artifact.id, fence, base, instead=raw)
            return await uninterrupted(self._commit(row.path, raw, lambda: space.execute(command)))

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
        located = self._located(space, path)
        command = MoveArtifact(
            artifact=artifact.id, fence=fence, base=base, path=located, note=note, then=then
        )
        async with self._turn():
            row = await self._unchanged(space, artifact.id, fence, base)
            if self._tree.exists(located) and not self._same_file(row.path, located):
                raise Exists(f"the file {located} exists already", hint="Choose another path.", path=located)
            raw = await space.read(Content(row.id))
            moved = await uninterrupted(
                self._commit(located, raw, lambda: space.execute(command), like=row.path)
            )
            if not self._same_file(row.path, located):
                self._tree.remove(row.path)
            return moved

    async def delete(
        self, space: Space, artifact: rows.Artifact, *, fence: int, base: int, note: str = ""
    ) -> Versioned:
        """Take the artifact and its file away; its versions stay."""
        command = DeleteArtifact(artifact=artifact.id, fence=fence, base=base, note=note)
        async with self._turn():
            row = await self._unchanged(space, artifact.id, fence, base)
            deleted = (await uninterrupted(space.execute(command))).ok
            self._tree.remove(row.path)
            return deleted

    async def write_out(self, space: Space, artifact: rows.Artifact) -> None:
        """Bring the file to the newest version, after a command that made one without writing it.

        Raises:
            Conflict: The file holds what is no version of the artifact; it was not overwritten.
        """
        async with self._turn():
            row = await space.read(FindArtifact(artifact.id))
            found = self._tree.read(row.path)
            if row.deleted or (found is not None and found.sha256 == row.sha256):
                return
            if found is not None:
                versions = await space.read(History(row.id))
                if all(version.sha256 != found.sha256 for version in versions):
                    [lock] = await space.read(Locks(row.id))
                    raise await sync.conflict(space, row, found.data, holder=lock.lock.actor)
            await uninterrupted(sync.write_head(space, self._tree, row))

    async def _unchanged(
        self, space: Space, artifact: str, fence: int, base: int, *, instead: bytes | None = None
    ) -> rows.Artifact:
        """The artifact, when its file is what the holder has seen, or what will stand there anyway.

        A stale fence or base is left to the rules to refuse.
        """
        row = await space.read(FindArtifact(artifact))
        [lock] = await space.read(Locks(artifact))
        if row.deleted or lock.lock.fence != fence or row.version != base:
            return row
        found = self._tree.read(row.path)
        if found is None or found.sha256 == row.sha256 or found.data == instead:
            return row
        if not await sync.lags(space, self._tree, row, found):
            raise await sync.conflict(space, row, found.data, holder=lock.lock.actor)
        return row

    async def _commit(
        self,
        path: str,
        data: bytes,
        decide: Callable[[], Awaitable[Any]],
        *,
        like: str | None = None,
    ) -> Versioned:
        """Write beside the file, have the space decide, then let the content take its place."""
        staged = self._tree.stage(path, data, like=like)
        try:
            reply = await decide()
        except BaseException:
            staged.abandon()
            raise
        versioned: Versioned = reply.ok
        _take_place(staged, path, versioned)
        return versioned


def _take_place(staged: Staged, path: str, versioned: Versioned) -> None:
    try:
        staged.commit()
    except FlowError as error:
        # What was staged stays, so the next touch writes the file.
        raise StorageFailed(
            f"version {versioned.version} of {path} is saved, but its file is not written: {error.message}",
            hint="Put right what is in the way, then look at the artifact again: that writes the file.",
            artifact=versioned.artifact,
            version=versioned.version,
            path=path,
        ) from error
