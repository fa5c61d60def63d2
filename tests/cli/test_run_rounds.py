"""Rounds of variations with a model: what is in flight, what is sent, and how a choice becomes a version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.agents.fault_server import FaultServer, serving
from tests.cli.conftest import Apart

KEY = "sk-key-of-this-test-0123456789"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serving() as made:
        yield made


@pytest.fixture
def run(apart: Apart, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the variations flow headless, with two agents, on app.py."""
    monkeypatch.setenv("OPENAI_API_BASE", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    folder = apart.root / ".flowide" / "agents"
    for old in folder.glob("*"):
        old.unlink()
    for handle in ("ann", "ben"):
        text = f"---\nhandle: {handle}\nbackend: model\nmodel: openai/author\n---\nYou are {handle}.\n"
        (folder / f"{handle}.md").write_text(text)
    (apart.root / "app.py").write_text("def main():\n    return 0\n")

    def go(*options: str, n: int = 3) -> Any:
        fixed = ("--headless", "--json", "--brief", "Count", "--set", "path=app.py", "--set", f"n={n}")
        return apart("run", "variations", *fixed, *options)

    return go


def texts(apart: Apart) -> dict[int, str]:
    rows = apart("variations", "list", "last", "--json").json
    return {row["number"]: apart("variations", "show", "last", str(row["number"])).out for row in rows}


def asked(request: dict[str, Any]) -> str:
    said: str = request["messages"][-1]["content"]
    return said


def test_exactly_as_many_calls_are_in_flight_as_allowed(run: Any, server: FaultServer) -> None:
    said = run("--parallel", "3", "--set", "critique=false", n=10)

    assert said.code == 3
    assert server.most_in_flight == 3
    assert len(server.requests) == 10


def test_more_sends_exactly_the_short_list_and_the_notes(apart: Apart, run: Any, server: FaultServer) -> None:
    assert run("--set", "critique=false").code == 3
    first = texts(apart)
    apart("variations", "shortlist", "last", "1", "3")
    apart("variations", "note", "last", "3", "keep the order of this one")
    apart("variations", "note", "last", "2", "too clever")
    before = len(server.requests)

    assert apart("gate", "answer", "last", "more 2 with shorter names").code == 0
    assert apart("run", "--resume", "last", "--headless", "--json").code == 3

    sent = server.requests[before:]
    assert len(sent) == 2
    for request in sent:
        prompt = asked(request)
        assert first[1] in prompt
        assert first[3] in prompt
        assert first[2] not in prompt
        assert "on variation 3: keep the order of this one" in prompt
        assert "on variation 2: too clever" in prompt
        assert "with shorter names" in prompt
        assert re.findall(r"^Variation (\d+):", prompt, re.M) == ["1", "3"]
        assert [message["role"] for message in request["messages"]] == ["system", "user"]
    rows = apart("variations", "list", "last", "--json").json
    assert [(row["number"], row["round"]) for row in rows[3:]] == [(4, 2), (5, 2)]
    assert [parent["variation"] for parent in rows[3]["parents"]] == [1, 3]


def test_a_sentence_is_made_into_picks_by_an_agent_and_spliced_by_code(
    apart: Apart, run: Any, server: FaultServer
) -> None:
    assert run("--set", "critique=false").code == 3
    first = texts(apart)
    before = len(server.requests)

    apart("gate", "answer", "last", "the first, only that I like how the second one helps itself")
    said = apart("run", "--resume", "last", "--headless", "--json")

    assert said.code == 0, said
    assert len(server.requests) - before == 1
    helper = first[2][first[2].index("def helper") :]
    assert (apart.root / "app.py").read_text() == first[1][: first[1].index("def helper")] + helper
    [blended] = [line for line in said.lines if line["type"] == "variation.blended"]
    assert blended["data"]["parents"] == [{"variation": 1}, {"variation": 2, "piece": "helper"}]
    blame = apart("artifact", "blame", "app.py", "--json").out
    assert "@ann" in blame
    assert "@ben" in blame


def test_a_base_that_was_edited_meanwhile_is_a_conflict_and_the_choice_is_kept(
    apart: Apart, run: Any
) -> None:
    assert run("--set", "critique=false").code == 3
    chosen = texts(apart)[2]
    (apart.root / "app.py").write_text("def main():\n    return 'edited by hand'\n")
    apart("gate", "answer", "last", "2")

    said = apart("run", "--resume", "last", "--headless", "--json")

    assert said.code == 9
    error = said.lines[-1]["data"]["error"]
    assert error["code"] == "conflict"
    assert "by hand" in (apart.root / "app.py").read_text()
    assert texts(apart)[2] == chosen
    assert apart("variations", "accept", "last", "2").code == 9
    assert apart("variations", "accept", "last", "2", "--base", "2").code == 0
    assert (apart.root / "app.py").read_text() == chosen
    assert "by hand" in apart("artifact", "show", "app.py", "--version", "2").out


def test_an_artifact_that_is_locked_by_another_shell_of_the_same_person_is_locked(
    apart: Apart, run: Any
) -> None:
    held = apart("lock", "acquire", "app.py", "--ttl", "60", "--purpose", "typing", "--json").json

    said = run("--on-gate", "approve", "--lock-timeout", "0.2", "--set", "critique=false")

    assert said.code == 5
    error = said.lines[-1]["data"]["error"]
    assert (error["code"], error["retryable"]) == ("busy", True)
    assert "ana" in error["message"]
    assert apart("lock", "release", "app.py", "--fence", str(held["fence"])).code == 0
    assert apart("run", "--resume", "last", "--headless").code == 0


def test_the_critics_verdicts_are_notes_of_the_next_round(
    apart: Apart, run: Any, server: FaultServer
) -> None:
    assert run(n=2).code == 3
    apart("gate", "answer", "last", "more 1")

    assert apart("run", "--resume", "last", "--headless", "--json").code == 3

    [more] = [asked(each) for each in server.requests if "on the short list" in asked(each)]
    assert "on variation 1: + good in 1" in more
    rows = apart("variations", "list", "last", "--json").json
    assert [note["score"] for note in rows[2]["notes"]] == [5]
    assert [len(row["notes"]) for row in rows[:2]] == [2, 2]
