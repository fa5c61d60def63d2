"""A coding agent has the space as tools in its turn: under its own name, by everybody's rules, and never its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from flowide.domain.commands import AcquireLock
from flowide.mcp_server.in_turns import serve_turn
from flowide.mcp_server.tools import TOOLS
from flowide.space.queries import Decisions, OneVariationSet
from tests.flows.coding.conftest import Coding
from tests.flows.talk import NOTES


@pytest.fixture
def coding(tmp_path: Path, own_temporary: Path) -> Coding:
    made = Coding(tmp_path / "project")
    made.bench.around = structs.replace(made.bench.around, serve_tools=serve_turn)
    return made


def answers(words: str) -> list[dict[str, Any]]:
    """What the agent says that its tools answered."""
    found, decoder = [], json.JSONDecoder()
    while "{" in words:
        told, end = decoder.raw_decode(words, words.index("{"))
        found.append(told)
        words = words[end:]
    return found


async def call(coding: Coding, *calls: str) -> list[dict[str, Any]]:
    """What the tools answer that the agent calls in a turn."""
    await coding.do("\n".join(f"!call {each}" for each in calls))
    assert coding.last.status == "completed"
    return answers(await coding.last_words())


async def test_it_reads_the_space_and_speaks_in_it_under_its_own_name(coding: Coding) -> None:
    listed, thread, said, proposed, runs, gates = await call(
        coding,
        "list_artifacts",
        'read_thread {"thread": "last"}',
        'say {"text": "I look at #notes.md", "title": "Aside"}',
        'propose_decision {"text": "Notes stay short"}',
        "list_runs",
        "list_gates",
    )

    assert [each["path"] for each in listed["artifacts"]] == ["notes.md", "src/shop.py"]
    assert thread["messages"][0]["by"] == "ana"
    assert said["asks"] == []
    assert (runs["runs"][0]["status"], gates["gates"]) == ("running", [])
    [decision] = await coding.space.read(Decisions())
    assert (proposed["status"], decision.actor, decision.status) == ("open", "doer", "open")
    [posted] = [
        event async for event in coding.space.events()
        if event.type == "message.posted" and event.data["text"] == "I look at #notes.md"
    ]  # fmt: skip
    assert (posted.actor["id"], posted.actor["kind"], posted.actor["for"]) == ("doer", "agent", "ana")


async def test_files_are_changed_in_its_folder_and_the_refusal_says_so(coding: Coding) -> None:
    await coding.say(
        '@doer please change #notes.md:\n!call lock {"path": "notes.md"}\n'
        '!call save {"path": "FOLDER/notes.md", "text": "past the turn"}\n'
        '!call read_artifact {"path": "FOLDER/notes.md"}\n'
        "!append notes.md More.\\n\n!say I added a line"
    )
    coding.last = await coding.answer(trust=True, agents=["doer"])

    locked, saved, read = answers(await coding.last_words())
    for refused in (locked, saved):
        assert refused["code"] == "role"
        assert f"Edit the file in your folder, {refused['data']['folder']}" in refused["hint"]
        assert "for people" not in refused["hint"]
    assert read["text"] == NOTES
    assert (read["lock"]["holder"], read["lock"]["mine"]) == ("doer", True)
    assert (coding.root / "notes.md").read_text() == f"{NOTES}More.\n"


async def test_no_tool_changes_files_or_starts_runs_in_a_turn(coding: Coding) -> None:
    changing = {
        "lock": {"path": "notes.md"}, "draft": {"path": "notes.md", "text": "x"}, "release": {"path": "notes.md"},
        "save": {"path": "notes.md", "text": "x"}, "create": {"path": "new.md", "text": "x"},
        "move": {"path": "notes.md", "new_path": "b.md"}, "restore": {"path": "notes.md", "version": 1},
        "adopt_draft": {"draft": "x"}, "splice": {"path": "notes.md", "takes": []},
        "accept_variation": {"set": "last", "number": 1},
        "start_run": {"flow": "say"}, "stop_run": {"run": "last"}, "say": {"text": "@doer again", "answer": True},
    }  # fmt: skip
    told = await call(coding, *(f"{name} {json.dumps(given)}" for name, given in changing.items()))
    coding.thread = ""
    await coding.do("!call tools")

    assert [each["code"] for each in told] == ["role"] * len(changing)
    assert set((await coding.last_words()).split()) == {*TOOLS} - {*changing} | {"say"}
    assert (coding.root / "notes.md").read_text() == NOTES
    assert len(await coding.threads()) == 2


async def test_what_a_person_holds_it_sees_and_offers_a_variation_for(coding: Coding) -> None:
    artifact = await coding.folder.artifact(coding.space, "notes.md")
    await coding.space.execute(AcquireLock(artifact=artifact.id, purpose="thinking"))

    locks, added = await call(
        coding, "list_locks", 'add_variation {"text": "# Shorter\\n", "path": "notes.md", "title": "Shorter"}'
    )

    assert [(each["path"], each["holder"]) for each in locks["locks"]] == [("notes.md", "ana")]
    view = await coding.space.read(OneVariationSet(added["set"]))
    assert view.variations[0].variation.actor == "doer"


async def test_gates_and_other_acts_of_people_are_refused_as_ever(coding: Coding) -> None:
    [refused] = await call(coding, 'answer_gate {"gate": "x", "answer": "once"}')

    assert refused["code"] in {"role", "not_found"}


NAMED = [
    "mcp__flowide__say",
    "say (flowide MCP Server)",
    'Allow the flowide MCP server to run tool "say"?',
]
"""As Claude Code, Gemini CLI and Codex ask for a tool of the space."""


@pytest.mark.parametrize("named", NAMED)
async def test_nobody_is_asked_about_the_tools_of_the_space_itself(coding: Coding, named: str) -> None:
    await coding.do(f"!asktool {named}\n!say done")

    assert coding.last.status == "completed"
    assert await coding.last_words() == "<x3> done"


@pytest.mark.parametrize(
    "question",
    [
        "!permit execute mcp__flowide__say", "!permit edit mcp__flowide__say notes.md", "!asktool mcp__flowide__save",
        "!asktool mcp__flowide__evil__say", "!asktool mcp__flowide__say; rm", "!asktool mcp__git__say",
    ],
)  # fmt: skip
async def test_what_only_sounds_like_one_is_asked(coding: Coding, question: str) -> None:
    await coding.do(f"{question}\n!say done")

    assert coding.last.status == "waiting"


async def test_a_file_can_have_a_tool_asked_for_or_denied_also_to_an_agent_that_does_not_ask(
    coding: Coding,
) -> None:
    file = coding.root / ".flowide" / "agents" / "doer.md"
    rules = "permissions: {flowide/say: deny, flowide/search: ask}"
    file.write_text(file.read_text().replace("backend: acp", f"backend: acp\n{rules}"))

    [refused] = await call(coding, 'say {"text": "x"}')
    await coding.do("!asktool mcp__flowide__say\n!say done")
    denied = await coding.last_words()
    coding.thread = ""
    await coding.do("!asktool mcp__flowide__search\n!say done")

    assert (refused["code"], refused["message"]) == ("role", "say is denied to you")
    assert denied.endswith("<x1>")
    assert coding.last.status == "waiting"


async def test_an_agent_that_is_not_to_have_them_gets_none(coding: Coding) -> None:
    file = coding.root / ".flowide" / "agents" / "doer.md"
    file.write_text(file.read_text().replace("backend: acp", "backend: acp\nmcp: false"))

    await coding.do("!call list_artifacts")

    assert await coding.last_words() == "(no server)"


async def test_a_loaded_session_gets_them_too(coding: Coding) -> None:
    sessions = coding.root.parent / "own"
    sessions.mkdir()
    file = coding.root / ".flowide" / "agents" / "doer.md"
    text = file.read_text().replace("agent.py ", f"agent.py --load {sessions}/sessions ")
    file.write_text(text.replace("env:", f"writes: [{sessions}]\nenv:"))

    await coding.do("!ids")
    [listed] = await call(coding, "list_artifacts")

    assert listed["artifacts"]


async def test_who_does_not_know_the_secret_is_told_nothing(coding: Coding) -> None:
    await coding.do("!knock 9\n!call list_locks")

    assert (await coding.last_words()).split() == ["[]"] * 9 + ['{"locks":', "[]}"]


async def test_the_secret_is_in_no_event_whatever_the_agent_blurts_out(coding: Coding) -> None:
    await coding.do("!secret")

    secret = (coding.root / "a.txt").read_text().partition(":")[2]
    log = [json.dumps(event.data) async for event in coding.space.events()]
    assert len(secret) == 32
    assert (await coding.last_words()).partition(":")[2].startswith("***")
    assert [each for each in log if "+" in each and ":***" in each]
    assert not [each for each in log if secret in each]


def test_a_real_flowide_serves_an_agent_in_its_cage(
    tmp_path: Path, own_temporary: Path, own_home: Path
) -> None:
    root = tmp_path / "project"
    Coding(root)
    (own_home / "flowide").mkdir()
    (own_home / "flowide" / "config.toml").write_text(f"[trust]\nprojects = ['{root}']\n")
    env = {**os.environ, "TMPDIR": str(own_temporary)}

    def flowide(*words: str) -> str:
        made = subprocess.run(
            [sys.executable, "-m", "flowide", *words], cwd=root, env=env, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        return made.stdout

    script = '@doer please:\n!call propose_decision {"text": "Notes stay short"}\n!say done'
    said = flowide("say", "--wait", "--", script)

    assert "done" in said
    [decision] = json.loads(flowide("decisions", "--json"))
    assert decision["actor"] == "doer"
