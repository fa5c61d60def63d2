"""What agents would be told is shown before a run, and nothing is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Here, flowide, project

__all__ = ["flowide", "project"]

TOUCH = "- run: {command: touch ran}\n"


def told(here: Here, steps: str, *more: str) -> Any:
    (here.root / "f.yaml").write_text(f"flow: f\nsteps:\n{steps}")
    before = kept(here.root)
    said = here("run", "f.yaml", "--manifest", "--json", "--brief", "Better", *more)
    assert said.code == 0, said
    assert kept(here.root) == before
    return said.json


def kept(root: Path) -> dict[str, bytes]:
    """Every file of the project outside of the workspace."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[:1] != (".flowide",)
    }


def steps_of(found: Any) -> list[tuple[str, str]]:
    return [(call["step"], call["agent"]) for call in found["calls"]]


VARY = "- vary: {n: 3, path: src/shop.py}\n"


def test_the_calls_that_can_be_made_at_once_are_shown_and_nothing_is_done(flowide: Here) -> None:
    found = told(flowide, VARY + TOUCH)

    assert steps_of(found) == [("vary#1", "anders"), ("vary#2", "bea"), ("vary#3", "anders")]
    manifest = found["calls"][0]["manifest"]
    assert {"brief", "artifact", "task"} <= {item["kind"] for item in manifest["items"]}
    assert manifest["tokens"] == sum(item.get("tokens", 0) for item in manifest["items"])
    assert found["stops"] is None
    assert flowide("runs", "--json").json == []
    assert "vary" not in flowide("log").out


def test_what_is_told_in_the_run_is_what_was_shown(flowide: Here) -> None:
    [*shown] = told(flowide, VARY)["calls"]

    assert flowide("run", "f.yaml", "--headless", "--brief", "Better").code == 0
    real = flowide("runs", "manifest", "last", "vary#2", "--json").json

    def bare(manifest: Any) -> Any:  # ids of artifacts are made on first touch
        return [{name: value for name, value in each.items() if name != "id"} for each in manifest["items"]]

    assert bare(shown[1]["manifest"]) == bare(real)


@pytest.mark.parametrize(
    ("steps", "calls", "stops"),
    [
        (TOUCH + VARY, [], "run is a run step, which only a run carries out"),
        ("- gate: {question: May it?, options: [a, b]}\n" + VARY, [], "May it?"),
        ("- research: {sources: src/*.py, path: r.md}\n", ["research#read-S1"], None),
        ("- discuss: {message: '@bea what?', title: t}\n", 1, None),
        ("- tool: {tool: git/status}\n" + VARY, [], "tool is a tool step, which only a run carries out"),
        ("- draft: {path: src/shop.py, by: anders}\n", ["draft#1"], None),
        (
            "- parallel:\n    branches:\n      one: [{draft: {path: a.md, by: anders}}]\n"
            "      two: [{draft: {path: b.md, by: bea}}]\n",
            ["parallel/one/draft#1", "parallel/two/draft#1"],
            None,
        ),
    ],
)
def test_it_goes_as_far_as_no_answer_is_needed(
    flowide: Here, steps: str, calls: Any, stops: str | None
) -> None:
    (flowide.root / "f.yaml").write_text(f"flow: f\nsteps:\n{steps}")

    said = flowide("run", "f.yaml", "--manifest", "--json", "--brief", "Better", "--trust")

    assert said.code == 0, said
    found = [step for step, _ in steps_of(said.json)]
    assert (len(found) if isinstance(calls, int) else sorted(found)) == calls
    assert (stops is None) == (said.json["stops"] is None)
    assert stops is None or stops in said.json["stops"]["message"]
    assert not os.path.lexists("ran")


def test_people_read_a_table(flowide: Here) -> None:
    said = flowide("run", "variations", "--brief", "Better", "--set", "path=src/shop.py", "--manifest")

    assert said.code == 0
    assert "vary#1 by @anders" in said.out
    assert "nothing was sent" in said.err


@pytest.mark.parametrize("more", [("--resume", "last"), ("--queue",)])
def test_it_is_about_a_new_run(flowide: Here, more: tuple[str, ...]) -> None:
    said = flowide("run", "variations", "--manifest", *more)

    assert said.code == 2
    assert "--manifest is about a new run" in said.err


def test_what_a_run_would_fail_with_at_once_is_the_error(flowide: Here) -> None:
    said = flowide("run", "variations", "--brief", "Better", "--set", "path=src", "--manifest", "--json")

    assert (said.code, said.out) == (2, "")
    assert "src" in said.err


def test_a_wrong_flow_is_told_as_ever(flowide: Here) -> None:
    (flowide.root / "f.yaml").write_text("flow: f\nsteps:\n- vari: {n: 3}\n")

    said = flowide("run", "f.yaml", "--manifest")

    assert (said.code, said.out) == (2, "")
    assert "f.yaml:3" in said.err
