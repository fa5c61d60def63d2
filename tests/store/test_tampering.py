"""Cells of every column are changed and rows of every table removed: `verify` tells, or it is written here why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowide.errors import FlowError
from flowide.space import queries as q
from flowide.store.explained import sqlite3
from tests.store.conftest import Open

UNTOLD = {
    ("leases", "deadline_ms"), ("leases", "active_ms"), ("leases", "since_ms"), ("leases", "boot"),
    ("leases", "holder"), ("leases", "ttl_ms"), ("chunks", "stream"), ("chunks", "text"), ("live_drafts", "base"),
    ("live_drafts", "cuts"), ("space", "shape"),
}  # fmt: skip
"""Columns that nothing in the log could contradict; see docs/storage.md."""
UNTOLD_TABLES = {"words_idx"}
"""Where SQLite notes on which page of the search index a word begins: the words are compared, not these notes."""
UNTOLD_ROWS = {"leases", "chunks", "live_drafts", "replies"}
"""Tables from which a row may go by itself: a lease ends, a text is finished, a refusal has no event."""
ROWS = 3
"""Of each table: first, last and one of the middle."""


def _changes(value: Any) -> Iterator[Any]:
    yield None if value is not None else "x"
    if isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from (value + "x", value[:-1] if value else " ", value.swapcase())
    elif isinstance(value, bytes) and value:
        yield from (value[:-1], value[:-1] + bytes([value[-1] ^ 1]), bytes([value[0] ^ 128]) + value[1:])


def _tamperings(database: Path) -> Iterator[tuple[str, str, str, tuple[Any, ...]]]:
    """Table, column or what is done to a row, and the statement with its parameters."""
    with_rows = sqlite3.connect(database, isolation_level=None)
    tables = with_rows.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' "
        "AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    for (table,) in tables:
        columns = with_rows.execute(
            f"SELECT name, pk FROM pragma_table_info('{table}') ORDER BY cid"
        ).fetchall()
        names = [name for name, _ in columns]
        keys = [name for name, pk in columns if pk] or names
        rows = with_rows.execute(f'SELECT * FROM "{table}"').fetchall()
        for row in [rows[at] for at in sorted({0, len(rows) // 2, len(rows) - 1})][:ROWS] if rows else []:
            cells = dict(zip(names, row, strict=True))
            where = " AND ".join(f'"{key}" IS ?' for key in keys)
            which = tuple(cells[key] for key in keys)
            for name, value in cells.items():
                for changed in _changes(value):
                    if changed != value:
                        yield (
                            table,
                            name,
                            f'UPDATE "{table}" SET "{name}" = ? WHERE {where}',
                            (changed, *which),
                        )
            yield table, "(removed)", f'DELETE FROM "{table}" WHERE {where}', which
    with_rows.close()


def _done(database: Path, statement: str, parameters: tuple[Any, ...]) -> bool:
    """Whether the database let it be done at all."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        return bool(connection.execute(statement, parameters).rowcount)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


@pytest.mark.slow
async def test_whatever_is_changed_is_told(open_here: Open, lived_in: Path) -> None:
    sound = lived_in.read_bytes()
    missed: set[tuple[str, str, str]] = set()
    crashed: set[tuple[str, str, str]] = set()
    tried = 0
    for table, what, statement, parameters in list(_tamperings(lived_in)):
        lived_in.write_bytes(sound)
        if table in UNTOLD_TABLES or not _done(lived_in, statement, parameters):
            continue
        tried += 1
        try:
            space = open_here()
            told = await space.read(q.Verify())
            found = bool(told)
            await space.close()
        except FlowError:  # it is refused when it is opened
            found = True
        except Exception as error:  # told as a crash, which is not telling
            crashed.add((table, what, repr(error)))
            found = True
        if not found and (table, what) not in UNTOLD and not (what == "(removed)" and table in UNTOLD_ROWS):
            missed.add((table, what, str(parameters[0])[:40]))

    assert tried > 500
    assert not crashed, sorted(crashed)
    assert not missed, "\n".join(map(str, sorted(missed)))
