"""Tools on the command line: servers listed and asked, and a model that uses them in a run from end to end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agents import tool_behaviours
from tests.agents.fault_server import FaultServer, serving
from tests.agents.tools.conftest import MISBEHAVING
from tests.cli.conftest import Apart, Here

assert tool_behaviours  # imported for what it adds to the server


def bring(root: Path, *args: str) -> None:
    """A project with the misbehaving server."""
    server = {"command": sys.executable, "args": [MISBEHAVING, *args]}
    (root / ".mcp.json").write_text(json.dumps({"mcpServers": {"bad": server}}))


def test_servers_are_listed_without_being_started(flowide: Here, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    server = {"command": "touch", "args": [str(mark)]}
    (flowide.root / ".mcp.json").write_text(json.dumps({"mcpServers": {"bad": server}}))

    [listed] = flowide("tools", "--json").json

    assert (listed["name"], listed["state"], listed["origin"]) == ("bad", "not trusted", "project")
    refused = flowide("tools", "show", "bad")
    assert refused.code == 7
    assert "touch" in refused.err
    assert not mark.exists()


def test_a_server_is_asked_on_the_command_line(flowide: Here, tmp_path: Path) -> None:
    bring(flowide.root)

    shown = flowide("tools", "show", "bad", "--trust", "--json").json
    answer = flowide("tools", "call", "bad/echo", '{"text": "hi \\u001b[31mred"}', "--trust")
    picture = flowide(
        "tools", "call", "bad/picture", "--images", str(tmp_path / "shots"), "--trust", "--json"
    ).json
    failed = flowide("tools", "call", "bad/fail", '{"why": "no"}', "--trust")

    assert "echo" in [each["name"] for each in shown["tools"]]
    assert (answer.code, answer.out) == (0, "hi \x1b[31mred\n")
    assert Path(picture["images"][0]).read_bytes().startswith(b"\x89PNG")
    assert failed.code == 1
    assert flowide("tools", "read", "bad", "memo://greeting", "--trust").out.endswith("a resource\n")
    assert "review locks" in flowide("tools", "prompt", "bad", "review", "what=locks", "--trust").out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("call", "bad/nosuch", "{}", "--trust"), "has no tool 'nosuch'"),
        (("call", "nosuch/x", "{}", "--trust"), "no tool server nosuch"),
        (("call", "bad/echo", "{", "--trust"), "no JSON"),
        (("call", "bad/echo", "[]", "--trust"), "no object"),
        (("revoke", "*"), "nothing like that"),
        (("prompt", "bad", "review", "locks", "--trust"), "no key=value"),
    ],
)
def test_what_is_not_there_is_told(apart: Apart, args: tuple[str, ...], said: str) -> None:
    bring(apart.root)

    refused = apart("tools", *args)

    assert refused.code == 2
    assert said in refused.err


def make_model_agent(root: Path, server: FaultServer, model: str) -> None:
    home = Path(os.environ["FLOWIDE_HOME"])
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[models.m]\nmodel = "{model}"\napi_base = "{server.url}"\n')
    agents = root / ".flowide" / "agents"
    agents.mkdir(parents=True, exist_ok=True)
    (agents / "tess.md").write_text("---\nhandle: tess\nmodel: m\ntools: [bad]\n---\nYou are Tess.\n")
    (root / "ask.yaml").write_text("flow: ask\nsteps:\n  - draft: {path: notes.md, by: tess}\n")


RUN = ("run", "ask.yaml", "--headless", "--json", "--agents", "tess", "--trust")
BRIEF = ("--brief", 'CALL bad__echo {"text": "from the tool"}')


def lines_of(said: Any, kind: str) -> list[dict[str, Any]]:
    return [line for line in said.lines if line["type"] == kind]


def test_a_model_uses_a_tool_in_a_run(apart: Apart) -> None:
    bring(apart.root)
    with serving() as server:
        make_model_agent(apart.root, server, "tool")

        said = apart(*RUN, *BRIEF, "--allow", "bad/echo")

    assert said.code == 0, said
    [called], [answered] = lines_of(said, "tool.call"), lines_of(said, "tool.result")
    assert (called["data"]["tool"], called["actor"]["id"]) == ("bad/echo", "tess")
    assert (answered["data"]["text"], answered["data"]["failed"]) == ("from the tool", False)
    assert (apart.root / "notes.md").read_text() == "It said: from the tool\n"
    first, second = server.requests
    assert "bad__echo" in [tool["function"]["name"] for tool in first["tools"]]
    assert second["messages"][-1] == {"role": "tool", "tool_call_id": "call_0", "content": "from the tool"}
    assert lines_of(said, "run.finished")[0]["data"]["totals"]["calls"] == 2


def test_a_question_about_a_tool_is_answered_from_another_process_and_no_call_is_made_again(
    apart: Apart,
) -> None:
    bring(apart.root)
    with serving() as server:
        make_model_agent(apart.root, server, "tool")

        stopped = apart(*RUN, *BRIEF)
        gate = lines_of(stopped, "gate.opened")[0]["data"]
        answered = apart("gate", "answer", "last", "once")
        said = apart("run", "--resume", "last", "--headless", "--json", "--trust")

    assert (stopped.code, answered.code, said.code) == (3, 0, 0), (stopped, said)
    assert gate["question"] == 'May @tess use bad/echo with {"text": "from the tool"}?'
    assert len(server.requests) == 2
    assert (apart.root / "notes.md").read_text() == "It said: from the tool\n"


SAID = ("say", '@tess CALL bad__echo {"text": "from the tool"}')


@pytest.mark.parametrize("later", [False, True])
def test_an_agent_that_is_spoken_to_uses_a_tool_it_is_allowed(apart: Apart, later: bool) -> None:
    bring(apart.root)
    terms = ("--allow", "bad/echo", "--trust", "--json")
    with serving() as server:
        make_model_agent(apart.root, server, "tool")

        said = apart(*SAID) if later else apart(*SAID, "--wait", *terms)
        said = apart("thread", "answer", "last", *terms) if later else said

    assert said.code == 0, said
    assert "from the tool" in said.json["replies"][-1]["text"]
    assert server.requests[-1]["messages"][-1]["content"] == "from the tool"


def test_without_trust_an_agent_that_is_spoken_to_has_no_tool_of_the_project(apart: Apart) -> None:
    bring(apart.root)
    with serving() as server:
        make_model_agent(apart.root, server, "tool")

        apart(*SAID, "--wait", "--allow", "bad/echo")

    assert not any("tools" in each for each in server.requests)


def test_a_program_that_the_project_names_hinders_nobody_else(apart: Apart) -> None:
    agents = apart.root / ".flowide" / "agents"
    agents.mkdir(parents=True, exist_ok=True)
    (agents / "prog.md").write_text('---\nhandle: prog\nbackend: acp\ncommand: ["true"]\n---\nA program.\n')
    with serving() as server:
        make_model_agent(apart.root, server, "ok")

        said = apart("say", "@tess what?", "--wait")

    assert said.code == 0, said


def test_a_model_that_never_has_enough_is_bounded(apart: Apart) -> None:
    bring(apart.root)
    with serving() as server:
        make_model_agent(apart.root, server, "tool-always")
        apart.env["FLOWIDE_LIMITS_TOOL_ROUNDS"] = "3"

        said = apart(*RUN, *BRIEF, "--allow", "*")

    assert said.code == 8
    assert (
        "still asks for tools after 3 calls" in lines_of(said, "run.finished")[0]["data"]["error"]["message"]
    )
    assert len(server.requests) == 4
    assert len(lines_of(said, "tool.result")) == 3


def test_a_tool_call_that_is_cut_short_is_never_made(apart: Apart) -> None:
    bring(apart.root)
    with serving() as server:
        make_model_agent(apart.root, server, "tool-cut")

        said = apart(*RUN, *BRIEF, "--allow", "*")

    assert said.code == 8
    assert lines_of(said, "tool.call") == []
