"""What every call of a run was told is listed, within a budget of tokens, and kept with the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from flowide.agents.api import Request
from flowide.agents.context import Manifest, decode
from flowide.agents.scripted import ScriptedBackend
from flowide.domain.commands import ProposeDecision
from flowide.space.queries import OneRun
from tests.flows.conftest import Bench
from tests.flows.test_nesting import flow
from tests.project_with_agents import fenced, make_project, shop, verdicts, write_agent

TEXT = "Done.\n\n```markdown\n# Notes\n\nOne.\n```\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    root = make_project(tmp_path / "project")
    (root / "AGENTS.md").write_text("Tabs are forbidden.\n")
    notes = root / ".flowide" / "agents" / "notes"
    notes.mkdir()
    (notes / "anders.md").write_text("Bea likes short names.\n")
    replies: list[dict[str, Any]] = [
        {"on": "vary", "text": fenced(shop(1))},
        {"on": "more", "text": fenced(shop(2))},
        {"on": "repair", "text": fenced(shop(3))},
        {"on": "draft", "text": TEXT},
        {"on": "revise", "text": TEXT.replace("One", "Two")},
        {"on": "read", "text": '{"claims": [{"claim": "It sells.", "quote": "A shop."}]}'},
        {
            "on": "compare",
            "text": '{"findings": [{"finding": "f", "claims": ["S1.1"], "sources": "alone"}]}',
        },
        {"on": "write", "text": "```markdown\n# A\n\nIt sells [S1.1].\n```\n"},
        {"on": "resolve", "text": '{"base": 1, "takes": [{"variation": 2, "piece": "Shop._sum"}]}'},
        {"on": "critique", "text": verdicts(2)},
        {"on": "review", "text": '{"verdict": "approve", "reasons": []}'},
    ]
    write_agent(root, "anders", replies)
    return Bench(root)


async def told(bench: Bench, run: str) -> dict[str, Manifest]:
    view = await bench.space.read(OneRun(run))
    return {
        step.key: decode(await bench.space.blob(step.result["manifest"]))
        for step in view.steps
        if "agent" in step.result
    }


ALL_STEPS = """
- vary: {n: 2, path: src/shop.py}
- check: {commands: ["never: false"]}
- repair: {n: 1}
- critique: {}
- more: {n: 1, wish: shorter}
- blend: {say: the best of both}
- draft: {path: a.md}
- revise: {path: a.md, by: anders}
- review: {path: a.md, stages: [{stage: edit, by: anders}]}
- research: {sources: src/shop.py, path: r.md}
"""


async def test_every_call_of_every_kind_of_step_has_its_manifest(bench: Bench) -> None:
    await bench.space.execute(ProposeDecision(decision="d", text="Shops stay small."))

    result = await bench.start(flow(bench, ALL_STEPS), agents=["anders"], trust=True)

    assert result.status == "completed", result.error
    found = await told(bench, result.run)
    kinds = {
        key: {item.kind for item in manifest.given} - {"instructions", "notes", "decision", "task"}
        for key, manifest in found.items()
    }
    assert kinds == {
        "vary#1": {"rules", "brief", "artifact"},
        "vary#2": {"rules", "brief", "artifact"},
        "repair#1": {"rules", "brief", "variation", "check"},
        "critique#1": {"brief", "variation"},
        "more#1": {"rules", "brief", "variation", "reason"},
        "blend/resolve": {"brief", "variation"},
        "draft#1": {"rules", "brief", "artifact"},
        "revise#1": {"rules", "brief", "artifact"},
        "review#1/edit/judge": {"rules", "brief", "artifact"},
        "research#read-S1": {"brief", "reference"},
        "research#compare": {"brief", "claims"},
        "research#write": {"rules", "brief", "claims"},
    }
    for manifest in found.values():
        assert {"instructions", "notes", "decision", "task"} <= {item.kind for item in manifest.given}
        assert manifest.tokens == sum(item.tokens for item in manifest.given)
    [worked_on] = [item for item in found["vary#1"].given if item.kind == "artifact"]
    assert (worked_on.name, worked_on.version) == ("src/shop.py@1", 1)
    [source] = [item for item in found["research#read-S1"].given if item.kind == "reference"]
    assert (source.name, source.version) == ("src/shop.py@1", 1)


async def test_what_a_brief_points_at_is_shown_at_its_version(bench: Bench) -> None:
    (bench.root / "style.md").write_text("# Style\n\nShort words.\n")
    (bench.root / ".flowide" / "config.toml").write_text("[limits]\nparallel = 2\n")
    await bench.folder.artifact(bench.space, "style.md")
    (bench.root / "style.md").write_text("# Style\n\nLong words.\n")
    brief = "As in #style.md@1 and #src/shop.py:Shop.total; see #nosuch.md, #a.md, #.flowide/config.toml."

    result = await bench.start(flow(bench, "- draft: {path: a.md}"), agents=["anders"], brief=brief)

    assert result.status == "completed", result.error
    [manifest] = (await told(bench, result.run)).values()
    assert [(item.name, item.version) for item in manifest.given if item.kind == "reference"] == [
        ("style.md@1", 1),
        ("src/shop.py@1:Shop.total", 1),
    ]


async def test_the_manifest_lists_just_what_was_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Request] = []
    real = ScriptedBackend.stream

    def watched(self: ScriptedBackend, request: Request) -> Any:
        sent.append(request)
        return real(self, request)

    monkeypatch.setattr(ScriptedBackend, "stream", watched)

    result = await bench.start(flow(bench, "- draft: {path: a.md}"), agents=["anders"])

    [manifest] = (await told(bench, result.run)).values()
    [request] = sent
    whole = "\n\n".join(message.content for message in request.messages)
    assert [message.role for message in request.messages] == ["system", "user"]
    assert len(whole.encode()) <= 4 * manifest.tokens <= len(whole.encode()) + 8 * len(manifest.items)
    assert "Tabs are forbidden." in whole
    assert "Bea likes short names." in whole


async def test_the_same_input_makes_the_same_manifest(tmp_path: Path, bench: Bench) -> None:
    first = await bench.start("variations", agents=["anders"], inputs={"n": 2, "critique": False})
    other = Bench(bench.root)
    (bench.root / "src" / "shop.py").write_text((bench.root / "src" / "shop.py").read_text())

    second = await other.start("variations", agents=["anders"], inputs={"n": 2, "critique": False})

    def bare(manifest: Manifest) -> Any:  # ids of artifacts are made anew in another space
        return [{k: v for k, v in msgspec.to_builtins(item).items() if k != "id"} for item in manifest.items]

    one, two = await told(bench, first.run), await told(other, second.run)
    assert {key: bare(each) for key, each in one.items()} == {key: bare(each) for key, each in two.items()}


async def test_what_has_no_room_is_left_out_and_said(bench: Bench) -> None:
    (bench.root / "AGENTS.md").write_text("Be careful. " * 200)
    bench.around = msgspec.structs.replace(bench.around, context=300)

    result = await bench.start(flow(bench, "- draft: {path: a.md}"), agents=["anders"])

    assert result.status == "completed", result.error
    [manifest] = (await told(bench, result.run)).values()
    assert [(item.name, "tokens" in item.why) for item in manifest.left_out] == [("AGENTS.md", True)]
    assert manifest.tokens <= manifest.budget == 300


async def test_what_must_be_told_and_has_no_room_ends_the_step_before_a_call(bench: Bench) -> None:
    bench.around = msgspec.structs.replace(bench.around, context=50)

    result = await bench.start(flow(bench, "- draft: {path: src/shop.py}"), agents=["anders"])

    assert (result.status, result.exit_code, result.totals["calls"]) == ("failed", 2, 0)
    assert result.error is not None
    assert "the budget is 50" in result.error["message"]
    assert "[limits] context" in result.error["hint"]
