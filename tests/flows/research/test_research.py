"""The flow `research`, on the example project and when things go wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.errors import FlowError
from flowide.flows.api import RunResult
from flowide.headless import demo
from flowide.space.queries import Runs, Verify
from flowide.testing import ManualClock
from tests.flows.conftest import Bench
from tests.flows.test_resume import Failing
from tests.project_with_agents import write_agent

QUESTION = "What does boundedcache promise, and what shows that it holds?"
SOURCES = ["README.md", "docs/*.md", "src/**/cache.py"]


def example(tmp_path: Path) -> Bench:
    demo.prepare(tmp_path / "demo")
    return Bench(tmp_path / "demo")


async def research(bench: Bench, **inputs: Any) -> RunResult:
    given = {"path": "docs/promises.md", "sources": SOURCES, **inputs}
    return await bench.start("research", brief=QUESTION, inputs=given)


async def test_what_is_cited_is_looked_up_and_what_is_not_there_is_marked(tmp_path: Path) -> None:
    bench = example(tmp_path)

    result = await research(bench)

    assert result.status == "completed", result.error
    text = (bench.root / "docs/promises.md").read_text()
    assert text == result.outputs["text"]
    assert "never returned, listed or counted\n[S1.2]. When" in text
    assert "The benchmark is run with the tests [S2.3]. **[unverified]**" in text
    assert 'README.md, version 1, line 18: "Never more than `capacity` entries."' in text
    assert any("3 of 12 sentences" in warning for warning in bench.watcher.warnings)


async def test_a_document_that_is_written_anew_is_no_source_of_itself(tmp_path: Path) -> None:
    bench = example(tmp_path)
    await research(bench)

    result = await research(bench)

    assert result.status == "completed", result.error
    steps = [
        e.data
        async for e in bench.space.events()
        if e.type == "run.step" and e.data["key"] == "research/sources"
    ]
    assert [each["path"] for each in steps[-1]["result"]["sources"]] == [
        "README.md",
        "docs/test-approach.md",
        "src/boundedcache/cache.py",
    ]


@pytest.mark.parametrize(
    ("sources", "said"),
    [(["nothing.md"], "nothing.md"), (["*.png"], "*.png"), (["picture.bin"], "no sources")],
)
async def test_sources_that_are_not_there_are_told(tmp_path: Path, sources: list[str], said: str) -> None:
    bench = example(tmp_path)
    (bench.root / "picture.bin").write_bytes(b"\x00\x01")

    result = await research(bench, sources=sources)

    assert (result.status, result.exit_code) == ("failed", 2)
    assert result.error is not None
    assert said in result.error["message"]


async def test_a_document_that_somebody_saved_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    bench = example(tmp_path)
    await research(bench)
    write_agent(bench.root, "mara", [{"on": "compare", "fail": "unavailable"}], role="critic")
    broken = await research(bench)
    assert broken.exit_code == 8
    (bench.root / "docs/promises.md").write_text("Mine.\n")
    await bench.folder.artifact(bench.space, "docs/promises.md")
    write_agent(bench.root, "mara", [{"on": "compare", "text": json.dumps({"findings": []})}], role="critic")

    result = await bench.resume(broken.run)

    assert (result.status, result.exit_code) == ("failed", 9)
    assert (bench.root / "docs/promises.md").read_text() == "Mine.\n"


@pytest.mark.parametrize("after", range(2, 26, 3))
async def test_a_research_that_broke_off_anywhere_ends_as_if_it_had_not(tmp_path: Path, after: int) -> None:
    bench = example(tmp_path)
    clock = ManualClock()
    bench.space = Failing(Actor("ana"), clock=clock)
    Failing.left = after
    try:
        result = await research(bench)
        run, status = result.run, str(result.status)
    except FlowError:
        runs = await bench.space.read(Runs())
        run, status = (runs[0].id, str(runs[0].status)) if runs else ("", "")
    Failing.left = 10**9
    clock.sleep(60_000)

    if not run:
        result = await research(bench)
    elif status != "completed":
        result = await bench.resume(run)

    assert result.status == "completed", result.error
    assert result.outputs["version"] == 1
    assert await bench.space.read(Verify()) == []
    done = Counter(
        [
            e.data["key"]
            async for e in bench.space.events()
            if e.type == "run.step" and e.data["status"] == "completed"
        ]
    )
    assert set(done.values()) == {1}
