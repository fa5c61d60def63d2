"""The user's index: brought along at committed paths, under its own lock, so that no other command comes between."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from flowide.errors import Conflict
from flowide.project.git_model import Entry, entries

if TYPE_CHECKING:
    from flowide.project.repository import Repository

_MARK = b"flowide "
_NOTHING = "0" * 40
_EMPTY = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
"""Names of the empty blob, under SHA-1 and SHA-256."""


class Moved(Exception):
    """The branch or the index was changed by another process meanwhile."""


class UserIndex:
    """The index of a work tree. Use it inside `locked`."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._file = os.path.join(repository.git_dir, "index")
        self._lock = f"{self._file}.lock"
        self._next = f"{self._file}.flowide-{os.getpid()}"
        self._before = f"{self._next}.before"
        self._changed = False

    @contextlib.contextmanager
    def locked(self) -> Iterator[UserIndex]:
        """Hold git's own lock of the index; an exception puts back what `stage` changed.

        Raises:
            Moved: Another command holds it.
        """
        self._clear_stale()
        try:
            lock = os.open(self._lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            raise Moved("another git command uses the index") from None
        try:
            with os.fdopen(lock, "wb") as file:
                file.write(_MARK + str(os.getpid()).encode())
            try:
                yield self
            except BaseException:
                self._put_back()
                raise
        finally:
            for path in (self._next, self._before, self._lock):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

    def _put_back(self) -> None:
        if not self._changed:
            return
        if os.path.exists(self._before):
            os.replace(self._before, self._file)
        else:
            os.unlink(self._file)  # there was none

    def _clear_stale(self) -> None:
        """Remove the lock of a FlowIDE that was killed; a git that was killed leaves one too, which is not ours."""
        try:
            with open(self._lock, "rb") as file:
                said = file.read(40)
            if said.startswith(_MARK):
                os.kill(int(said.removeprefix(_MARK)), 0)
        except ProcessLookupError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._lock)
        except (OSError, ValueError):
            return

    def stage(
        self, before: Mapping[str, Entry | None], after: Mapping[str, Entry | None]
    ) -> tuple[list[str], list[str]]:
        """Bring it along where the user had nothing of their own: the paths that were, and those that were left.

        Raises:
            Conflict: A path has merge conflicts.
        """
        staged: list[str] = []
        left: list[str] = []
        for path, old in before.items():
            entry = self._entry(path)
            if entry == after[path]:
                continue
            # An empty entry where the branch has none is `git add -N`: a wish, no content.
            if entry == old or (old is None and entry is not None and entry.blob in _EMPTY):
                staged.append(path)
            else:
                left.append(path)
        if staged:
            self._change({path: after[path] for path in staged})
        return staged, left

    def _entry(self, path: str) -> Entry | None:
        listed = self._repository.run("ls-files", "-s", "-z", "--", path)
        records = [each for each in listed.split(b"\0") if each.endswith(b"\t" + os.fsencode(path))]
        if any(each.split(b"\t")[0].split()[2] != b"0" for each in records):
            raise Conflict(
                f"{path} has merge conflicts in the index, so it is not committed",
                hint="Resolve them with git first.",
            )
        return entries(b"\0".join(records)).get(os.fsencode(path))

    def _change(self, wanted: Mapping[str, Entry | None]) -> None:
        """Make the changes in a copy, which then takes the place of the index."""
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(self._file, self._next)
            shutil.copy2(self._file, self._before)
        put(self._repository, wanted, env={"GIT_INDEX_FILE": self._next})
        os.replace(self._next, self._file)
        self._changed = True


def put(
    repository: Repository,
    wanted: Mapping[str, Entry | None],
    *,
    env: Mapping[str, str] | None = None,
    config: Sequence[str] = (),
) -> None:
    """Set entries of an index (None = no entry): of the user's, or of the one that `env` names."""
    lines = [
        b"%s %s\t%s" % (entry.mode.encode(), entry.blob.encode(), os.fsencode(path))
        if entry is not None
        else b"0 %s\t%s" % (_NOTHING.encode(), os.fsencode(path))
        for path, entry in wanted.items()
    ]
    repository.run(
        "update-index", "--add", "--replace", "-z", "--index-info",
        input=b"".join(line + b"\0" for line in lines), env=env, config=config,
    )  # fmt: skip
