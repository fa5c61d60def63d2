"""Every flow that ships, broken off at each change of its space, ends as if it had not; no call is made twice."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from flowide.agents.api import Finished, Request
from flowide.agents.scripted import ScriptedBackend
from flowide.domain.actors import Actor
from flowide.domain.commands import AddVariation, OpenThread, OpenVariationSet, ShortlistVariation
from flowide.errors import FlowError
from flowide.flows.api import RunResult
from flowide.flows.discussion.posting import Writing, compose
from flowide.space.queries import Content, FindArtifact, OneRun, Runs, Verify
from flowide.testing import ManualClock
from tests.flows import test_ui
from tests.flows.conftest import Bench
from tests.flows.talk import Breaking
from tests.project_with_agents import SHOP, fenced, shop, verdicts, write_agent

TEXT = "Done.\n\n```markdown\n# Notes {n}\n\nIt sells. Decision-free.\n```\n"
BAD = {"verdict": "reject", "reasons": [{"kind": "clarity", "text": "Say what it is for."}]}


def make(root: Path) -> Path:
    """A project whose two agents know an answer to everything."""
    (root / "src").mkdir(parents=True)
    (root / "src" / "shop.py").write_text(SHOP)
    (root / "notes.md").write_text("# Notes\n\nA shop.\n")
    for handle, role in (("anders", "drafter"), ("mara", "editor")):
        texts = [TEXT.format(n=number) for number in (1, 2, 3, 4)]
        replies: list[dict[str, Any]] = [
            {"on": "vary", "when": "shop.py", "texts": [fenced(shop(number)) for number in (1, 2, 3)]},
            {"on": "vary", "texts": texts},
            {"on": "more", "texts": [fenced(shop(number)) for number in (4, 5, 6)]},
            {"on": "repair", "text": fenced(shop(7))},
            {"on": "critique", "text": verdicts(4)},
            {"on": "resolve", "text": '{"base": 1, "takes": [{"variation": 2, "piece": "Shop._sum"}]}'},
            {"on": "draft", "texts": texts},
            {"on": "revise", "texts": texts[1:]},
            {"on": "review", "texts": [json.dumps(BAD), '{"verdict": "approve", "reasons": []}']},
            {"on": "discuss", "texts": ["One thing.", "Another thing."]},
            {"on": "decide", "text": "Eight it is."},
            {"on": "read", "text": '{"claims": [{"claim": "It sells.", "quote": "A shop."}]}'},
            {
                "on": "compare",
                "text": '{"findings": [{"finding": "f", "claims": ["S1.1"], "sources": "alone"}]}',
            },
            {"on": "write", "text": "```markdown\n# A\n\nIt sells [S1.1].\n```\n"},
        ]
        write_agent(root, handle, replies, role=role)
    return root


async def with_a_set(bench: Bench) -> None:
    commands: list[Any] = [OpenVariationSet(set="s", title="shop", path="src/shop.py", base_text=SHOP)]
    commands += [AddVariation(set="s", text=shop(number)) for number in (1, 2)]
    await bench.space.batch([*commands, ShortlistVariation(set="s", number=1)])


async def with_a_question(bench: Bench) -> None:
    await bench.space.execute(OpenThread(thread="t", title="talk"))
    writing = Writing(thread="t", text="@anders and @mara, how many?", known=["anders", "mara"])
    await bench.space.execute((await compose(bench.space, bench.folder, writing)).command)


FLOWS: dict[str, tuple[dict[str, Any], Any]] = {
    "variations": ({"path": "src/shop.py", "n": 3, "checks": ["there: test -f src/shop.py"]}, None),
    "more": ({"set": "s", "n": 2}, with_a_set),
    "blend": ({"set": "s"}, with_a_set),
    "code": ({"path": "src/shop.py", "n": 2, "checks": ["word: grep -q '7th way' src/shop.py"]}, None),
    "story": ({"path": "scene.md", "n": 2}, None),
    "research": ({"path": "r.md", "sources": "src/shop.py"}, None),
    "discussion": ({"path": "notes.md", "rounds": 2}, None),
    "say": ({"thread": "t"}, with_a_question),
    "review": ({"path": "notes.md"}, None),
    "writing": ({"path": "new.md"}, None),
    "ui": ({"path": "stats-card.html"}, None),
}
ELSEWHERE: dict[str, tuple[Any, dict[str, Any]]] = {
    "ui": (test_ui.example, {"brief": test_ui.BRIEF, "agents": ["edwin", "quinn", "mara"]}),
}
"""Flows that are tried in another project, with what they are asked for there."""


class Counting:
    """Counts the answers that agents finished, by step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: Counter[str] = Counter()
        real = ScriptedBackend.stream

        async def counted(backend: ScriptedBackend, request: Request) -> AsyncIterator[Any]:
            async for delta in real(backend, request):
                if isinstance(delta, Finished):
                    self.answers[request.step] += 1
                yield delta

        monkeypatch.setattr(ScriptedBackend, "stream", counted)


