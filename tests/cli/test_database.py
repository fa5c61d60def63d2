"""`flowide database`: looking after the database of a hub."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from flowide.cli.database import database
from flowide.store.by_url import create_space
from flowide.store.explained import sqlite3
from tests.postgres import Server


def run(*args: str) -> tuple[int, str, BaseException | None]:
    done = CliRunner().invoke(database, list(args))
    return done.exit_code, done.stdout, done.exception


def test_spaces_are_listed_and_verified(tmp_path: Path) -> None:
    create_space(str(tmp_path), "team")
    create_space(str(tmp_path), "shop")

    assert run("list", "--database", str(tmp_path)) == (0, "shop\nteam\n", None)
    assert run("verify", "team", "--database", str(tmp_path))[1].startswith("sound: 0 events")


def test_a_space_that_was_changed_by_hand_is_told_with_an_exit_code(tmp_path: Path) -> None:
    create_space(str(tmp_path), "team")
    connection = sqlite3.connect(tmp_path / "team.db")
    connection.execute("UPDATE space SET seq = 7")
    connection.commit()
    connection.close()

    code, out, error = run("verify", "team", "--json", "--database", str(tmp_path))

    said = json.loads(out)
    assert code != 0 and getattr(error, "exit_code", None) == 10
    assert (said["ok"], said["head"], said["first_bad_seq"]) == (False, 7, 1)


def test_a_role_of_hubs_is_for_postgresql_only(tmp_path: Path, postgres: Server) -> None:
    refused = run("prepare", "--role", "hub", "--database", str(tmp_path))[2]
    name = postgres.new_database()
    postgres.sql("CREATE ROLE serving LOGIN")

    code, _, error = run("prepare", "--role", "serving", "--database", postgres.url(name))
    create_space(postgres.url(name, user="serving"), "team")

    assert "only PostgreSQL has roles" in str(refused)
    assert (code, error) == (0, None)
    assert json.loads(run("list", "--json", "--database", postgres.url(name, user="serving"))[1]) == ["team"]
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")
    postgres.sql("DROP ROLE serving")
