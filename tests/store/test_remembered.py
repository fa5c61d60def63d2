"""What one transaction leaves for the next holds only while nobody else writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowide.domain.rows import Artifact
from flowide.store.explained import sqlite3
from flowide.store.sqlite import SqliteStore


def artifact(version: int) -> Artifact:
    return Artifact("a", "a.md", "a.md", "text", version, "0" * 64, 1, False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "workspace.db")
    with opened.write() as tx:
        tx.put([artifact(1)])
    yield opened
    opened.close()


def asked(store: SqliteStore) -> tuple[int, int]:
    """The version that a transaction sees, and how often it asked the database for an artifact."""
    statements: list[str] = []
    store.trace(statements.append)
    with store.write() as tx:
        row = tx.get(Artifact, "a")
    store.trace(None)
    assert row is not None
    return row.version, sum('FROM "artifacts"' in each for each in statements)


def test_a_row_that_was_written_is_not_read_again(store: SqliteStore) -> None:
    assert asked(store) == (1, 0)


def test_what_another_connection_wrote_is_seen(store: SqliteStore) -> None:
    other = SqliteStore(store.path)
    with other.write() as tx:
        tx.put([artifact(2)])
    assert asked(store) == (2, 1)
    assert asked(other) == (2, 0)
    with other.write() as tx:
        tx.drop([artifact(2)])
    other.close()
    with store.write() as tx:
        assert tx.get(Artifact, "a") is None


def test_what_was_undone_is_not_remembered(store: SqliteStore) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        tx.put([artifact(2)])
        raise RuntimeError
    assert asked(store)[0] == 1


def test_what_a_savepoint_undid_is_not_remembered(store: SqliteStore) -> None:
    with store.write() as tx:
        with pytest.raises(RuntimeError), tx.savepoint():
            tx.put([artifact(2)])
            raise RuntimeError
        tx.put([artifact(3)])
        with pytest.raises(RuntimeError), tx.savepoint():
            tx.put([artifact(4)])
            raise RuntimeError
    assert asked(store)[0] == 3


def test_what_was_written_past_the_transaction_is_seen(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.put([artifact(2)])
        tx.cursor.execute('UPDATE "artifacts" SET "version" = 7')  # type: ignore[attr-defined] # as a rebuild does
    assert asked(store) == (7, 1)


def test_a_database_changed_by_hand_is_seen(store: SqliteStore) -> None:
    with sqlite3.connect(store.path, isolation_level=None) as by_hand:
        by_hand.execute('UPDATE "artifacts" SET "version" = 9')
    assert asked(store) == (9, 1)
