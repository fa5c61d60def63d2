"""Agents and flows use tools of real servers: permitted by somebody, in the log, made once, bounded."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from flowide import settings
from flowide.agents.tools.permissions import Permissions
from flowide.domain.commands import AnswerGate
from flowide.errors import BadInput
from flowide.flows.api import Budget, RunResult
from flowide.flows.load import parse_flow
from flowide.flows.progressing import progress_words
from flowide.headless.envelope import lines_of
from flowide.space.queries import Gates, OneRun, Runs, StepText
from tests.agents.tools.conftest import MISBEHAVING, SECRET
from tests.flows.conftest import Bench
from tests.project_with_agents import write_agent

FLOW = """\
flow: ask
steps:
  - draft: {path: notes.md, by: %s}
"""


@pytest.fixture
def tools(bench: Bench, tmp_path: Path) -> Bench:
    """A project whose user has the misbehaving server."""
    return with_servers(bench, tmp_path, user=True)


def with_servers(bench: Bench, tmp_path: Path, *, user: bool, **server: Any) -> Bench:
    told = {"command": sys.executable, "args": [MISBEHAVING], **server}
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    if user:
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items())
        (home / "config.toml").write_text(f"[mcp.bad]\n{lines}")
    else:
        (bench.root / ".mcp.json").write_text(json.dumps({"mcpServers": {"bad": told}}))
    env = {**os.environ, "FLOWIDE_HOME": str(home), "OPENAI_API_KEY": SECRET, "FLOWIDE_SCRIPTED_PACE": "0"}
    bench.around = structs.replace(
        bench.around, env=env, settings=settings.load(bench.root, env), user_flows=home
    )
    return bench


def agent(bench: Bench, calls: list[dict[str, Any]], handle: str = "toolsmith", head: str = "") -> str:
    """An agent that asks for these tools before it writes; `head` goes into its file."""
    write_agent(bench.root, handle, [{"on": "*", "calls": calls, "text": "# Notes\n\nAll is well.\n"}])
    file = bench.root / ".flowide/agents" / f"{handle}.md"
    text = file.read_text().replace("role: drafter\n", f"role: drafter\ntools: [bad]\n{head}")
    file.write_text(text)
    return handle


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"tool": f"bad/{tool}", "arguments": arguments}


async def run(bench: Bench, flow: str, **request: Any) -> RunResult:
    (bench.root / "f.yaml").write_text(flow)
    return await bench.start(str(bench.root / "f.yaml"), inputs={"path": ""}, **request)


async def asked(bench: Bench, calls: list[dict[str, Any]], *, head: str = "", **request: Any) -> RunResult:
    handle = agent(bench, calls, head=head)
    return await run(bench, FLOW % handle, agents=[handle], **request)


async def calls_of(bench: Bench, run: str) -> list[dict[str, Any]]:
    """What the log has of finished calls of tools, in order."""
    steps = (await bench.space.read(OneRun(run))).steps
    return [step.result for step in steps if step.kind == "tool.call"]


# --- agents -------------------------------------------------------------------------------------------


async def test_an_agent_uses_a_tool_and_then_answers(tools: Bench) -> None:
    result = await asked(tools, [call("echo", text="one"), call("echo", text="two")], allow=["bad/echo"])

    assert result.status == "completed", result.error
    assert (tools.root / "notes.md").read_text() == "# Notes\n\nAll is well.\n"
    made = await calls_of(tools, result.run)
    assert [(each["tool"], each["by"], each["text"], each["failed"]) for each in made] == [
        ("bad/echo", "toolsmith", "one", False),
        ("bad/echo", "toolsmith", "two", False),
    ]


async def test_how_far_a_tool_is_can_be_followed_until_it_ends(tools: Bench) -> None:
    handle = agent(tools, [call("progress", steps=8, pause=0.3)])
    seen: set[str] = set()

    async with asyncio.timeout(60):
        running = asyncio.create_task(run(tools, FLOW % handle, agents=[handle], allow=["bad"]))
        while not running.done():
            for each in await tools.space.read(Runs(1)):
                for step in (await tools.space.read(OneRun(each.id))).steps:
                    if step.kind == "tool.call":
                        seen.add(await tools.space.read(StepText(each.id, step.key)))
            await asyncio.sleep(0.05)
        result = await running

    said = [each for each in seen if each]
    assert result.status == "completed"
    assert len(said) > 1
    assert all(re.fullmatch(r"\d+ % step \d", each) for each in said)
    [made] = [step for step in (await tools.space.read(OneRun(result.run))).steps if step.kind == "tool.call"]
    assert await tools.space.read(StepText(result.run, made.key)) == ""
    assert all("step 1" not in str(event.data) for event in [each async for each in tools.space.events()])


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((2, 5, "receiving\x1b[31m\nobjects"), "40 % receiving"),
        ((9, 5, ""), "100 %"),
        ((-1, 5, ""), "0 %"),
        ((3, None, "files"), "3 files"),
        ((3, 0, "files"), "3 files"),
        ((float("nan"), 5, ""), "nan"),
        ((2, float("inf"), ""), "2"),
    ],
)
def test_how_far_is_told_in_words(told: tuple[float, float | None, str], words: str) -> None:
    said = progress_words(*told)

    assert said.startswith(words)
    assert said.isprintable()


async def test_the_stream_tells_each_call_and_its_result(tools: Bench) -> None:
    result = await asked(tools, [call("picture")], allow=["bad"])

    lines = [line async for event in tools.space.events() for line in lines_of(event, result.run)]
    [told, answered] = [line for line in lines if line["type"].startswith("tool.")]
    assert (told["type"], told["data"]["tool"], told["data"]["arguments"]) == ("tool.call", "bad/picture", {})
    assert told["actor"] == {"kind": "agent", "id": "toolsmith"}
    assert answered["type"] == "tool.result"
    [picture] = answered["data"]["images"]
    assert (await tools.space.blob(picture["sha256"])).startswith(b"\x89PNG")
    assert told["step"] == answered["step"]


async def test_without_leave_the_run_stops_at_a_question_and_goes_on_when_it_is_answered(
    tools: Bench,
) -> None:
    stopped = await asked(tools, [call("echo", text="hi")])

    assert (stopped.status, stopped.exit_code) == ("waiting", 3)
    [gate] = await tools.space.read(Gates(run=stopped.run))
    assert gate.question == 'May @toolsmith use bad/echo with {"text": "hi"}?'
    assert (gate.kind, gate.options) == ("permission", ["once", "session", "always", "deny"])
    assert await calls_of(tools, stopped.run) == []
    result = await tools.answer(stopped, "once")

    assert result.status == "completed"
    assert [each["text"] for each in await calls_of(tools, result.run)] == ["hi"]
    assert result.totals["calls"] == 2


@pytest.mark.parametrize(("answer", "questions"), [("once", 2), ("session", 1), ("always", 1)])
async def test_an_answer_holds_as_long_as_it_says(tools: Bench, answer: str, questions: int) -> None:
    result = await asked(tools, [call("echo", text="1"), call("echo", text="2")])
    count = 0
    while result.status == "waiting":
        count += 1
        result = await tools.answer(result, answer)

    assert (result.status, count) == ("completed", questions)
    again = await run(tools, FLOW % "toolsmith", agents=["toolsmith"])
    assert again.status == ("completed" if answer == "always" else "waiting")


async def test_always_is_kept_where_it_can_be_seen(tools: Bench, tmp_path: Path) -> None:
    stopped = await asked(tools, [call("echo", text="hi")])
    await tools.answer(stopped, "always")

    [kept] = Permissions(tmp_path / "home").all()
    assert (kept.agent, kept.tool, kept.by, kept.project) == (
        "toolsmith",
        "bad/echo",
        "ana",
        str(tools.root.resolve()),
    )


async def test_a_denial_is_told_to_the_agent_and_nothing_is_called(tools: Bench, tmp_path: Path) -> None:
    made = tmp_path / "made"
    stopped = await asked(tools, [call("write", path=str(made), text="x")])
    [gate] = await tools.space.read(Gates(run=stopped.run))
    await tools.space.execute(AnswerGate(gate=gate.id, answer="deny", reason="not there"))
    result = await tools.resume(stopped.run)

    assert result.status == "completed"
    [refused] = await calls_of(tools, result.run)
    assert (refused["failed"], refused["refused"]) == (True, True)
    assert refused["text"] == "@ana does not allow bad/write: not there"
    assert not made.exists()


async def test_what_the_agents_file_denies_is_denied_whatever_is_allowed(tools: Bench) -> None:
    result = await asked(
        tools,
        [call("echo", text="x")],
        head="permissions: {bad/echo: deny}\n",
        allow=["*"],
        on_gate="approve",
    )

    [refused] = await calls_of(tools, result.run)
    assert "'bad/echo' is denied in its file" in refused["text"]


@pytest.mark.parametrize(("policy", "failed"), [("approve", False), ("reject", True)])
async def test_the_policy_for_gates_answers_these_too(tools: Bench, policy: Any, failed: bool) -> None:
    result = await asked(tools, [call("echo", text="x")], on_gate=policy)

    assert [each["failed"] for each in await calls_of(tools, result.run)] == [failed]


async def test_servers_of_an_untrusted_project_are_not_started_and_that_is_told(
    bench: Bench, tmp_path: Path
) -> None:
    mark = tmp_path / "started"
    with_servers(bench, tmp_path, user=False, command="sh", args=["-c", f"touch {mark}"])

    result = await asked(bench, [call("echo", text="x")], allow=["*"])

    assert result.status == "completed"
    assert any("not trusted" in each for each in bench.watcher.warnings)
    assert not mark.exists()
    assert await calls_of(bench, result.run) == []


async def test_servers_of_a_trusted_project_are_there(bench: Bench, tmp_path: Path) -> None:
    with_servers(bench, tmp_path, user=False)

    result = await asked(bench, [call("echo", text="x")], allow=["*"], trust=True)

    assert [each["text"] for each in await calls_of(bench, result.run)] == ["x"]


async def test_an_agent_is_offered_what_its_file_names_only(tools: Bench) -> None:
    handle = agent(tools, [call("echo", text="x"), call("huge", characters=10)])
    file = tools.root / ".flowide/agents/toolsmith.md"
    file.write_text(file.read_text().replace("tools: [bad]", "tools: [bad/huge]"))

    result = await run(tools, FLOW % handle, agents=[handle], allow=["*"])

    assert [each["tool"] for each in await calls_of(tools, result.run)] == ["bad/huge"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("echo", {}, "the arguments do not fit: 'text' is missing"),
        ("echo", {"text": 3}, "not of type 'string'"),
        ("die", {}, "died during the tool die"),
        ("fail", {"why": "no"}, "Error"),
    ],
)
async def test_what_goes_wrong_is_a_result_and_the_agent_goes_on(
    tools: Bench, tool: str, arguments: dict[str, Any], said: str
) -> None:
    result = await asked(tools, [call(tool, **arguments), call("echo", text="after")], allow=["*"])

    first, second = await calls_of(tools, result.run)
    assert result.status == "completed"
    assert (first["failed"], second["text"]) == (True, "after")
    assert said in first["text"]


async def test_a_large_result_is_kept_whole_and_told_in_part(tools: Bench) -> None:
    result = await asked(tools, [call("huge", characters=200_000)], allow=["*"])

    [made] = await calls_of(tools, result.run)
    assert (len(made["text"]), made["size"]) == (4000, 200_000)
    assert len(await tools.space.blob(made["whole"])) == 200_000


async def test_keys_in_a_result_are_taken_out_before_anybody_reads_it(tools: Bench) -> None:
    result = await asked(tools, [call("echo", text=f"the key is {SECRET}!")], allow=["*"])

    [made] = await calls_of(tools, result.run)
    assert made["text"] == "the key is ***!"
    everything = [json.dumps(event.data) async for event in tools.space.events()]
    assert not any(SECRET in each for each in everything if "notes" not in each)


async def test_a_budget_ends_before_the_next_tool_is_used(tools: Bench) -> None:
    result = await asked(tools, [call("echo", text="x")], allow=["*"], budget=Budget(turns=1))

    assert (result.status, result.exit_code) == ("failed", 6)
    assert await calls_of(tools, result.run) == []


# --- flows --------------------------------------------------------------------------------------------

STEP = """\
flow: uses
steps:
  - id: say
    tool: {tool: bad/echo, arguments: {text: "{{ brief }}!"}}
  - tool: {tool: bad/environment}
  - gate: {question: "{{ steps.say.text }} {{ steps.say.data.result }} {{ steps.tool.data.LANG is defined }}"}
