"""Reading, splicing, discussing, varying and running as tools."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from flowide.domain.commands import AgreeDecision, AnswerGate
from flowide.space.api import Space
from flowide.space.queries import Decisions, FindArtifact, Gates
from tests.mcp_server.conftest import Agent
from tests.project_with_agents import SHOP, fenced, shop, verdicts, write_agent


async def test_files_are_listed_with_their_version_and_lock(agent: Agent) -> None:
    await agent.call("lock", path="cache.py", purpose="look")

    listed = {each["path"]: each for each in (await agent.call("list_artifacts"))["artifacts"]}

    assert list(listed) == ["cache.py", "dot.png", "notes.md"]
    assert (listed["cache.py"]["version"], listed["cache.py"]["lock"]["mine"]) == (1, True)
    assert listed["notes.md"] == {"path": "notes.md"}


async def test_files_of_the_workspace_are_not_listed_for_agents(agent: Agent, root: Path) -> None:
    write_agent(root, "edwin", [{"on": "*", "text": "x"}])

    listed = (await agent.call("list_artifacts"))["artifacts"]

    assert [each["path"] for each in listed if each["path"].startswith(".flowide")] == []


async def test_a_list_comes_in_parts(agent: Agent) -> None:
    first = await agent.call("list_artifacts", limit=2)
    rest = await agent.call("list_artifacts", limit=2, after=first["next"])

    assert [each["path"] for each in first["artifacts"] + rest["artifacts"]] == [
        "cache.py",
        "dot.png",
        "notes.md",
    ]
    assert "next" not in rest


async def test_a_text_is_read_by_lines_or_by_piece(agent: Agent) -> None:
    lines = await agent.call("read_artifact", path="cache.py", start_line=2, end_line=5)
    piece = await agent.call("read_artifact", path="cache.py", piece="put")
    unknown = await agent.refused("read_artifact", path="cache.py", piece="pull")

    assert lines["text"] == "    return None\n\n\ndef put(key):\n"
    assert (piece["text"], piece["start_line"]) == ("def put(key):\n    return key\n", 5)
    assert "get, put" in unknown["hint"] or "put" in unknown["hint"]


async def test_a_long_text_is_read_part_by_part(agent: Agent, root: Path) -> None:
    text = "".join(f"line {number} {'x' * 90}\n" for number in range(3000))
    (root / "long.txt").write_text(text)
    parts, line = [], 1

    while True:
        part = await agent.call("read_artifact", path="long.txt", start_line=line)
        parts.append(part["text"])
        if "next_line" not in part:
            break
        line = part["next_line"]

    assert len(parts) > 1
    assert "".join(parts) == text


async def test_a_file_that_is_too_large_is_refused_and_small_parts_of_control_characters_come_through(
    agent: Agent, root: Path
) -> None:
    (root / "huge.txt").write_bytes(b"x" * (16 * 1024 * 1024 + 1))
    (root / "odd.txt").write_text("\x1b[31mred\x1b[0m \u202e\n")

    assert (await agent.refused("read_artifact", path="huge.txt"))["code"] == "too_large"
    assert (await agent.call("read_artifact", path="odd.txt"))["text"] == "\x1b[31mred\x1b[0m \u202e\n"


async def test_history_and_differences(agent: Agent) -> None:
    await agent.call("lock", path="cache.py")
    await agent.call("save", path="cache.py", edits=[{"old": "None", "new": "0"}], note="zero")

    versions = (await agent.call("history", path="cache.py"))["versions"]
    diff = await agent.call("diff", path="cache.py")

    assert [(each["version"], each["by"], each["note"]) for each in versions][1:] == [(2, "mara", "zero")]
    assert (diff["a"], diff["added"], diff["removed"]) == ("cache.py@1", 1, 1)
    assert "-    return None\n+    return 0\n" in diff["diff"]


async def test_what_was_written_is_found(agent: Agent) -> None:
    await agent.call("create", path="poem.md", text="A heron stands.\n")

    [hit] = (await agent.call("search", text="heron"))["hits"]

    assert hit["title"] == "poem.md"


async def test_a_piece_of_another_text_is_put_in_by_code(agent: Agent, root: Path) -> None:
    (root / "fast.py").write_text("import time\n\n\ndef put(key):\n    return time.time()\n")
    takes = [{"piece": "put", "path": "fast.py"}]

    shown = await agent.call("splice", path="cache.py", takes=takes, dry_run=True)
    refused = await agent.refused("splice", path="cache.py", takes=takes)
    await agent.call("lock", path="cache.py")
    saved = await agent.call("splice", path="cache.py", takes=takes, save=True)

    assert refused["code"] == "fenced"
    assert (shown["diff"], saved["version"]) == (saved["diff"], 2)
    assert (root / "cache.py").read_text().startswith("import time\n")


async def test_agents_say_things_and_propose_decisions_that_people_agree(agent: Agent, ana: Space) -> None:
    said = await agent.call("say", text="Better: #cache.py:get", about="cache.py", title="Cache")
    await agent.call("say", text="And #1 again", thread=said["thread"])
    await agent.call("propose_decision", text="get returns 0", thread="Cache", message=1)
    [decision] = await ana.read(Decisions())
    await ana.execute(AgreeDecision(decision=decision.id))

    thread = await agent.call("read_thread", thread="Cache")
    [listed] = (await agent.call("list_decisions", status="agreed"))["decisions"]

    assert [(each["number"], each["by"]) for each in thread["messages"]] == [(1, "mara"), (2, "mara")]
    assert (listed["decision"], listed["by"], listed["agreed_by"]) == ("D1", "mara", "ana")
    assert [each["about"] for each in (await agent.call("list_threads"))["threads"]] == ["cache.py"]


async def test_agents_that_are_asked_answer_in_a_run(agent: Agent, root: Path) -> None:
    write_agent(root, "edwin", [{"on": "*", "text": "Yes, it is good."}])

    said = await agent.call("say", text="@edwin is it good?", answer=True)
    run = await agent.call("run_status", run=said["run"], wait_s=40)
    thread = await agent.call("read_thread")

    assert said["asks"] == ["edwin"]
    assert run["status"] == "completed"
    assert [each["by"] for each in thread["messages"]] == ["mara", "edwin"]


async def test_variations_are_offered_compared_blended_and_accepted(agent: Agent, root: Path) -> None:
    (root / "shop.py").write_text(SHOP)
    first = await agent.call("add_variation", path="shop.py", text=shop(1), brief="faster", note="plain")
    await agent.call("add_variation", set=first["set"], text=shop(2, helper="0"))
    await agent.call("note_variation", set="last", number=2, text="bold", score=9)
    listed = await agent.call("shortlist_variations", set="last", numbers=[1, 2])
    table = await agent.call("compare_variations", set="last")
    blended = await agent.call(
        "blend_variations", set="last", base=1, takes=[{"number": 2, "piece": "Shop._sum"}]
    )
    accepted = await agent.call("accept_variation", set="last", number=blended["number"])

    read = await agent.call("read_variation", set="last", number=2)
    assert listed["shortlist"] == [1, 2]
    assert {row["name"] for row in table["pieces"]} >= {"Shop", "Shop._sum"}
    assert (read["notes"][0]["score"], read["by"]) == (9, "mara")
    assert accepted == {"path": "shop.py", "version": 2, "set": first["set"], "number": 3}
    assert "return 0" in (root / "shop.py").read_text()


async def test_a_variation_is_accepted_under_the_lock_of_nobody_else(agent: Agent, other: Agent) -> None:
    await agent.call("add_variation", path="cache.py", text="x = 1\n")
    await other.call("lock", path="cache.py")

    refused = await agent.refused("accept_variation", set="last", number=1)
    await agent.refused("read_variation", set="last", number=7)

    assert (refused["code"], refused["data"]["holder"]) == ("busy", "edwin")


async def test_a_run_waits_at_its_gate_for_a_person(agent: Agent, ana: Space, root: Path) -> None:
    (root / "shop.py").write_text(SHOP)
    write_agent(root, "one", [{"on": "vary", "text": fenced(shop(1))}])
    write_agent(root, "two", [{"on": "vary", "text": fenced(shop(2))}])
    write_agent(root, "critic", [{"on": "critique", "text": verdicts(2)}], role="critic")
    inputs = {"path": "shop.py", "n": 2}

    started = await agent.call("start_run", flow="variations", brief="better", inputs=inputs, wait_s=40)
    [gate] = started["gates"]
    refused = await agent.refused("answer_gate", gate=gate["gate"], answer="1")
    [asked] = (await agent.call("list_gates"))["gates"]
    [opened] = await ana.read(Gates())
    await ana.execute(AnswerGate(gate=opened.id, answer="1"))
    ended = await agent.call("run_status", wait_s=40)

    assert (refused["code"], "people" in refused["hint"]) == ("role", True)
    assert asked["gate"] == opened.id
    assert (ended["status"], ended["by"]) == ("completed", "mara")
    assert (await ana.read(FindArtifact("shop.py"))).version == 2


async def test_a_run_ends_with_the_session_and_can_be_gone_on_with(
    agent: Agent, ana: Space, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWIDE_SCRIPTED_PACE", "1")
    write_agent(root, "slow", [{"on": "vary", "text": fenced("word " * 4000)}])
    started = await agent.call("start_run", flow="variations", brief="b", inputs={"path": "cache.py", "n": 2})

    await agent.session.close()

    from flowide.space.queries import OneRun

    view = await ana.read(OneRun(started["run"]))
    assert started["driven"] == "here"
    assert view.run.status in {"cancelled", "failed", "waiting"}


async def test_flows_are_run_by_name_only_and_wrong_inputs_are_refused(agent: Agent, root: Path) -> None:
    write_agent(root, "one", [{"on": "vary", "text": "x"}])
    outside = root.parent / "evil.yaml"
    outside.write_text("flow: evil\nsteps:\n  - run: {command: touch pwned}\n")

    unknown = await agent.refused("start_run", flow=str(outside))
    wrong = await agent.refused("start_run", flow="variations", inputs={"nope": 1})

    assert (unknown["code"], wrong["code"]) == ("not_found", "bad_args")
    assert "variations" in {each["flow"] for each in (await agent.call("list_flows"))["flows"]}


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("read_artifact", {}),
        ("read_artifact", {"path": 1}),
        ("read_artifact", {"path": "cache.py", "version": 0}),
        ("read_artifact", {"path": "cache.py", "extra": True}),
        ("read_artifact", {"path": "cache.py", "start_line": 10**9}),
        ("lock", {"path": "cache.py", "wait_s": 10**9}),
        ("lock", {"path": ""}),
        ("draft", {"path": "cache.py", "edits": [{"old": ""}]}),
        ("create", {"path": "x"}),
        ("create", {"path": "x", "base64": "!"}),
        ("create", {"path": "x", "text": "\ud800"}),
        ("splice", {"path": "cache.py", "takes": [{"piece": "x"}], "dry_run": True}),
        ("say", {"text": " "}),
        ("add_variation", {"text": "x"}),
        ("search", {"text": ""}),
    ],
)
async def test_wrong_arguments_change_nothing_and_are_explained(
    agent: Agent, ana: Space, tool: str, given: dict[str, object]
) -> None:
    await agent.call("read_artifact", path="cache.py")
    before = await ana.head()

    refused = await agent.refused(tool, **given)

    assert refused["code"] == "bad_args" and refused["hint"]
    assert await ana.head() == before
    json.dumps(refused)


async def test_null_is_an_argument_that_was_left_out(agent: Agent) -> None:
    read = await agent.call("read_artifact", path="cache.py", version=None, start_line=None, draft=None)

    assert (read["start_line"], read["version"]) == (1, 1)


async def test_names_that_are_not_there_are_answered_with_those_that_are(agent: Agent) -> None:
    refusals = await asyncio.gather(
        agent.refused("read_artifact", path="cash.py"),
        agent.refused("read_thread", thread="none"),
        agent.refused("list_variations", set="none"),
        agent.refused("run_status"),
        agent.refused("adopt_draft", draft="none"),
        agent.refused("stop_run", run="none"),
    )

    assert {each["code"] for each in refusals} == {"not_found"}
    assert all(each["hint"] and "flowide " not in each["hint"] for each in refusals)
    assert "cache.py" in refusals[0]["hint"]
