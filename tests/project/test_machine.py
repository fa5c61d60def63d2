"""People, other programs and crashes in any order: whatever FlowIDE replaced, moved or removed is still somewhere."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flowide.domain.commands import AcquireLock, AppendDraft, ReleaseLock, SaveArtifact
from flowide.domain.rows import Artifact, Lock
from flowide.errors import FlowError
from flowide.project import place
from flowide.project.conflicts import CHOICES, cards
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Content, FindArtifact, History, Locks
from flowide.testing import MemorySpace

T = TypeVar("T")

TEXTS = st.sampled_from(
    ["one\n", "one\ntwo\n", "two\nthree\n", "one\ntwo\nthree\n", "", "a\r\nb\r\n", "no end"]
)


class FolderMachine(RuleBasedStateMachine):
    """One file, edited from all sides."""

    @initialize()
    def open(self) -> None:
        self._settle, place.SETTLE_S = place.SETTLE_S, 0.0
        self._loop = asyncio.new_event_loop()
        self._root = Path(tempfile.mkdtemp())
        self._file = self._root / "a.txt"
        self._file.write_text("start\n")
        self._folder = ProjectFolder.open(self._root)
        self._space = MemorySpace()
        self._row: Artifact = self._run(self._folder.artifact(self._space, "a.txt"))
        self._versions: dict[int, bytes] = {}

    def teardown(self) -> None:
        if hasattr(self, "_loop"):
            self._loop.close()
            shutil.rmtree(self._root)
            place.SETTLE_S = self._settle

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def _now(self) -> Artifact:
        return self._run(self._space.read(FindArtifact(self._row.id)))

    def _lock(self) -> Lock:
        [state] = self._run(self._space.read(Locks(self._row.id)))
        return state.lock

    def _ours(self, work: Coroutine[Any, Any, Any]) -> None:
        """Something FlowIDE does, which may be refused; what stood in the file must not be lost by it."""
        before = self._file.read_bytes() if self._file.exists() else None
        try:
            self._run(work)
        except FlowError:
            after = self._file.read_bytes() if self._file.exists() else None
            assert before == after or self._is_kept(before)
        else:
            after = self._file.read_bytes() if self._file.exists() else None
            assert before == after or self._is_kept(before)

    def _is_kept(self, data: bytes | None) -> bool:
        store = self._space.store
        return data is None or any(store.blob(name) == data for name in store.blob_names())

    # --- other programs -----------------------------------------------------------------------------

    @rule(text=TEXTS)
    def vim_writes(self, text: str) -> None:
        self._file.write_bytes(text.encode())

    @rule(text=TEXTS)
    def vim_renames_over(self, text: str) -> None:
        (self._root / ".swap").write_bytes(text.encode())
        (self._root / ".swap").rename(self._file)

    @rule()
    def file_is_deleted(self) -> None:
        self._file.unlink(missing_ok=True)

    # --- people -------------------------------------------------------------------------------------

    @rule()
    def somebody_looks(self) -> None:
        self._ours(self._folder.artifact(self._space, "a.txt"))

    @rule()
    def everything_is_looked_through(self) -> None:
        self._ours(self._folder.catch_up(self._space))

    @rule()
    def lock_is_taken(self) -> None:
        self._ours(self._space.execute(AcquireLock(artifact=self._row.id)))

    @precondition(lambda self: self._lock().state != "free")
    @rule(text=TEXTS)
    def draft_is_written(self, text: str) -> None:
        fence = self._lock().fence
        self._ours(
            self._space.execute(AppendDraft(artifact=self._row.id, fence=fence, off=0, text=text, cut=True))
        )

    @precondition(lambda self: self._lock().state != "free")
    @rule(text=TEXTS, keep=st.booleans(), behind=st.integers(0, 1))
    def text_is_saved(self, text: str, keep: bool, behind: int) -> None:
        now = self._now()
        self._ours(
            self._folder.save(
                self._space,
                now,
                fence=self._lock().fence,
                base=now.version - behind,
                data=text,
                then="keep" if keep else "release",
            )
        )

    @precondition(lambda self: self._lock().state != "free")
    @rule(text=TEXTS)
    def version_is_made_without_the_folder(self, text: str) -> None:
        now = self._now()
        command = SaveArtifact(
            artifact=now.id, fence=self._lock().fence, base=now.version, text=text, then="keep"
        )
        self._ours(self._space.execute(command))

    @precondition(lambda self: self._lock().state != "free")
    @rule(data=st.data())
    def version_comes_back(self, data: st.DataObject) -> None:
        now = self._now()
        version = data.draw(st.integers(1, now.version))
        fence = self._lock().fence
        self._ours(
            self._folder.restore(
                self._space, now, fence=fence, base=now.version, version=version, then="keep"
            )
        )

    @precondition(lambda self: self._lock().state != "free")
    @rule(keep=st.sampled_from(["keep", "drop"]))
    def lock_is_released(self, keep: Any) -> None:
        command = ReleaseLock(artifact=self._row.id, fence=self._lock().fence, draft=keep)
        self._ours(self._space.execute(command))

    @rule(choice=st.sampled_from(list(CHOICES)), save=st.booleans())
    def conflict_is_settled(self, choice: str, save: bool) -> None:
        for card in self._run(cards(self._space)):
            self._ours(self._folder.resolve(self._space, card.id, choice, save=save))

    # --- crashes ------------------------------------------------------------------------------------

    @rule(text=TEXTS)
    def writer_dies_before_its_command(self, text: str) -> None:
        self._folder.tree.stage("a.txt", text.encode())

    @precondition(lambda self: self._lock().state != "free")
    @rule(text=TEXTS)
    def writer_dies_before_its_exchange(self, text: str) -> None:
        now = self._now()
        if not self._file.exists() or self._file.read_bytes() != self._run(self._space.read(Content(now.id))):
            return  # its save would have been refused
        self._folder.tree.stage("a.txt", text.encode())
        command = SaveArtifact(
            artifact=now.id, fence=self._lock().fence, base=now.version, text=text, then="keep"
        )
        self._run(self._space.execute(command))

    @rule()
    def process_starts_again(self) -> None:
        self._folder = ProjectFolder.open(self._root)

    @rule()
    def memory_is_lost(self) -> None:
        self._folder.ledger._open().execute("DELETE FROM seen")

    # --- what holds ---------------------------------------------------------------------------------

    @invariant()
    def versions_never_change_and_are_dense(self) -> None:
        if not hasattr(self, "_row"):
            return
        history = self._run(self._space.read(History(self._row.id)))
        assert [version.version for version in history] == list(range(1, len(history) + 1))
        for version in history:
            data = self._run(self._space.read(Content(self._row.id, version.version)))
            assert self._versions.setdefault(version.version, data) == data
            assert b"<<<<<<<" not in data

    @invariant()
    def a_look_without_a_conflict_leaves_file_and_artifact_in_step(self) -> None:
        if not hasattr(self, "_row") or not self._file.exists():
            return
        try:
            row = self._run(self._folder.artifact(self._space, "a.txt"))
        except FlowError as refused:
            assert "conflict" in refused.data
            return
        assert self._file.read_bytes() == self._run(self._space.read(Content(row.id)))
        assert not self._folder.tree.left_over("a.txt")


FolderMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestFolderMachine = FolderMachine.TestCase
