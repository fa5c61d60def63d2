"""A new database is what an old one is made to fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from flowide.domain.rows import PROJECTIONS, TRANSIENT
from flowide.store.explained import sqlite3
from flowide.store.schema import fit_tables, migrate


def tables(connection: Any) -> set[tuple[str, str, frozenset[tuple[str, ...]]]]:
    """Columns and indexes of each table."""
    found = set()
    for row in (*PROJECTIONS, *TRANSIENT):
        columns = connection.execute(f'PRAGMA table_xinfo("{row.TABLE}")').fetchall()
        names = [
            name for _, name, _, _, _ in connection.execute(f'PRAGMA index_list("{row.TABLE}")').fetchall()
        ]
        indexes = frozenset(
            tuple(each[2] for each in connection.execute(f'PRAGMA index_info("{name}")').fetchall())
            for name in names
        )
        found.add((row.TABLE, str(columns), indexes))
    return found


def test_a_new_database_needs_no_fitting(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    migrate(connection, tmp_path / "new.db", current=0)
    made = tables(connection)
    version = connection.execute("PRAGMA schema_version").fetchall()

    fit_tables(connection)

    assert connection.execute("PRAGMA schema_version").fetchall() == version
    assert tables(connection) == made
    connection.close()


def test_a_new_database_is_made_without_sqlite_utils(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flowide.store.sqlite import SqliteStore\n"
        f"SqliteStore(Path({str(tmp_path / 'new.db')!r})).close()\n"
        "print('sqlite_utils' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
