"""`check`: commands run on every variation that has not been checked yet."""

from __future__ import annotations

import asyncio
from typing import Any

from flowide.domain.commands import RecordCheck
from flowide.errors import BadInput, NotAllowed
from flowide.flows.asking import gather
from flowide.flows.checks import PARSES, CheckCommand, commands_of, parse_check, run_checks
from flowide.flows.state import RunState, StepContext
from flowide.space.queries import OneVariationSet, VariationText

SIDE_BY_SIDE = 2
"""Variations checked at the same time: checks measure, so they should not starve each other."""


async def run(context: StepContext) -> dict[str, Any]:
    """Check the variations of the run's set; the result counts those that passed everything."""
    state = context.state
    set = state.outputs.get("set")
    if not set:
        raise BadInput("there is nothing to check", hint="Put a vary step before the check step.")
    commands = commands_of(context.field("commands"))
    check_trust(state, commands)
    state.outputs["checks"] = [f"{each.name}: {each.command}" for each in commands]
    state.outputs["check_timeout_s"] = context.spec.timeout_s
    await check_all(state, set, commands, timeout_s=context.spec.timeout_s)
    view = await state.space.read(OneVariationSet(set))
    good = [
        each.variation.number
        for each in view.variations
        if each.checks and all(check.status == "passed" for check in each.checks)
    ]
    return {"set": set, "passed": good, "commands": [each.name for each in commands]}


def check_trust(state: RunState, commands: list[CheckCommand]) -> None:
    """Raise NotAllowed for commands nobody vouched for."""
    for each in commands:
        if not state.request.trust and each.command not in state.trusted:
            raise NotAllowed(
                f"the flow wants to run {each.command[:200]!r}, and the project is not trusted",
                hint="Look at the command; then give --trust.",
                command=each.command,
            )


async def check_all(state: RunState, set: str, commands: list[CheckCommand], *, timeout_s: float) -> None:
    """Run what is missing; each result is recorded as soon as it is there."""
    view = await state.space.read(OneVariationSet(set))
    path = view.set.path or ""
    turn = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int, have: set_of_names) -> None:
        wanted = [each for each in commands if each.name not in have]
        if PARSES in have and not wanted:
            return
        async with turn:
            text = await state.space.read(VariationText(set, number))
            results: list[RecordCheck] = []
            if PARSES not in have:
                results.append(parse_check(set, number, text, path))
            results += await run_checks(state.folder, set, number, text, path, wanted, timeout_s=timeout_s)
            await state.commit(*results)

    await gather(
        *(
            one(each.variation.number, frozenset(check.name for check in each.checks))
            for each in view.variations
            if not each.variation.rejected
        )
    )


set_of_names = frozenset[str]
