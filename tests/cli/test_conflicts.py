"""Conflicts are listed, shown and settled from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Apart, Here

BASE = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture
def met(flowide: Here, apart: Apart, project: Path) -> str:
    """A save met a change by another program; the id of the conflict."""
    (project / "a.txt").write_text(BASE)
    fence = flowide("lock", "acquire", "a.txt", "--json").json["fence"]
    (project / "a.txt").write_text(BASE.replace("one", "ONE by vim"))
    mine = BASE.replace("five", "FIVE by ana").encode()
    said = apart("save", "a.txt", "--fence", str(fence), "--json", input=mine)
    assert said.code == 9, said
    conflict: str = said.json["data"]["conflict"]
    assert conflict in said.err
    return conflict


def test_conflicts_are_listed_and_shown(flowide: Here, met: str) -> None:
    [listed] = flowide("conflicts", "list", "--json").json
    shown = flowide("conflicts", "show", "a.txt")

    assert (listed["id"], listed["path"], listed["base"], listed["holder"]) == (met, "a.txt", 1, "ana")
    assert "+ONE by vim" in shown.out
    assert "+FIVE by ana" in shown.out
    assert "variation" in shown.err
    assert flowide("conflicts", "show", "last", "--side", "merged").out == (
        "ONE by vim\ntwo\nthree\nfour\nFIVE by ana\n"
    )
    assert flowide("conflicts", "show", met[:20], "--side", "base").out == BASE


def test_without_a_choice_mine_becomes_a_variation(flowide: Here, project: Path, met: str) -> None:
    said = flowide("conflicts", "resolve", met, "--json")

    assert (said.code, said.json["choice"], said.json["number"]) == (0, "variation", 1)
    assert flowide("artifact", "show", "a.txt").out == (project / "a.txt").read_text()
    assert flowide("conflicts", "list", "--json").json == []
    assert [each["answer"] for each in flowide("conflicts", "list", "--all", "--json").json] == ["variation"]


def test_a_merge_is_saved_when_asked_to(flowide: Here, project: Path, met: str) -> None:
    said = flowide("conflicts", "resolve", "a.txt", "merge", "--save", "-m", "both", "--json")

    assert (said.code, said.json["version"]) == (0, 3)
    assert (project / "a.txt").read_text() == "ONE by vim\ntwo\nthree\nfour\nFIVE by ana\n"
    assert flowide("lock", "list", "--json").json == []


def test_what_a_merge_leaves_to_decide_is_exit_9_and_a_draft(flowide: Here, project: Path, met: str) -> None:
    (project / "a.txt").write_text(BASE.replace("five", "5 by vim"))

    said = flowide("conflicts", "resolve", "last", "merge", "--save")

    assert said.code == 9
    assert "flowide edit a.txt --fence" in said.err
    assert (project / "a.txt").read_text() == BASE.replace("five", "5 by vim")


def test_a_conflict_is_answered_as_the_gate_it_is(flowide: Here, met: str) -> None:
    assert flowide("gate", "answer", met, "draft").code == 0

    assert len(flowide("drafts", "--json").json) == 1
    assert flowide("conflicts", "list", "--json").json == []


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("resolve", "0000"), 2),
        (("resolve", "a.txt", "burn"), 2),
        (("show", "nowhere.txt"), 2),
        (("show", "last", "--side", "up"), 2),
    ],
)
def test_what_cannot_be_is_refused(flowide: Here, met: str, args: tuple[str, ...], code: int) -> None:
    assert flowide("conflicts", *args).code == code
    assert len(flowide("conflicts", "list", "--json").json) == 1


def test_an_answer_given_twice_is_exit_9(flowide: Here, met: str) -> None:
    flowide("conflicts", "resolve", met, "discard")

    assert flowide("conflicts", "resolve", met, "discard").code == 9


def test_conflicts_without_a_command_lists_them(flowide: Here, met: str) -> None:
    [listed] = flowide("conflicts", "--json").json

    assert listed["id"] == met
