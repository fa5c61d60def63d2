"""Which files are opened, how, and what is said about those that are not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.errors import StorageFailed
from flowide.space import queries as q
from flowide.store import opening, schema
from flowide.store import sqlite as sqlite_store
from flowide.store.explained import sqlite3
from flowide.store.journal import file_system, wal_is_safe
from flowide.store.opening import SCHEMA_VERSION, Machine
from flowide.store.shape import shape
from flowide.store.sqlite import SqliteStore
from tests.store.conftest import Open, sql

OLD = Machine(sqlite_version=(3, 40, 1))


async def test_a_new_workspace_is_readable_by_its_owner_only(open_here: Open, database: Path) -> None:
    open_here()

    for file in database.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_commits_are_made_for_a_power_cut(database: Path) -> None:
    connection = opening.connect(database)

    told = {
        name: connection.execute(f"PRAGMA {name}").fetchall()[0][0] for name in ("synchronous", "mmap_size")
    }
    connection.close()

    assert told == {"synchronous": 2, "mmap_size": 0}


async def test_a_newer_schema_is_refused_and_left_alone(lived_in: Path) -> None:
    sql(lived_in, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = lived_in.read_bytes()

    with pytest.raises(StorageFailed) as refused:
        SqliteStore(lived_in)

    assert refused.value.data["schema"] == SCHEMA_VERSION + 1
    assert "Update FlowIDE" in refused.value.hint
    assert lived_in.read_bytes() == before


async def test_a_database_of_another_program_is_left_alone(database: Path) -> None:
    sql(database, "CREATE TABLE bookmarks (url TEXT)")
    before = database.read_bytes()

    with pytest.raises(StorageFailed) as refused:
        SqliteStore(database)

    assert "another program" in refused.value.message
    assert database.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello, I am a text\n" * 300, os.urandom(9000)], ids=["text", "noise"])
def test_what_is_no_database_is_left_alone(database: Path, content: bytes) -> None:
    database.write_bytes(content)

    with pytest.raises(StorageFailed) as refused:
        SqliteStore(database)

    assert "not a database" in refused.value.message and refused.value.hint
    assert database.read_bytes() == content


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed) as refused:
        SqliteStore(tmp_path / "nowhere" / "workspace.db")

    assert "folder exists" in refused.value.hint


# --- SQLite with the WAL bug, network file systems --------------------------------------------------


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 51, 3), True), ((3, 52, 0), True), ((3, 51, 2), False), ((3, 50, 7), True), ((3, 50, 6), False),
     ((3, 44, 6), True), ((3, 44, 5), False), ((3, 40, 1), False), ((3, 45, 9), False)],
)  # fmt: skip
def test_only_versions_with_the_fix_use_wal(version: tuple[int, int, int], safe: bool) -> None:
    assert wal_is_safe(version) is safe


async def test_an_old_sqlite_works_with_a_rollback_journal_and_says_so(
    open_here: Open, database: Path
) -> None:
    space = open_here(OLD)

    await space.execute(c.CreateArtifact(path="a.md", text="x"))

    assert space.notice is not None and "3.40.1" in space.notice and "\n" not in space.notice
    assert not database.with_name("workspace.db-wal").exists()
    assert await space.read(q.Verify()) == []


async def test_an_old_sqlite_does_not_touch_what_another_process_uses_in_wal_mode(open_here: Open) -> None:
    newer = open_here()
    await newer.execute(c.CreateArtifact(path="a.md", text="x"))

    with pytest.raises(StorageFailed) as refused:
        open_here(OLD)

    assert "WAL" in refused.value.message and refused.value.hint
    await newer.execute(c.CreateArtifact(path="b.md", text="x"))


async def test_a_newer_sqlite_goes_along_with_the_journal_an_older_one_uses(open_here: Open) -> None:
    older = open_here(OLD)
    await older.execute(c.CreateArtifact(path="a.md", text="x"))

    newer = open_here()
    await newer.execute(c.CreateArtifact(path="b.md", text="x"))

    artifacts = await older.read(q.Artifacts())
    assert [row.path for row in artifacts] == ["a.md", "b.md"]


async def test_a_file_that_another_program_keeps_locked_is_told_in_plain_words(
    open_here: Open, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = open_here(OLD)
    await space.execute(c.CreateArtifact(path="a.md", text="x"))
    monkeypatch.setattr(sqlite_store, "BUSY_S", 0.05)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StorageFailed) as refused:
        await space.execute(c.CreateArtifact(path="b.md", text="x"))
    other.execute("ROLLBACK")
    other.close()

    assert "busy" in refused.value.message and "locked" not in refused.value.message
    await space.execute(c.CreateArtifact(path="b.md", text="x"))


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_a_network_file_system_is_refused_with_a_way_out(database: Path, kind: str) -> None:
    with pytest.raises(StorageFailed) as refused:
        SqliteStore(database, machine=Machine(file_system=lambda path: kind))

    assert refused.value.data["file_system"] == kind
    assert "local disk" in refused.value.hint


def test_the_file_system_here_is_told(tmp_path: Path) -> None:
    assert file_system(tmp_path) == file_system(tmp_path / "not there yet")


# --- migrations -------------------------------------------------------------------------------------


def _make_first_version(database: Path) -> None:
    """A workspace as the first version made it, with rows its tables had."""
    from sqlite_utils import Database

    connection = opening.connect(database)
    db = Database(connection, execute_plugins=False)
    schema.first_schema(db)
    connection.execute('INSERT INTO "migrations" VALUES (1, ?, ?)', ("first_schema", "2026"))
    connection.execute("PRAGMA user_version = 1")
    connection.close()


async def test_an_older_workspace_is_brought_forward_with_a_backup(open_here: Open, database: Path) -> None:
    _make_first_version(database)

    space = open_here()
    await space.execute(c.CreateArtifact(path="a.md", text="x"))

    backup = database.with_name("workspace.db.v1.bak")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert sql(backup, "PRAGMA user_version") == [(1,)]
    assert await space.read(q.Verify()) == []
    notes = sql(database, 'SELECT "version" FROM "migrations"')
    assert notes == [(at,) for at in range(1, SCHEMA_VERSION + 1)]


async def test_tables_of_another_shape_are_made_again_from_the_log(open_here: Open, lived_in: Path) -> None:
    drafts = sql(lived_in, 'SELECT * FROM "live_drafts"')
    assert drafts
    sql(lived_in, 'ALTER TABLE "locks" ADD COLUMN "colour" TEXT')
    sql(lived_in, 'DROP TABLE "gates"')
    sql(lived_in, 'ALTER TABLE "live_drafts" ADD COLUMN "mood" TEXT')
    sql(lived_in, 'UPDATE "space" SET "shape" = ?', "of another day")

    space = open_here()

    assert await space.read(q.Verify()) == []
    assert [gate.id for gate in await space.read(q.Gates(None))] == ["g"]
    assert sql(lived_in, 'SELECT * FROM "live_drafts"') == drafts
    assert sql(lived_in, 'SELECT "shape" FROM "space"') == [(shape(),)]


async def test_a_migration_that_fails_leaves_the_workspace_as_it_was(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make_first_version(database)

    def fail(db: object) -> None:
        raise OSError("the disk went away")

    monkeypatch.setattr(schema, "MIGRATIONS", (schema.first_schema, fail))
    with pytest.raises(StorageFailed):
        SqliteStore(database)

    assert sql(database, "PRAGMA user_version") == [(1,)]


def test_the_schema_version_is_the_number_of_migrations() -> None:
    assert len(schema.MIGRATIONS) == SCHEMA_VERSION


async def test_the_marks_of_an_older_workspace_are_filled_in(open_here: Open, lived_in: Path) -> None:
    space = open_here()
    hits = await space.read(q.Search("one", history=True))
    await space.close()
    for back in (  # as schema 4 was
        'ALTER TABLE "migrations" ADD COLUMN "applied" TEXT',
        'ALTER TABLE "space" DROP COLUMN "indexed_chain"',
        'UPDATE "replies" SET "seal" = NULL',
        'DELETE FROM "migrations" WHERE "version" = 5',
        "PRAGMA user_version = 4",
    ):
        sql(lived_in, back)

    space = open_here()

    assert await space.read(q.Verify()) == []
    assert await space.read(q.Search("one", history=True)) == hits
    assert sql(lived_in, 'SELECT count(*) FROM "replies" WHERE "seal" IS NULL') == [(0,)]
    assert lived_in.with_name(f"{lived_in.name}.v4.bak").exists()
