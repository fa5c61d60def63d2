"""Drives a run: its steps in order, each in the log before the next begins, under a lease."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from flowide.agents.definition import AgentDefinition
from flowide.agents.load import choose_agents, find_agents
from flowide.domain.commands import ClaimRun, FinishRun, Leased, StartRun
from flowide.domain.ids import uuid7
from flowide.errors import (
    BadInput,
    Busy,
    Fenced,
    FlowError,
    Gone,
    NeedsInput,
    NotFound,
    Rejected,
    Unavailable,
)
from flowide.flows.api import Budget, Observer, RunRequest, RunResult
from flowide.flows.budget import Spending
from flowide.flows.checks import commands_of
from flowide.flows.load import LoadedFlow, input_values, load_flow, parse_flow
from flowide.flows.schema import Flow
from flowide.flows.state import Agents, RunState, StepContext, with_options
from flowide.flows.steps import step_of
from flowide.flows.templates import truth
from flowide.project.folder import ProjectFolder
from flowide.space.api import Reply, Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import OneRun, VariationText

LEASE_MS = 6_000
"""A run whose process is gone can be gone on with after so long; it is renewed three times as often."""


class Quiet:
    """An observer that shows nothing."""

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        """Nothing."""

    def warning(self, message: str) -> None:
        """Nothing."""


class Surroundings(msgspec.Struct, frozen=True):
    """What a run takes from outside the project: the command line fills it from settings and environment."""

    env: dict[str, str] = {}
    """Where keys and addresses of models are looked up."""
    models: dict[str, Any] = {}
    """`[models.<alias>]` tables."""
    user_agents: Path | None = None
    """Folder of the user's agents."""
    user_flows: Path | None = None
    """Folder that holds the user's `flows/`."""
    silence_s: float = 60.0
    """Seconds without a word from a model after which an attempt is given up."""
    call_s: float = 300.0
    """Seconds for one answer of an agent, all attempts included."""


async def start(
    space: Space,
    folder: ProjectFolder,
    request: RunRequest,
    *,
    observer: Observer | None = None,
    run_id: str | None = None,
    surroundings: Surroundings | None = None,
) -> RunResult:
    """Run a flow to its end, to a gate, or to a failure.

    Raises:
        BadInput: The flow, an input or an agent is wrong; no run was started.
        AuthFailed: A key is missing; no run was started.
    """
    around = surroundings or Surroundings()
    loaded = load_flow(request.flow, folder.root, around.user_flows)
    inputs = input_values(loaded.flow, _given(request))
    agents = _agents(folder, request, loaded.flow, around)
    async with _pool(agents, request, around) as pool:
        for handle in agents:
            await pool.backend(handle).check()
        run = run_id or uuid7()
        started = await space.execute(
            StartRun(
                run=run,
                flow=loaded.flow.flow,
                flow_sha256=loaded.digest,
                flow_text=loaded.text,
                inputs=inputs,
                options=msgspec.to_builtins(request) | {"origin": loaded.origin},
                ttl_ms=LEASE_MS,
            )
        )
        at = _Place(space, folder, run, started.ok.fence)
        return await _drive(_state(at, loaded.flow, request, inputs, agents, pool, observer, around.call_s))


async def resume(
    space: Space,
    folder: ProjectFolder,
    run: str,
    *,
    request: RunRequest | None = None,
    observer: Observer | None = None,
    surroundings: Surroundings | None = None,
) -> RunResult:
    """Go on with a run under the flow as it was at its start; no finished call is made again.

    Raises:
        NotFound: No such run.
        Busy: Another process drives it.
        Gone: It has ended.
    """
    around = surroundings or Surroundings()
    view = await space.read(OneRun(run))
    origin = view.run.options.get("origin", "project")
    loaded = parse_flow(view.run.flow_text, f"run {view.run.id[:13]}", origin=origin)
    stored = {key: value for key, value in view.run.options.items() if key != "origin"}
    request = with_options(msgspec.convert(stored, RunRequest), request)
    agents = _agents(folder, request, loaded.flow, around)
    async with _pool(agents, request, around) as pool:
        claimed = await _claim(space, view.run.id, observer or Quiet())
        at = _Place(space, folder, view.run.id, claimed.ok.fence)
        state = _state(at, loaded.flow, request, view.run.inputs, agents, pool, observer, around.call_s)
        _warn_if_changed(state, folder, request, loaded, around)
        await state.refresh()
        for step in state.steps.values():
            if step.usage:
                from flowide.agents.api import Usage

                state.spending.add(msgspec.convert(step.usage, Usage))
        state.outputs.update(view.run.outputs)
        return await _drive(state)


