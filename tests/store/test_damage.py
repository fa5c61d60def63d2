"""A workspace that was tampered with, cut short, or pulled away: nothing wrong is believed, and it is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.errors import StorageFailed
from flowide.space import queries as q
from flowide.store.sqlite import SqliteStore
from tests.store.conftest import ANA, Open, sql


async def problems(open_here: Open) -> list[q.Problem]:
    return await open_here().read(q.Verify())


async def test_a_sound_workspace_has_no_problems(open_here: Open, lived_in: Path) -> None:
    assert await problems(open_here) == []


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE "events" SET "body" = replace("body", '"ana"', '"eve"') WHERE "seq" = 7""",
        """UPDATE "events" SET "body" = replace("body", '2026', '2025') WHERE "seq" = 7""",
        """UPDATE "events" SET "body" = "body" || ' ' WHERE "seq" = 7""",
        """UPDATE "events" SET "chain" = replace("chain", substr("chain", 1, 1), 'x') WHERE "seq" = 7""",
        """UPDATE "events" SET "body" = 'x' WHERE "seq" = 7""",
        """DELETE FROM "events" WHERE "seq" = 7""",
    ],
)
async def test_the_first_tampered_event_is_named(open_here: Open, lived_in: Path, change: str) -> None:
    sql(lived_in, change)

    found = await problems(open_here)

    assert (found[0].seq, found[0].where) == (7, "log")


async def test_events_cut_off_at_the_end_are_missed(open_here: Open, lived_in: Path) -> None:
    [(last,)] = sql(lived_in, 'SELECT max("seq") FROM "events"')
    sql(lived_in, 'DELETE FROM "events" WHERE "seq" = ?', last)

    assert (await problems(open_here))[0].seq == last


async def test_a_log_that_was_cut_is_searched_as_far_as_it_goes(open_here: Open, database: Path) -> None:
    space = open_here()
    for at in range(2):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text=f"otter {at}"))
    await space.close()
    sql(database, 'DELETE FROM "events" WHERE "seq" > 3')

    hits = await open_here().read(q.Search("otter"))

    assert [hit.title for hit in hits] == ["0.md"]


def _cells(database: Path) -> list[tuple[str, str, int]]:
    """Every column of every table the sample fills, with how many rows there are."""
    cells = []
    for (table,) in sql(
        database, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
    ):
        if table.startswith(("sqlite_", "words")):
            continue
        count = sql(database, f'SELECT count(*) FROM "{table}"')[0][0]
        cells += [(table, column[1], count) for column in sql(database, f'PRAGMA table_info("{table}")')]
    return cells


NUMBERS = {
    "seq", "version", "size", "fence", "number", "off", "wall_ms", "count", "deleted", "base", "ttl_ms", "deadline_ms",
    "active_ms", "since_ms", "duration_ms", "newest", "indexed", "shortlisted", "rejected",
}  # fmt: skip
UNSEEN = {
    ("leases", "deadline_ms"), ("leases", "active_ms"), ("leases", "since_ms"), ("leases", "boot"),
    ("leases", "holder"), ("chunks", "stream"), ("chunks", "text"), ("live_drafts", "base"),
    ("live_drafts", "cuts"), ("space", "shape"),
}  # fmt: skip
"""Cells that say nothing which the log could contradict: clocks, the letters of text that is being written (its
length is checked), and the search index's own numbers."""


async def test_any_cell_that_was_changed_is_noticed(open_here: Open, lived_in: Path) -> None:
    sound = lived_in.read_bytes()
    cells = [(table, column) for table, column, count in _cells(lived_in) if count]
    cells = [cell for cell in cells if cell not in {("space", "id"), ("texts", "id")}]  # numbers of rows
    missed = []
    for table, column in cells:
        lived_in.write_bytes(sound)
        change = f'coalesce("{column}", 0) + 1' if column in NUMBERS else f"coalesce(\"{column}\", '') || 'x'"
        [(key,)] = sql(lived_in, f"SELECT name FROM pragma_table_info('{table}') WHERE pk = 1")
        if column == "deleted":
            change = f'1 - "{column}"'
        newest = f'"{key}" = (SELECT max("{key}") FROM "{table}")'
        sql(lived_in, f'UPDATE OR REPLACE "{table}" SET "{column}" = {change} WHERE {newest}')
        space = open_here()
        found = await space.read(q.Verify())
        await space.close()
        if not found and (table, column) not in UNSEEN:
            missed.append((table, column))

    assert not missed, missed


@pytest.mark.parametrize(
    "table",
    ["events", "blobs", "replies", "texts", "versions", "variations", "tickets", "chunks", "live_drafts"],
)
async def test_any_row_that_was_removed_is_noticed(open_here: Open, lived_in: Path, table: str) -> None:
    sql(lived_in, f'DELETE FROM "{table}"')

    assert await problems(open_here)


async def test_tables_that_do_not_follow_from_the_log_are_made_again(open_here: Open, lived_in: Path) -> None:
    sql(lived_in, """UPDATE "versions" SET "note" = 'forged'""")
    sql(lived_in, 'DELETE FROM "locks"')
    space = open_here()
    assert await space.read(q.Verify())

    await space.rebuild()

    assert await space.read(q.Verify()) == []


