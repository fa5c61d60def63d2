"""The flow `story` on its scripted scene."""

from __future__ import annotations

from pathlib import Path

from flowide.flows.api import RunResult
from flowide.headless import demo
from tests.flows.conftest import Bench

BRIEF = "The operator of a harbour radio answers a ship that sank long ago."


def example(tmp_path: Path) -> Bench:
    demo.prepare(tmp_path / "demo")
    return Bench(tmp_path / "demo")


async def story(bench: Bench, on_gate: str = "approve") -> RunResult:
    agents = ["edwin", "quinn", "mara"]
    inputs = {"path": "night-watch.md"}
    return await bench.start("story", brief=BRIEF, inputs=inputs, agents=agents, on_gate=on_gate)


async def test_a_scene_is_planned_varied_chosen_edited_and_signed_off(tmp_path: Path) -> None:
    bench = example(tmp_path)

    result = await story(bench)

    assert result.status == "completed", result.error
    assert (result.outputs["version"], result.outputs["chosen"]) == (2, 1)
    assert "Crossed out the time" in result.outputs["text"]
    assert (bench.root / "night-watch.md").read_text() == result.outputs["text"]
    assert "Whoever tells it must want something" in (await bench.set()).set.brief


async def test_parts_of_scenes_are_mixed_by_a_sentence_and_the_result_is_what_was_saved(
    tmp_path: Path,
) -> None:
    bench = example(tmp_path)
    stopped = await story(bench, "stop")
    stopped = await bench.answer(stopped, "2 with 3:The answer")
    assert stopped.exit_code == 3

    result = await bench.answer(stopped, "approve")

    assert result.status == "completed", result.error
    assert (bench.root / "night-watch.md").read_text() == result.outputs["text"]
