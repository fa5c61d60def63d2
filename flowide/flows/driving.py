"""Drives the steps of a run under its lease; whatever happens, its end is in the log before it is told."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

from flowide.domain.commands import ClaimRun, FinishRun, Leased
from flowide.domain.runs import cancelled_by
from flowide.errors import Busy, Fenced, FlowError, Gone, Interrupted, NeedsInput, Rejected, Unavailable
from flowide.flows import leases
from flowide.flows.api import Observer, RunResult
from flowide.flows.running import run_steps
from flowide.flows.state import RunState
from flowide.space.api import Reply, Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import Content, VariationText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from flowide.domain.events import Event


_STATUS = {Interrupted: "cancelled", NeedsInput: "waiting", Rejected: "rejected"}
"""Of a run that was stopped, by what stopped it."""


async def claim(space: Space, run: str, observer: Observer) -> Reply[Leased]:
    """Take the run over, under a new fence; a driver that is silent is waited for until its lease is over.

    Raises:
        Busy: The driver is alive: it renewed its lease meanwhile.
    """
    last = leases.LEASE_MS + 1
    while True:
        try:
            return await space.execute(ClaimRun(run=run, ttl_ms=leases.LEASE_MS))
        except Busy as busy:
            left = busy.data["expires_ms"]
            if left >= last:
                raise
            if last > leases.LEASE_MS:
                observer.warning(
                    f"waiting up to {left / 1000:.1f} s: is the process that drove the run gone?"
                )
            last = left
            await asyncio.sleep(min(left / 1000 + 0.01, 0.5))


async def drive(state: RunState) -> RunResult:
    """Run the steps; whatever happens, the end is in the log before it is told."""
    steps = asyncio.ensure_future(run_steps(state, state.flow.steps))
    try:
        async with LeaseKeeper.of_run(state.space, state.run, state.fence, ttl_ms=leases.LEASE_MS) as keeper:
            lost = asyncio.ensure_future(keeper.on_lost.wait())
            asked = asyncio.ensure_future(_asked_to_stop(state))
            try:
                done, _ = await asyncio.wait(
                    {steps, lost, asked},
                    timeout=state.request.timeout_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                lost.cancel()
                asked.cancel()
                await asyncio.wait({asked})
            if steps in done:
                state.put(*steps.result())
                await _read_text(state)
                return await _finish(state, "completed")
            await _stopped(steps)
            if asked in done:
                raise asked.result()
            if keeper.lost is not None:
                raise keeper.lost
            raise Unavailable(
                f"the run did not end within {state.request.timeout_s:g} s",
                hint="Resume it with a longer --timeout.",
                retryable=True,
            )
    except asyncio.CancelledError:
        await _stopped(steps)
        with contextlib.suppress(FlowError):
            await asyncio.shield(_finish(state, state.given_back, code=130))
        raise
    except (Interrupted, NeedsInput, Rejected) as stop:
        return await _finish(state, _STATUS[type(stop)], stop)
    except (Fenced, Gone) as lost:
        try:
            return await _finish(state, "failed", lost)
        except (Fenced, Gone):  # it is the run itself that is somebody else's: there is nothing to end
            return _result(state, "failed", lost, lost.exit_code)
    except FlowError as error:
        return await _finish(state, "failed", error)
    except Exception as bug:
        with contextlib.suppress(FlowError):
            said = f"this is a mistake in FlowIDE: {type(bug).__name__}: {bug}"
            await _finish(state, "failed", FlowError(said[:2000]))
        raise


async def _asked_to_stop(state: RunState) -> Interrupted:
    """Ends when somebody cancels the run, with who that was and why."""
    while True:
        with contextlib.suppress(FlowError):
            following = cast("AsyncGenerator[Event]", state.space.events(state.since, follow=True))
            async with contextlib.aclosing(following) as news:
                async for event in news:
                    if event.type == "run.cancel_asked" and event.data["run"] == state.run:
                        return cancelled_by(event.actor["id"], event.data.get("reason", ""))
        await asyncio.sleep(1)  # the space cannot be followed now; whoever asks can ask again


async def _read_text(state: RunState) -> None:
    """The text that the run results in: what was saved, else what was chosen, else what was said."""
    artifact, version = state.outputs.get("artifact"), state.outputs.get("version")
    set, chosen = state.outputs.get("set"), state.outputs.get("chosen")
    if artifact and version:
        data = await state.space.read(Content(artifact, version))
        state.outputs["text"] = data.decode(errors="replace")
    elif set and chosen:
        state.outputs["text"] = await state.space.read(VariationText(set, chosen))


async def _stopped(steps: asyncio.Future[Any]) -> None:
    steps.cancel()
    await asyncio.wait({steps})


async def _finish(
    state: RunState, status: Any, error: FlowError | None = None, *, code: int | None = None
) -> RunResult:
    exit_code = code if code is not None else (error.exit_code if error is not None else 0)
    outputs = {
        name: value for name, value in state.outputs.items() if name not in {"text", "check_timeout_s"}
    }
    totals = state.spending.totals()
    await state.commit(
        FinishRun(
            run=state.run,
            fence=state.fence,
            status=status,
            exit_code=exit_code,
            error=None if error is None else error.to_dict(),
            outputs=outputs,
            totals=totals,
        )
    )
    return _result(state, status, error, exit_code, totals)


def _result(
    state: RunState,
    status: Any,
    error: FlowError | None,
    exit_code: int,
    totals: dict[str, Any] | None = None,
) -> RunResult:
    resumable = status in {"queued", "waiting", "failed", "cancelled"}
    return RunResult(
        run=state.run,
        status=status,
        exit_code=exit_code,
        error=None if error is None else error.to_dict(),
        outputs={name: value for name, value in state.outputs.items() if name != "check_timeout_s"},
        totals=state.spending.totals() if totals is None else totals,
        resume_command=f"flowide run {state.flow.flow} --resume {state.run}" if resumable else None,
    )