"""


async def test_a_step_calls_a_tool_and_later_steps_see_what_it_answered(tools: Bench) -> None:
    stopped = await run(tools, STEP, brief="Hello", allow=["bad"])

    [gate] = await tools.space.read(Gates(run=stopped.run))
    assert gate.question.startswith("Hello! Hello! ")


async def test_a_step_is_asked_for_like_an_agent_unless_the_project_is_trusted(tools: Bench) -> None:
    stopped = await run(tools, STEP, brief="Hello")

    [gate] = await tools.space.read(Gates(run=stopped.run))
    assert gate.question == 'May the flow uses use bad/echo with {"text": "Hello!"}?'
    result = await tools.answer(stopped, "deny")
    assert (result.status, result.exit_code) == ("failed", 8)
    trusted = await run(tools, STEP, brief="Hello", trust=True, on_gate="approve")
    assert trusted.status == "completed"


async def test_a_resumed_run_does_not_call_again(tools: Bench, tmp_path: Path) -> None:
    made = tmp_path / "project/made.txt"
    flow = (
        "flow: once\nsteps:\n"
        f"  - tool: {{tool: bad/write, arguments: {{path: {made}, text: x}}}}\n"
        '  - gate: {question: "Go on?"}\n'
    )
    with_servers(tools, tmp_path, user=True, writes=["."])
    stopped = await run(tools, flow, allow=["*"])
    made.unlink()

    result = await tools.answer(stopped, "approve")

    assert result.status == "completed"
    assert not made.exists()


async def test_a_flow_brings_its_own_server_when_it_is_trusted(tools: Bench, tmp_path: Path) -> None:
    flow = (
        f"flow: own\nmcp:\n  mine: {{command: {sys.executable}, args: [{MISBEHAVING}]}}\nsteps:\n"
        "  - tool: {tool: mine/echo, arguments: {text: hi}}\n"
    )

    refused = await run(tools, flow, allow=["*"])
    allowed = await run(tools, flow, trust=True)

    assert (refused.status, refused.exit_code) == ("failed", 7)
    assert allowed.status == "completed"


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("nosuch/echo", "{}", 2),
        ("bad/nosuch", "{}", 2),
        ("bad/echo", "{txt: x}", 2),
        ("bad/fail", "{why: because}", 8),
        ("bad/die", "{}", 8),
    ],
)
async def test_a_step_that_fails_says_why_or_is_skipped(
    tools: Bench, tool: str, arguments: str, code: int
) -> None:
    step = f"flow: fails\nsteps:\n  - tool: {{tool: {tool}, arguments: {arguments}%s}}\n"

    failed = await run(tools, step % "", allow=["*"])
    skipped = await run(tools, step % ", optional: true", allow=["*"])

    assert (failed.status, failed.exit_code) == ("failed", code)
    assert skipped.status == "completed"
    assert any("is skipped" in each for each in tools.watcher.warnings)


async def test_a_project_that_the_users_settings_trust_is_trusted_in_every_run(
    bench: Bench, tmp_path: Path
) -> None:
    with_servers(bench, tmp_path, user=False)
    home = tmp_path / "home"
    (home / "config.toml").write_text(f"[trust]\nprojects = [{json.dumps(str(bench.root))}]\n")
    found = settings.load(bench.root, {"FLOWIDE_HOME": str(home)})
    bench.around = structs.replace(bench.around, settings=found)

    result = await asked(bench, [call("echo", text="x")], allow=["*"])

    assert [each["text"] for each in await calls_of(bench, result.run)] == ["x"]


async def test_an_agent_that_names_a_server_that_is_not_there_goes_on_and_it_is_told(tools: Bench) -> None:
    handle = agent(tools, [])
    file = tools.root / ".flowide/agents/toolsmith.md"
    file.write_text(file.read_text().replace("tools: [bad]", "tools: [bda]"))

    result = await run(tools, FLOW % handle, agents=[handle])

    assert result.status == "completed"
    assert "@toolsmith goes without a tool: there is no tool server for 'bda'" in tools.watcher.warnings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "flow: f\nmcp:\n  a: {command: x, url: 'http://x'}\nsteps: [{vary: {}}]\n",
            ":3:3: .*both a command",
        ),
        ("flow: f\nmcp:\n  'a b': {command: x}\nsteps: [{vary: {}}]\n", ":3:3: .*name that cannot"),
        ("flow: f\nmcp:\n  a: {comand: x}\nsteps: [{vary: {}}]\n", ":3:7: .*comand"),
        ("flow: f\nsteps:\n  - tool: {tool: git}\n", ":3:18: a tool is written server/tool"),
    ],
)
def test_what_a_flow_file_says_wrongly_of_tools_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse_flow(text, "f.yaml")

    assert re.search(said, raised.value.message), raised.value.message
