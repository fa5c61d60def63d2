"""What need not outlive a power failure does not wait for the disk; an event always does."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.actors import Actor, Caller
from flowide.domain.commands import AcquireLock, CreateArtifact
from flowide.domain.rows import Artifact
from flowide.space.arbiter import Work, run
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore


class Told(list[str]):
    """Statements of the writer that say how it is written."""

    def __call__(self, statement: str) -> None:
        if statement.startswith(("COMMIT", "PRAGMA sync", 'UPDATE "space" SET "seq" = "seq"')):
            self.append(statement)


async def _space(store: SqliteStore) -> tuple[LocalSpace, str]:
    space = LocalSpace(store, Actor("ana"))
    return space, (await space.execute(CreateArtifact(path="a.md", text=""))).ok.artifact


def _row(artifact: str) -> Artifact:
    return Artifact(artifact, "a.md", "a.md", "text", 1, "0" * 64, 1)


async def test_only_what_need_not_last_is_written_without_waiting(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "workspace.db")
    space, artifact = await _space(store)
    told = Told()
    store.trace(told)
    with store.write(lasting=False) as tx:
        tx.put([_row(artifact)])
    assert told == ["PRAGMA synchronous=NORMAL", "COMMIT"]
    told.clear()
    store.sync()
    assert told == ["PRAGMA synchronous=FULL", 'UPDATE "space" SET "seq" = "seq"', "COMMIT"]
    told.clear()
    store.sync()
    assert told == []
    await space.execute(AcquireLock(artifact=artifact))
    assert told == ["COMMIT"]
    await space.close()


async def test_an_event_lasts_also_when_it_was_not_expected(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "workspace.db")
    space, artifact = await _space(store)
    told = Told()
    store.trace(told)
    work = Work(AcquireLock(artifact=artifact), Caller(Actor("ana"), "c", "x"))
    run(work, store.write(lasting=False), space)
    assert told == [
        "PRAGMA synchronous=NORMAL", "COMMIT",
        "PRAGMA synchronous=FULL", 'UPDATE "space" SET "seq" = "seq"', "COMMIT",
    ]  # fmt: skip
    await space.close()


@pytest.mark.parametrize("lasting", [True, False])
async def test_a_draft_is_there_for_others_at_once(tmp_path: Path, *, lasting: bool) -> None:
    store, other = SqliteStore(tmp_path / "workspace.db"), SqliteStore(tmp_path / "workspace.db")
    space, artifact = await _space(store)
    with store.write(lasting=lasting) as tx:
        tx.put([_row(artifact)])
    with other.read() as view:
        row = view.get(Artifact, artifact)
    assert row is not None and row.size == 1
    other.close()
    await space.close()