async def prepared(root: Path, flow: str) -> tuple[Bench, ManualClock]:
    root.mkdir()
    bench = ELSEWHERE[flow][0](root) if flow in ELSEWHERE else Bench(make(root))
    clock = ManualClock()
    bench.space = Breaking(Actor("ana"), clock=clock)
    Breaking.left = 10**9
    before = FLOWS[flow][1]
    if before is not None:
        await before(bench)
    return bench, clock


async def start(bench: Bench, flow: str) -> RunResult:
    asked = {"brief": "the best of both", **ELSEWHERE.get(flow, ({}, {}))[1]}
    return await bench.start(flow, inputs=FLOWS[flow][0], on_gate="approve", parallel=2, **asked)


async def ends_in(bench: Bench, result: RunResult) -> tuple[str, str]:
    """The status, and the text that came of the run."""
    assert result.status == "completed", result.error
    artifact = result.outputs.get("artifact")
    if artifact is None:
        said = str(result.outputs.get("text"))  # agents answer at once: who is first is chance
        return result.status, "\n".join(sorted(said.splitlines())).replace("#3", "#2")
    row = await bench.space.read(FindArtifact(artifact))
    saved = (await bench.space.read(Content(artifact))).decode()
    assert (bench.root / row.path).read_text() == saved
    return result.status, f"{row.path}@{row.version}\n{saved}"


SLOW = {"code": 5, "variations": 5, "ui": 9}
"""Flows that run commands are broken off at every fifth change only, unless there is time."""


@pytest.mark.parametrize(
    ("flow", "stride"),
    [
        *((name, SLOW.get(name, 1)) for name in FLOWS),
        *(pytest.param(name, 1, marks=pytest.mark.slow) for name in SLOW),
    ],
)
async def test_it_ends_as_if_it_had_not_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str, stride: int
) -> None:
    counting = Counting(monkeypatch)
    bench, _ = await prepared(tmp_path / "whole", flow)
    whole = await ends_in(bench, await start(bench, flow))
    calls = counting.answers
    changes = 10**9 - Breaking.left
    assert set(calls.values()) == {1}

    for after in range(0, changes, stride):
        counting.answers = Counter()
        bench, clock = await prepared(tmp_path / str(after), flow)
        Breaking.left = after
        with contextlib.suppress(FlowError):
            await start(bench, flow)
        Breaking.left = 10**9
        clock.sleep(60_000)
        runs = [run for run in await bench.space.read(Runs()) if run.flow == flow]
        stored = {step.key async for step in _answered(bench)}
        before = Counter(counting.answers)

        if not runs:
            result = await start(bench, flow)
        elif runs[0].status == "completed":
            continue
        else:
            result = await bench.resume(runs[0].id)

        assert await ends_in(bench, result) == whole, after
        again = counting.answers - before
        assert set(again) == set(calls) - stored, after
        assert set(again.values()) <= {1}, after
        assert await bench.space.read(Verify()) == []


async def _answered(bench: Bench) -> AsyncIterator[Any]:
    """Calls whose answers are in the log."""
    for run in await bench.space.read(Runs()):
        for step in (await bench.space.read(OneRun(run.id))).steps:
            if step.status == "completed" and "agent" in step.result:
                yield step