async def _claim(space: Space, run: str, observer: Observer) -> Reply[Leased]:
    """Take the run over; a driver that is silent is waited for until its lease is over.

    Raises:
        Busy: The driver is alive: it renewed its lease meanwhile.
    """
    last = LEASE_MS + 1
    while True:
        try:
            return await space.execute(ClaimRun(run=run, ttl_ms=LEASE_MS))
        except Busy as busy:
            left = busy.data["expires_ms"]
            if left >= last:
                raise
            if last > LEASE_MS:
                observer.warning(
                    f"waiting up to {left / 1000:.1f} s: is the process that drove the run gone?"
                )
            last = left
            await asyncio.sleep(min(left / 1000 + 0.01, 0.5))


def _given(request: RunRequest) -> dict[str, Any]:
    given = dict(request.inputs)
    if request.brief:
        given["brief"] = request.brief
    return given


def _agents(
    folder: ProjectFolder, request: RunRequest, flow: Flow, around: Surroundings
) -> dict[str, AgentDefinition]:
    found = find_agents(folder.root, around.user_agents)
    names = request.agents or flow.agents or list(found.agents)
    if not (request.agents or flow.agents):
        for error in found.broken.values():  # otherwise an agent would be missing, and nobody told
            raise error
    if not names and request.model:
        names = [request.model]
    if not names:
        raise NotFound(
            "there are no agents to run with",
            hint="Name a model: --agents openai/gpt-4o-mini; or make an agent: flowide agents new edwin.",
        )
    chosen = choose_agents(found, names, list(around.models))
    for agent in chosen:
        if agent.backend == "acp":
            raise BadInput(
                f"@{agent.handle} is an ACP agent, and this version does not run those yet",
                hint="Choose agents with a model: --agents …",
            )
    return {agent.handle: agent for agent in chosen}


@asynccontextmanager
async def _pool(
    agents: dict[str, AgentDefinition], request: RunRequest, around: Surroundings
) -> AsyncIterator[Agents]:
    from flowide.agents.pool import AgentPool

    async with AgentPool(
        list(agents.values()),
        models=around.models,
        env=around.env,
        model=request.model,
        silence_s=around.silence_s,
    ) as pool:
        yield pool


class _Place(msgspec.Struct, frozen=True):
    """Which run, where."""

    space: Space
    folder: ProjectFolder
    run: str
    fence: int


def _state(
    at: _Place,
    flow: Flow,
    request: RunRequest,
    inputs: dict[str, Any],
    agents: dict[str, AgentDefinition],
    pool: Agents,
    observer: Observer | None,
    call_s: float,
) -> RunState:
    bounds = flow.budget
    budget = Budget(
        cost_micros=_least(request.budget.cost_micros, bounds.cost_usd and round(bounds.cost_usd * 1e6)),
        tokens=_least(request.budget.tokens, bounds.tokens),
        seconds=_least(request.budget.seconds, bounds.minutes and round(bounds.minutes * 60)),
    )
    typed = request.inputs.get("checks", [])
    return RunState(
        space=at.space,
        folder=at.folder,
        run=at.run,
        fence=at.fence,
        flow=flow,
        request=request,
        inputs=inputs,
        agents=agents,
        pool=pool,
        spending=Spending(budget),
        observer=observer or Quiet(),
        calls=asyncio.Semaphore(max(1, request.parallel)),
        call_s=call_s,
        # Commands given with the run were typed by whoever started it; those in a flow file were not.
        trusted={each.command for each in commands_of(typed)},
    )


