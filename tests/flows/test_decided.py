"""Agreed and open decisions are part of every prompt, whatever step makes it."""

from __future__ import annotations

from pathlib import Path

from flowide.agents.api import Message, Request
from flowide.domain.commands import AgreeDecision, ProposeDecision, SupersedeDecision
from flowide.flows.decided import with_decisions
from flowide.testing import MemorySpace
from tests.flows.conftest import Bench
from tests.project_with_agents import make_project


async def decided(space: MemorySpace) -> None:
    for n, text in enumerate(["Eight.", "Nine.", "Ten."]):
        await space.execute(ProposeDecision(decision=f"d{n}", text=text))
    await space.execute(AgreeDecision(decision="d0"))
    await space.execute(SupersedeDecision(decision="d2"))


async def test_decisions_are_added_to_the_system_message_once() -> None:
    space = MemorySpace()
    await decided(space)
    request = Request(agent="a", purpose="vary", messages=[Message("system", "S"), Message("user", "U")])

    once = await with_decisions(space, request)

    assert once.messages[0].content == (
        "S\n\nDecision D1 (agreed: keep to it): Eight.\n\nDecision D2 (open: not decided yet): Nine."
    )
    assert once.messages[1:] == request.messages[1:]
    assert await with_decisions(space, once) == once


async def test_a_prompt_without_a_system_message_gets_one() -> None:
    space = MemorySpace()
    await decided(space)

    request = await with_decisions(space, Request(agent="a", purpose="vary", messages=[Message("user", "U")]))

    assert [each.role for each in request.messages] == ["system", "user"]


async def test_without_decisions_a_prompt_stays_as_it_is() -> None:
    request = Request(agent="a", purpose="vary", messages=[Message("user", "U")])

    assert await with_decisions(MemorySpace(), request) is request


async def test_variations_and_critiques_are_told_too(tmp_path: Path) -> None:
    bench = Bench(make_project(tmp_path / "project"))
    without = await bench.start(on_gate="approve")
    await decided(bench.space)

    told = await bench.start(on_gate="approve")

    tokens: dict[str, dict[str, int]] = {run.run: {} for run in (without, told)}
    async for event in bench.space.events():
        if event.type == "run.step" and event.data["usage"]:
            tokens[event.data["run"]][event.data["key"]] = event.data["usage"]["input_tokens"]
    assert set(tokens[told.run]) == {"vary#1", "vary#2", "vary#3", "vary#4", "critique#1"}
    assert all(tokens[told.run][key] > tokens[without.run][key] for key in tokens[told.run])