async def test_a_damaged_content_is_named(open_here: Open, lived_in: Path) -> None:
    [(name,)] = sql(lived_in, 'SELECT "sha256" FROM "blobs" WHERE "codec" = \'zlib\' LIMIT 1')
    sql(lived_in, 'UPDATE "blobs" SET "data" = zeroblob(40) WHERE "sha256" = ?', name)

    [problem] = [each for each in await problems(open_here) if each.where == "content"]

    assert name in problem.what


async def test_a_damaged_page_is_told_and_the_first_unreadable_event_is_named(
    open_here: Open, database: Path
) -> None:
    space = open_here()
    for at in range(40):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text=f"text {at}"))
    await space.close()
    data = bytearray(database.read_bytes())
    page = data.rfind(b'"artifact.created"') // 4096 * 4096
    data[page : page + 4096] = os.urandom(4096)
    database.write_bytes(data)

    found = await problems(open_here)

    assert found[0].seq is not None and found[0].where == "log"


async def test_a_file_cut_short_is_refused_with_a_way_out(lived_in: Path) -> None:
    os.truncate(lived_in, lived_in.stat().st_size // 2)

    with pytest.raises(StorageFailed) as refused:
        space = SqliteStore(lived_in)
        try:
            with space.write() as tx:
                tx.position()
        finally:
            space.close()

    assert "export" in refused.value.hint


async def test_a_journal_cut_short_loses_its_end_and_nothing_else(open_here: Open, database: Path) -> None:
    space = open_here()
    for at in range(40):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text=f"text {at}"))
    killed = database.with_name("killed.db")
    killed.write_bytes(database.read_bytes())
    wal = database.with_name("workspace.db-wal").read_bytes()
    killed.with_name("killed.db-wal").write_bytes(wal[: len(wal) * 2 // 3])

    from flowide.space.local import LocalSpace

    after = LocalSpace(SqliteStore(killed), ANA)
    head, found = await after.head(), await after.read(q.Verify())
    await after.close()

    assert found == [] and 0 < head < await space.head()


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_a_workspace_pulled_away_is_told_to_readers_and_writers(
    open_here: Open, lived_in: Path, how: str
) -> None:
    space = open_here()
    if how == "removed":
        lived_in.unlink()
    else:
        other = lived_in.with_name("other.db")
        other.write_bytes(lived_in.read_bytes())
        other.replace(lived_in)

    for work in (space.execute(c.CreateArtifact(path="x.md", text="")), space.read(q.Locks()), space.head()):
        with pytest.raises(StorageFailed) as refused:
            await work
        assert "removed or replaced" in refused.value.message and refused.value.hint


@pytest.mark.parametrize("kind", ["artifact.saved", "lock.acquired"])
async def test_a_reply_that_was_removed_is_missed_by_its_event(
    open_here: Open, lived_in: Path, kind: str
) -> None:
    [(command,)] = sql(
        lived_in,
        """SELECT "body" ->> '$.cmd' FROM "events" WHERE "body" ->> '$.type' = ?
        AND "body" ->> '$.data.ticket' IS NULL LIMIT 1""",
        kind,
    )
    [(seq,)] = sql(lived_in, """SELECT min("seq") FROM "events" WHERE "body" ->> '$.cmd' = ?""", command)
    sql(lived_in, 'DELETE FROM "replies" WHERE "id" = ?', command)

    assert [each.what for each in await problems(open_here)] == [
        f"the stored reply of command {command} is missing, which made event {seq}"
    ]


@pytest.mark.parametrize(
    "change",
    [
        'UPDATE "space" SET "indexed" = "indexed" - 1',
        'UPDATE "space" SET "indexed" = 0',
        'UPDATE "texts" SET "newest" = 1 - "newest" WHERE "id" = 1',
        'UPDATE "texts" SET "id" = 5000 WHERE "id" = 1',
        'UPDATE "words_data" SET "block" = CAST(replace(hex("block"), \'0\', \'1\') AS BLOB) WHERE "id" = 1',
        'DELETE FROM "words_data" WHERE "id" > 10',
        'DELETE FROM "words_docsize" WHERE "id" = 1',
        'UPDATE "words_docsize" SET "sz" = x\'05\' WHERE "id" = 1',
        """INSERT INTO "words" ("rowid", "body") VALUES (900, 'a word that nobody wrote')""",
    ],
)
async def test_a_search_index_that_does_not_follow_from_the_log_is_noticed(
    open_here: Open, lived_in: Path, change: str
) -> None:
    space = open_here()
    await space.read(q.Search("one"))
    await space.close()
    assert await problems(open_here) == []

    sql(lived_in, change)

    assert await problems(open_here)
    space = open_here()
    await space.rebuild()
    assert await space.read(q.Search("variation"))
    assert await space.read(q.Verify()) == []


async def test_any_letter_of_the_word_index_counts(open_here: Open, lived_in: Path) -> None:
    space = open_here()
    await space.read(q.Search("one"))
    await space.close()
    blocks = sql(lived_in, 'SELECT "id", "block" FROM "words_data" WHERE "id" > 10')
    for id, block in blocks:
        at = max(at for at, byte in enumerate(block) if chr(byte).isalpha())
        changed = block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]
        sql(lived_in, 'UPDATE "words_data" SET "block" = ? WHERE "id" = ?', changed, id)
        assert await problems(open_here)
        sql(lived_in, 'UPDATE "words_data" SET "block" = ? WHERE "id" = ?', block, id)
    assert blocks
    assert await problems(open_here) == []