def _least(*bounds: float | None) -> int | None:
    return min((int(bound) for bound in bounds if bound is not None), default=None)


def _warn_if_changed(
    state: RunState, folder: ProjectFolder, request: RunRequest, loaded: LoadedFlow, around: Surroundings
) -> None:
    with contextlib.suppress(FlowError):
        if load_flow(request.flow, folder.root, around.user_flows).digest != loaded.digest:
            state.observer.warning(
                f"the flow {loaded.flow.flow} was changed since this run began; it goes on with the old text"
            )


async def _drive(state: RunState) -> RunResult:
    """Run the steps; whatever happens, the end is in the log before it is told."""
    steps = asyncio.ensure_future(_steps(state))
    try:
        async with LeaseKeeper.of_run(state.space, state.run, state.fence, ttl_ms=LEASE_MS) as keeper:
            lost = asyncio.ensure_future(keeper.on_lost.wait())
            try:
                done, _ = await asyncio.wait(
                    {steps, lost}, timeout=state.request.timeout_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                lost.cancel()
            if steps in done:
                steps.result()
                await _read_text(state)
                return await _finish(state, "completed")
            await _stopped(steps)
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
            await asyncio.shield(_finish(state, "cancelled", code=130))
        raise
    except NeedsInput as stop:
        return await _finish(state, "waiting", stop)
    except Rejected as stop:
        return await _finish(state, "rejected", stop)
    except (Fenced, Gone) as lost_run:
        return _result(state, "failed", lost_run, lost_run.exit_code)
    except FlowError as error:
        return await _finish(state, "failed", error)
    except Exception as bug:
        with contextlib.suppress(FlowError):
            said = f"this is a mistake in FlowIDE: {type(bug).__name__}: {bug}"
            await _finish(state, "failed", FlowError(said[:2000]))
        raise


async def _read_text(state: RunState) -> None:
    """The text that the run results in: what was chosen."""
    set, chosen = state.outputs.get("set"), state.outputs.get("chosen")
    if set and chosen:
        state.outputs["text"] = await state.space.read(VariationText(set, chosen))


async def _stopped(steps: asyncio.Future[None]) -> None:
    steps.cancel()
    await asyncio.wait({steps})


async def _steps(state: RunState) -> None:
    for step in state.flow.steps:
        done = state.done(step.id)
        if done is not None:
            state.results[step.id] = done.result.get("result", {})
            state.outputs |= done.result.get("outputs", {})
            continue
        if state.steps.get(step.id, None) is not None and state.steps[step.id].status == "skipped":
            continue
        if step.when is not None and not truth(state.fill(step.when)):
            await state.commit(state.record(step.id, step.kind, "skipped"))
            continue
        if step.kind != "vary":  # records its start itself, together with its set
            await state.commit(state.record(step.id, step.kind, "started"))
        try:
            result = await step_of(step.kind)(StepContext(state, step))
        except NeedsInput:
            raise
        except FlowError as error:
            begun = state.steps[step.id].result if step.id in state.steps else {}
            failed = state.record(step.id, step.kind, "failed", result=begun, error=error.to_dict())
            await state.commit(failed)
            raise
        state.results[step.id] = result
        stored = {"result": result, "outputs": {k: v for k, v in state.outputs.items() if k != "text"}}
        await state.commit(state.record(step.id, step.kind, "completed", result=stored))


async def _finish(
    state: RunState, status: Any, error: FlowError | None = None, *, code: int | None = None
) -> RunResult:
    exit_code = code if code is not None else (error.exit_code if error is not None else 0)
    outputs = {
        name: value for name, value in state.outputs.items() if name not in {"text", "check_timeout_s"}
    }
    totals = state.spending.totals()
    await state.space.execute(
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
    resumable = status in {"waiting", "failed", "cancelled"}
    return RunResult(
        run=state.run,
        status=status,
        exit_code=exit_code,
        error=None if error is None else error.to_dict(),
        outputs={name: value for name, value in state.outputs.items() if name != "check_timeout_s"},
        totals=state.spending.totals() if totals is None else totals,
        resume_command=f"flowide run {state.flow.flow} --resume {state.run}" if resumable else None,
    )
