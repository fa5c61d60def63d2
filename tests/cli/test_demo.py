"""`flowide demo --headless`: the whole story without keys, network or test tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Apart


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], str, Path]:
    """What the demo printed as JSON, what on stderr, and where its project is."""
    import os
    import subprocess
    import sys

    place = tmp_path_factory.mktemp("demo") / "project"
    done = subprocess.run(
        [sys.executable, "-m", "flowide", "demo", "--headless", "--json", "--dir", str(place)],
        env={**os.environ, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout), done.stderr.decode(), place


def test_it_ends_with_an_accepted_artifact(told: tuple[dict[str, object], str, Path]) -> None:
    story, _, place = told

    assert (story["path"], story["version"], story["problems"]) == ("src/boundedcache/cache.py", 2, [])
    assert story["project"] == str(place)
    rows = {row["number"]: row for row in story["variations"]}  # type: ignore[attr-defined]
    chosen = rows[story["chosen"]]
    assert chosen["accepted"] == 2
    assert chosen["origin"] == "blend"
    assert {check["status"] for check in chosen["checks"]} == {"passed"}


def test_the_tests_of_some_variations_fail_and_say_so(told: tuple[dict[str, object], str, Path]) -> None:
    story, _, _ = told

    tests = {
        row["number"]: check
        for row in story["variations"]  # type: ignore[attr-defined]
        for check in row["checks"]
        if check["name"] == "tests"
    }
    assert {check["status"] for check in tests.values()} == {"passed", "failed"}
    assert all("FAILED" in check["output"] for check in tests.values() if check["status"] == "failed")
    assert all("No module named" not in check["output"] for check in tests.values())


def test_it_goes_on_with_a_discussion_a_decision_and_a_review(
    told: tuple[dict[str, object], str, Path],
) -> None:
    story, said, place = told

    assert story["messages"] == 7
    assert str(story["decision"]["text"]).startswith("an eviction looks at no more than eight entries")  # type: ignore[index]
    assert len(story["reasons"]) == 3  # type: ignore[arg-type]
    assert story["approved"] == 3
    assert "_LOOKED_AT" in (place / "src" / "boundedcache" / "cache.py").read_text()
    assert "sends version 2 back to redraft" in said


def test_agents_are_called_scripted(told: tuple[dict[str, object], str, Path]) -> None:
    story, said, _ = told

    models = {row["model"] for row in story["variations"]}  # type: ignore[attr-defined]
    assert models == {None, "scripted/edwin", "scripted/quinn"}
    assert "scripted: no model, no network" in said


def test_what_it_says_to_look_at_works(apart: Apart) -> None:
    said = apart("demo", "--headless", "--dir", "story")

    assert said.code == 0
    assert "accepted as version 2" in said.out
    looked = said.out.split("Where to look:")[1]
    assert f"cd {apart.root / 'story'}" in looked
    at = ("--project", "story")
    assert "LRUCache._evict" in apart("variations", "compare", "last", *at).out
    assert "_evict" in apart("variations", "compare", "last", "4", "8", *at).out
    assert "@quinn" in apart("artifact", "blame", "src/boundedcache/cache.py", *at).out
    assert "Decision: an eviction" in apart("thread", "show", "last", *at).out
    assert "+_LOOKED_AT" in apart("reviews", "show", "last", "--diff", *at).out
    assert apart("log", *at).code == 0
    assert apart("verify", *at).code == 0


def test_it_takes_no_folder_that_is_not_empty(apart: Apart) -> None:
    said = apart("demo", "--headless", "--dir", ".")

    assert said.code == 2
    assert "is not empty" in said.err
