"""`verify`, `stats`, `search`, `export` and `import` on the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from flowide.store.explained import sqlite3
from tests.cli.conftest import Here

SHOP = "src/shop.py"


@pytest.fixture
def saved(flowide: Here) -> str:
    """A second version of the shop, by ana."""
    flowide("lock", "acquire", SHOP)
    said = flowide("save", SHOP, "--fence", "2", "--base", "1", input=b"OTTERS = 3\n")
    assert said.code == 0, said
    return SHOP


def tamper(flowide: Here, statement: str) -> None:
    connection = sqlite3.connect(flowide.root / ".flowide" / "workspace.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_verify_rebuilds_tables_that_do_not_follow_from_the_log(flowide: Here, saved: str) -> None:
    tamper(flowide, """UPDATE "versions" SET "note" = 'forged'""")
    assert flowide("verify").code == 10

    said = flowide("verify", "--rebuild", "--json")

    assert said.code == 0 and said.json["ok"]
    assert flowide("verify").code == 0


def test_verify_names_the_first_bad_event_and_rebuilds_nothing_from_a_broken_log(
    flowide: Here, saved: str
) -> None:
    tamper(flowide, """UPDATE "events" SET "body" = replace("body", 'OTTERS', 'otters') WHERE "seq" = 1""")
    tamper(flowide, """UPDATE "events" SET "body" = replace("body", '"ana"', '"eve"') WHERE "seq" = 5""")
    tamper(flowide, """UPDATE "versions" SET "note" = 'forged'""")

    said = flowide("verify", "--rebuild")

    assert said.code == 10 and "seq 5" in said.err
    notes = {row["note"] for row in flowide("artifact", "history", SHOP, "--json").json}
    assert notes == {"forged"}


def test_stats_say_who_held_what(flowide: Here, saved: str) -> None:
    stats = flowide("stats", "--json").json

    ana = next(each for each in stats["actors"] if each["actor"] == "ana")
    assert (ana["saves"], ana["locks"]) == (1, 1)
    assert (SHOP, "ana") in {(each["path"], each["actor"]) for each in stats["holds"]}
    assert SHOP in flowide("stats", "--holds").out
    assert flowide("stats", "--since", "yesterday").code == 2


def test_search_finds_old_versions_on_request(flowide: Here, saved: str) -> None:
    assert [hit["title"] for hit in flowide("search", "otters", "--json").json] == [SHOP]
    flowide("lock", "acquire", SHOP)
    flowide("save", SHOP, "--fence", "3", "--base", "2", input=b"WEASELS = 3\n")

    assert flowide("search", "otters", "--json").json == []
    assert [hit["title"] for hit in flowide("search", "otters", "--history", "--json").json] == [f"{SHOP}@2"]


def test_a_space_moves_into_another_folder_and_is_the_same_there(
    flowide: Here, saved: str, tmp_path: Path
) -> None:
    out, again, other = tmp_path / "out", tmp_path / "again", tmp_path / "other"
    other.mkdir()
    assert flowide("export", str(out)).code == 0

    said = flowide("import", str(out), "--project", str(other), "--json")
    flowide("export", str(again), "--project", str(other))

    assert said.code == 0
    assert (other / SHOP).read_bytes() == b"OTTERS = 3\n"
    assert _all(out) == _all(again)
    assert flowide("verify", "--project", str(other)).code == 0
    assert flowide("import", str(out), "--project", str(other)).code == 2


def _all(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_files_that_are_there_are_not_overwritten_by_an_import(
    flowide: Here, saved: str, tmp_path: Path
) -> None:
    flowide("export", str(tmp_path / "out"))
    other = tmp_path / "other"
    (other / "src").mkdir(parents=True)
    (other / SHOP).write_text("MINE = 1\n")

    said = flowide("import", str(tmp_path / "out"), "--project", str(other))

    assert said.code == 0 and SHOP in said.err
    assert (other / SHOP).read_text() == "MINE = 1\n"


def test_a_hostile_export_is_refused_with_its_line(flowide: Here, saved: str, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()
    flowide("export", str(out))
    lines = (out / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"seq":3', b'"seq":9')
    (out / "events.jsonl").write_bytes(b"".join(lines))

    said = flowide("import", str(out), "--project", str(other), "--json")

    assert said.code == 2 and said.json["data"]["line"] == 3
    assert os.listdir(other) == [".flowide"]


def test_an_export_needs_an_empty_folder(flowide: Here, saved: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    said = flowide("export", str(tmp_path))

    assert said.code == 2 and (tmp_path / "file").read_text() == "mine"
    assert json.loads(flowide("export", str(tmp_path), "--json").out)["code"] == "bad_args"
