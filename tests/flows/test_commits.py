"""What a run writes: no more commits than its promises need, and no answer twice."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from flowide.errors import OverBudget
from flowide.flows.api import Budget
from flowide.space.queries import Runs
from tests.flows.conftest import Bench
from tests.project_with_agents import fenced, make_project, shop, verdicts, write_agent


async def _commits(root: Path, critiques: int) -> int:
    bench = Bench(make_project(root, variations=2))
    write_agent(bench.root, "carl", [{"on": "critique", "text": verdicts(2)}], role="critic")
    file = bench.root / "many.yaml"
    steps = "  - vary: {n: 2, path: src/shop.py}\n" + "  - critique: {}\n" * critiques
    file.write_text(f"flow: many\nsteps:\n{steps}")
    assert (await bench.start(str(file))).status == "completed"
    return len({event.cmd async for event in bench.space.events()})


async def test_a_step_with_one_call_costs_two_commits(tmp_path: Path) -> None:
    few, many = await _commits(tmp_path / "few", 2), await _commits(tmp_path / "many", 7)

    assert many - few == 5 * 2


async def test_an_answer_is_kept_under_the_name_its_step_gives(bench: Bench) -> None:
    await bench.start(on_gate="approve")

    done = [
        event.data["result"]["reply"]
        async for event in bench.space.events()
        if event.type == "run.step" and "reply" in event.data["result"]
    ]
    texts = [await bench.space.blob(digest) for digest in done]
    assert len(done) == 5
    assert [sha256(text).hexdigest() for text in texts] == done


async def test_turns_are_bounded_in_all_and_for_each_agent(bench: Bench) -> None:
    in_all = await bench.start(inputs={"n": 6}, budget=Budget(turns=3))
    each = await bench.start(inputs={"n": 6}, budget=Budget(agent_turns=2), parallel=1)

    assert (in_all.exit_code, each.exit_code) == (6, 6)
    assert in_all.error is not None
    assert "3 of 3 turns" in in_all.error["message"]
    assert each.error is not None
    assert "2 of 2 turns are taken by @anders" in each.error["message"]


async def test_turns_of_before_count_after_a_resume(bench: Bench) -> None:
    write_agent(bench.root, "anders", [{"on": "vary", "text": fenced(shop(1))}, {"on": "more", "text": "x"}])
    stopped = await bench.start(inputs={"n": 2, "critique": False}, budget=Budget(turns=3))
    assert stopped.exit_code == 3

    result = await bench.answer(stopped, "more 2")

    assert result.exit_code == 6


async def test_money_alone_does_not_bound_what_has_no_price(bench: Bench) -> None:
    bench.around.env.update({"OPENAI_API_BASE": "http://127.0.0.1:9/v1"})

    with pytest.raises(OverBudget, match=r"price of @.* is unknown"):
        await bench.start(agents=["openai/no-such-model"], budget=Budget(cost_micros=1_000_000))

    assert await bench.space.read(Runs()) == []


async def test_what_failed_calls_used_counts_after_a_resume(bench: Bench) -> None:
    write_agent(bench.root, "carl", [{"on": "critique", "text": "no JSON"}], role="critic")
    file = bench.root / "strict.yaml"
    file.write_text(
        "flow: strict\nsteps:\n  - vary: {n: 2, path: src/shop.py}\n  - critique: {optional: false}\n"
    )
    broken = await bench.start(str(file))
    assert broken.totals["calls"] == 5
    write_agent(bench.root, "carl", [{"on": "critique", "text": verdicts(2)}], role="critic")

    result = await bench.resume(broken.run)

    assert result.status == "completed", result.error
    assert result.totals["input_tokens"] > broken.totals["input_tokens"]
    assert result.totals["output_tokens"] > broken.totals["output_tokens"]
