"""The flow `code`: tests are the judge, and what they print goes back to the writers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from flowide.agents.scripted import ScriptedBackend
from flowide.flows.api import RunResult
from flowide.headless import demo
from flowide.space.queries import OneVariationSet
from tests.flows.conftest import Bench
from tests.project_with_agents import SHOP, fenced, make_project, write_agent

TESTS = "tests: python -m unittest discover -s tests"
WORD = "word: grep -q good src/shop.py"


def written(word: str) -> str:
    return fenced(SHOP.replace('"""A shop."""', f'"""A {word} shop."""'))


def mending(bench: Bench, handle: str, first: str) -> None:
    """An agent whose first answer does not pass, and whose second does."""
    replies = [{"on": "vary", "text": written(first)}, {"on": "repair", "text": written("good")}]
    write_agent(bench.root, handle, replies)


async def code(bench: Bench, **inputs: Any) -> RunResult:
    given = {"checks": [WORD], "n": 2, **inputs}
    return await bench.start("code", inputs=given, on_gate="approve")


async def test_it_runs_on_the_example_project(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    demo.prepare(root)
    bench = Bench(root)

    result = await bench.start(
        "code",
        brief="len counts live entries, and expired ones go before live ones",
        inputs={"path": "src/boundedcache/cache.py:LRUCache", "n": 2, "checks": [TESTS]},
        agents=["edwin", "quinn"],
        on_gate="approve",
    )

    assert result.status == "completed", result.error
    view = await bench.set()
    passed = {
        each.variation.number: {check.name: check.status for check in each.checks}["tests"]
        for each in view.variations
    }
    assert passed == {1: "failed", 2: "failed", 3: "passed", 4: "passed"}
    assert [each.variation.parents for each in view.variations[2:]] == [
        [{"variation": 1}],
        [{"variation": 2}],
    ]
    assert result.outputs["chosen"] in {3, 4}
    assert (root / "src/boundedcache/cache.py").read_text() == result.outputs["text"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Requests to scripted agents."""
    seen: list[Any] = []
    real = ScriptedBackend.stream

    async def noted(self: ScriptedBackend, request: Any) -> AsyncIterator[Any]:
        seen.append(request)
        async for delta in real(self, request):
            yield delta

    monkeypatch.setattr(ScriptedBackend, "stream", noted)
    return seen


async def test_a_writer_gets_its_own_text_and_what_the_check_printed(bench: Bench, asked: list[Any]) -> None:
    write_agent(
        bench.root,
        "anders",
        [{"on": "vary", "text": written("bad")}, {"on": "repair", "text": written("good")}],
    )
    write_agent(
        bench.root,
        "bea",
        [{"on": "vary", "text": written("dire")}, {"on": "repair", "text": written("good")}],
    )
    checks = ["word: grep -q good src/shop.py || { echo it says $(head -1 src/shop.py); false; }"]

    result = await code(bench, checks=checks)

    assert result.status == "completed", result.error
    repairs = {each.agent: each.messages[-1].content for each in asked if each.purpose == "repair"}
    assert sorted(repairs) == ["anders", "bea"]
    assert "it says" in repairs["anders"]
    assert "A bad shop" in repairs["anders"]
    assert "A dire shop" not in repairs["anders"]


async def test_nothing_is_mended_when_one_passes_at_once(bench: Bench, asked: list[Any]) -> None:
    write_agent(bench.root, "anders", [{"on": "vary", "text": written("good")}])
    write_agent(bench.root, "bea", [{"on": "vary", "text": written("bad")}])

    result = await code(bench)

    assert (result.status, result.outputs["chosen"]) == ("completed", 1)
    assert [each.purpose for each in asked] == ["vary", "vary"]


async def test_what_never_passes_is_not_accepted(bench: Bench, asked: list[Any]) -> None:
    for handle in ("anders", "bea"):
        replies = [{"on": "vary", "text": written("bad")}, {"on": "repair", "text": written("worse")}]
        write_agent(bench.root, handle, replies)

    result = await code(bench, rounds=2, repairs=1)

    assert (result.status, result.exit_code) == ("rejected", 4)
    assert (bench.root / "src/shop.py").read_text() == SHOP
    assert Counter(each.purpose for each in asked) == {"vary": 2, "repair": 2}
    view = await bench.set()
    assert view.variations[3].variation.parents != view.variations[2].variation.parents


async def test_a_round_that_broke_off_is_gone_on_with(tmp_path: Path) -> None:
    bench = Bench(make_project(tmp_path / "project"))
    write_agent(
        bench.root,
        "anders",
        [{"on": "vary", "text": written("bad")}, {"on": "repair", "text": written("good")}],
    )
    write_agent(bench.root, "bea", [{"on": "vary", "text": written("bad")}, {"on": "repair", "fail": "auth"}])
    file = bench.root / "mend.yaml"
    file.write_text(
        "flow: mend\nsteps:\n  - vary: {n: 2}\n  - check: {commands: 'word: grep -q good src/shop.py'}\n"
        "  - repair: {agents: [bea]}\n  - check: {commands: 'word: grep -q good src/shop.py'}\n  - choose: {}\n"
    )
    broken = await bench.start(str(file), on_gate="approve", trust=True)
    assert broken.exit_code == 7
    write_agent(bench.root, "bea", [{"on": "*", "text": written("good")}])

    result = await bench.resume(broken.run)

    assert result.status == "completed", result.error
    view = await bench.space.read(OneVariationSet(result.outputs["set"]))
    assert [each.variation.parents for each in view.variations[2:]] == [
        [{"variation": 1}],
        [{"variation": 2}],
    ]
