"""`flowide gate`, `runs` and `events`: questions of runs answered from anywhere, and their log."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Here
from tests.project_with_agents import SHOP, shop

RUN = ("run", "variations", "--brief", "Better", "--set", "path=src/shop.py", "--set", "n=2", "--headless")


@pytest.fixture
def gate(flowide: Here) -> str:
    """Id of the open gate of a run that has stopped."""
    assert flowide(*RUN).code == 3
    [found] = flowide("gate", "list", "--json").json
    id: str = found["id"]
    return id


def test_an_open_gate_is_listed_with_its_question_and_its_run(flowide: Here, gate: str) -> None:
    [found] = flowide("gate", "list", "--json").json

    assert (found["status"], found["question"]) == ("open", "Which variation shall it be?")
    assert found["run"] == flowide("runs", "--json").json[0]["id"]
    assert gate in flowide("gate", "list").out


@pytest.mark.parametrize("ref", ["last", "id", "start of the id"])
def test_an_answer_goes_to_the_gate_that_is_meant_and_is_given_once(
    flowide: Here, gate: str, ref: str
) -> None:
    named = {"last": "last", "id": gate, "start of the id": gate[:20]}[ref]

    said = flowide("gate", "answer", named, "2", "--reason", "shorter", "--as", "bob")

    assert said.code == 0
    assert "flowide run --resume" in said.out
    [row] = flowide("gate", "list", "--all", "--json").json
    assert (row["status"], row["answer"], row["by"], row["reason"]) == ("answered", "2", "bob", "shorter")
    assert flowide("gate", "answer", gate, "1").code == 9
    assert flowide("gate", "list", "--json").json == []


def test_a_gate_that_is_not_there_is_told(flowide: Here) -> None:
    assert flowide("gate", "answer", "last", "1").code == 2
    assert flowide("gate", "answer", "0192", "1").code == 2
    assert "no gate waits" in flowide("gate", "list").err


@pytest.mark.parametrize("answer", ["", "  "])
def test_an_empty_answer_is_refused(flowide: Here, gate: str, answer: str) -> None:
    assert flowide("gate", "answer", gate, answer).code == 2


def test_an_answer_that_makes_no_sense_is_asked_again(flowide: Here, gate: str) -> None:
    flowide("gate", "answer", gate, "17")

    said = flowide("run", "--resume", "last", "--headless")

    assert said.code == 3
    assert "there is no variation 17" in said.err
    [again] = flowide("gate", "list", "--json").json
    assert again["id"] != gate
    assert (flowide.root / "src/shop.py").read_text() == SHOP


def test_a_policy_answers_in_place_of_a_person(flowide: Here, gate: str) -> None:
    assert flowide("run", "--resume", "last", "--headless", "--on-gate", "reject").code == 4

    [row] = flowide("gate", "list", "--all", "--json").json
    assert (row["answer"], row["reason"]) == ("reject", "policy --on-gate reject")
    assert (flowide.root / "src/shop.py").read_text() == SHOP


@pytest.mark.parametrize(
    ("policy", "code", "text"), [("stop", 3, SHOP), ("approve", 0, shop(1)), ("reject", 4, SHOP)]
)
def test_a_gate_of_its_own_follows_the_policy_too(flowide: Here, policy: str, code: int, text: str) -> None:
    (flowide.root / "ask.yaml").write_text(
        "flow: ask\nsteps:\n  - vary: {n: 2}\n  - gate: {question: 'Go on with {{ path }}?'}\n"
        "  - choose: {}\n  - accept: {}\n"
    )
    run = ("run", "./ask.yaml", "--brief", "Better", "--set", "path=src/shop.py", "--headless")

    assert flowide(*run, "--on-gate", policy).code == code

    assert (flowide.root / "src/shop.py").read_text() == text
    asked = flowide("gate", "list", "--all", "--json").json
    assert "Go on with src/shop.py?" in [each["question"] for each in asked]


def test_runs_are_listed_newest_first_with_how_they_ended(flowide: Here, gate: str) -> None:
    flowide(*RUN, "--on-gate", "approve")

    found = flowide("runs", "--json").json

    assert [run["status"] for run in found] == ["completed", "waiting"]
    assert found[0]["totals"]["calls"] == 3
    assert "flow_text" not in found[0]
    assert len(flowide("runs", "-n", "1", "--json").json) == 1
    assert "completed" in flowide("runs").out


def test_the_log_of_the_space_is_printed_from_a_cursor_on(flowide: Here, gate: str) -> None:
    lines = flowide("events").lines

    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert flowide("events", "--since", "5").lines == lines[5:]


def test_lines_of_a_run_hold_nothing_of_another(flowide: Here, gate: str) -> None:
    flowide(*RUN, "--on-gate", "approve")
    first, second = flowide("runs", "--json").json[::-1]

    said = flowide("events", first["id"]).lines

    assert {line["run"] for line in said} == {first["id"]}
    assert {line["run"] for line in flowide("events", second["id"]).lines} == {second["id"]}
    assert said[-1]["data"]["status"] == "waiting"


def test_a_run_that_is_not_there_is_told(flowide: Here) -> None:
    assert flowide("events", "0192f").code == 2
    assert flowide("run", "--resume", "0192f", "--headless").code == 2
