"""The folder of a project, and its files as artifacts: made on first touch, in step ever after (see `sync`)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from flowide.domain import rows
from flowide.errors import BadInput, Conflict, Exists, FlowError, NotAllowed, NotFound, StorageFailed
from flowide.project import conflicts, ignore, sync
from flowide.project.conflicts import Card
from flowide.project.files import Found, Tree
from flowide.project.ledger import Ledger, stamp_of
from flowide.project.turn import FolderTurn, uninterrupted
from flowide.space.api import Space
from flowide.space.queries import ArtifactAt, Artifacts, FindArtifact
from flowide.text import close_to

DiskState = Literal["same", "changed", "missing", "blocked"]
"""`blocked`: what has the file's name is no file, or cannot be read."""

if TYPE_CHECKING:
    from flowide.project.catching_up import Change
    from flowide.project.watching import News

DOT = ".flowide"
_GITIGNORE = (
    "# Made by FlowIDE: shared are just agents, flows and settings.\n/*\n!/agents/\n!/flows/\n!/config.toml\n"
)


SETTLE_S = 0.05
"""A file that was changed less than this ago may still be being written; it is waited for."""
MOST_SETTLING_S = 1.0


class Place:
    """A folder whose files are artifacts of a space. Belongs to one event loop."""

    def __init__(self, root: Path) -> None:
        self.root = root
        """Real path of the folder."""
        self.dot_dir = root / DOT
        self.database = self.dot_dir / "workspace.db"
        self.tree = Tree(root)
        self.turn = FolderTurn(self.dot_dir / "folder.turn")
        self.ledger = Ledger(self.dot_dir / "folder.db")

    @classmethod
    def open(cls, path: Path | str) -> Self:
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
        return self.tree.locate(path)

    def holds(self, path: str) -> bool:
        """Whether there is a file of this path."""
        return self.tree.exists(path)

    def read(self, path: str) -> bytes | None:
        """Bytes of a file as it is on disk now; None when there is none."""
        found = self.tree.read(self.tree.locate(path))
        return None if found is None else found.data

    def keep_beside(self, name: str, data: bytes) -> str:
        """Write bytes that have no other place into the workspace's `kept` folder; the path in the project."""
        folder = self.dot_dir / "kept"
        try:
            folder.mkdir(exist_ok=True)
            for number in range(1, 10_000):
                file = folder / f"{number}-{name[-60:]}"
                with suppress(FileExistsError), file.open("xb") as out:
                    out.write(data)
                    return file.relative_to(self.root).as_posix()
        except OSError as error:
            raise StorageFailed(
                f"{folder} cannot be written: {error.strerror}", hint="Make room there, then try again."
            ) from error
        raise StorageFailed(f"{folder} is full of kept files", hint="Look through it and remove some.")

    def state(self, artifact: rows.Artifact) -> DiskState:
        """How the file compares with the newest version; it is read only when its size and times do not tell."""
        try:
            status = self.tree.status(artifact.path)
            if status is None:
                return "missing"
            seen = self.ledger.get(artifact.id)
            if seen is not None and seen.stamp and seen.stamp == stamp_of(status):
                return "same" if seen.sha256 == artifact.sha256 else "changed"
            found = self.tree.read(artifact.path)
        except BadInput:
            return "blocked"
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
        located = self.located(space, path)
        async with self.turn():
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

    def located(self, space: Space, path: str) -> str:
        located = self.tree.locate(path)
        if space.actor.kind == "agent" and located.casefold().startswith(f"{DOT}/"):
            raise NotAllowed(
                f"{space.actor.id} is an agent and may not touch {located}", hint="Ask a person."
            )
        return located

    async def _touch(self, space: Space, path: str) -> rows.Artifact:
        row = await self.row_at(space, path)
        found = self.tree.read(path)
        if found is not None and (row is None or found.sha256 != row.sha256):
            found = await self.settled(path, found)
        if row is not None:
            return await sync.in_step(space, self.tree, self.ledger, row, found)
        if found is None:
            raise await self._not_found(space, path)
        await sync.take_in(space, path, found.data)
        row = await space.read(FindArtifact(path))
        sync.note(self.ledger, row, found)
        return row

    async def settled(self, path: str, found: Found) -> Found | None:
        """The file once nobody has written to it for a moment: half of a text is no version."""
        patience = time.monotonic() + MOST_SETTLING_S
        while time.monotonic() < patience:
            age_s = (time.time_ns() - found.changed_ns) / 1e9
            if not 0 <= age_s < SETTLE_S:
                break
            await asyncio.sleep(SETTLE_S - age_s)
            again = self.tree.read(path)
            if again is None or again.changed_ns == found.changed_ns:
                return again
            found = again
        return found

    async def catch_up(self, space: Space, paths: Collection[str] | None = None) -> list[Change]:
        """Bring the artifacts at these paths, or all, into step with their files; what changed, by path.

        Nothing is raised for a single file: conflicts and files that cannot be read are among the changes.
        """
        from flowide.project.catching_up import catch_up

        return await catch_up(self, space, paths)

    def watch(self, space: Space) -> AsyncIterator[News]:
        """Keep artifacts in step with their files until closed; the news of it."""
        from flowide.project.watching import watch

        return watch(self, space)

    async def conflicts(self, space: Space) -> list[Card]:
        """Conflicts that wait for an answer, newest first; those whose two texts are one by now are closed."""
        for artifact in {card.artifact for card in await conflicts.cards(space)}:
            row = await space.read(FindArtifact(artifact))
            try:
                row = await self.artifact(space, row.path)
            except Conflict:
                continue
            except FlowError:
                row = await space.read(FindArtifact(artifact))
            if self.state(row) == "same":
                await conflicts.settle_moot(space, row, f"the file is version {row.version} again")
        return await conflicts.cards(space)

    async def row_at(self, space: Space, path: str) -> rows.Artifact | None:
        row = await space.read(ArtifactAt(path))
        if row is None or row.path == path or self.same_file(row.path, path):
            return row
        raise Exists(
            f"{path} differs only in case from {row.path}, which is an artifact",
            hint="Rename one of them: both could not exist on every system.",
            artifact=row.id,
            path=row.path,
        )

    def same_file(self, one: str, other: str) -> bool:
        try:
            return os.path.samefile(self.root / one, self.root / other)
        except OSError:
            return False

    async def _not_found(self, space: Space, path: str) -> NotFound:
        from itertools import islice

        known = [row.path for row in await space.read(Artifacts())][:20_000]
        close = close_to(path, {*known, *islice(self.scan(), 20_000)}, 3)
        return NotFound(
            f"there is no file or artifact {path}",
            hint=f"Did you mean {', '.join(close)}?" if close else "List them with `flowide artifact list`.",
            path=path,
            close=close,
        )
