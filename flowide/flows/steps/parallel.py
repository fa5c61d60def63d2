"""`parallel`: branches of steps that go on at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

from flowide.errors import FlowError, NeedsInput
from flowide.flows.running import NOT_KEPT, run_inside
from flowide.flows.state import StepContext

FATAL = frozenset({"budget", "fenced", "gone", "storage"})
"""Errors that end the run, whatever is tolerated."""


async def run(context: StepContext) -> dict[str, Any]:
    """As many branches at a time as calls may be in flight; the result has each by its name.

    A question in one branch stops only that one: the others come to their end first.

    Raises:
        NeedsInput: A branch waits for an answer.
        FlowError: A branch failed and is not tolerated, or all did.
    """
    state, spec, id = context.state, context.spec, context.step.id
    turn = asyncio.Semaphore(max(1, state.request.parallel))

    async def one(name: str) -> dict[str, Any]:
        async with turn:
            scope = state.scope()
            results = await run_inside(scope, spec.branches[name], f"{id}/{name}/")
            outputs = {k: v for k, v in scope.outputs.items() if k not in NOT_KEPT}
            return {"steps": results, "outputs": outputs}

    running = {name: asyncio.create_task(one(name), name=f"branch {name}") for name in spec.branches}
    errors = await _ended(running, tolerate=spec.on_failure == "tolerate")
    for error in errors.values():
        if isinstance(error, NeedsInput):
            raise error
    if len(errors) == len(running):
        raise next(iter(errors.values()))
    for name, error in errors.items():
        state.observer.warning(f"{id}: the branch {name} failed: {error.message}")
    branches = {name: task.result() for name, task in running.items() if name not in errors}
    failed = {name: {"code": error.code, "message": error.message} for name, error in errors.items()}
    return {"branches": branches, "failed": failed}


async def _ended(running: dict[str, asyncio.Task[dict[str, Any]]], *, tolerate: bool) -> dict[str, FlowError]:
    """Why branches did not come through, once all have ended; the first failure that counts ends the others."""
    pending = set(running.values())
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None or isinstance(error, NeedsInput):
                    continue
                if not (tolerate and isinstance(error, FlowError) and error.code not in FATAL):
                    raise error
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
    found = {name: task.exception() for name, task in running.items()}
    return {name: error for name, error in found.items() if isinstance(error, FlowError)}
