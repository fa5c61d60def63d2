"""Drives a run: its steps in order, each in the log before the next begins, under a lease."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from flowide.agents.api import Usage
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
    OverBudget,
    Rejected,
    Unavailable,
)
from flowide.flows.api import Budget, Observer, RunRequest, RunResult
from flowide.flows.budget import Spending, bounds_of
from flowide.flows.called import Called, everywhere, load_called, restored, stored
from flowide.flows.checks import commands_of
from flowide.flows.load import LoadedFlow, input_values, load_flow, parse_flow
from flowide.flows.running import run_steps
from flowide.flows.schema import Flow
from flowide.flows.state import Agents, RunState, with_options
from flowide.project.folder import ProjectFolder
from flowide.space.api import Reply, Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import Content, OneRun, VariationText

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
        OverBudget: Only money is bounded, and a price is unknown; no run was started.
    """
    around = surroundings or Surroundings()
    loaded = load_flow(request.flow, folder.root, around.user_flows)
    called = load_called(loaded, folder.root, around.user_flows)
    inputs = input_values(loaded.flow, _given(request))
    agents, everyone = _agents(folder, request, loaded.flow, called, around)
    check_price(bounds_of(loaded.flow.budget, request.budget), everyone, request, around)
    async with _pool(everyone, request, around) as pool:
        for handle in everyone:
            await pool.backend(handle).check()
        run = run_id or uuid7()
        started = await space.execute(
            StartRun(
                run=run,
                flow=loaded.flow.flow,
                flow_sha256=loaded.digest,
                flow_text=loaded.text,
                inputs=inputs,
                options=msgspec.to_builtins(request) | {"origin": loaded.origin, "called": stored(called)},
                ttl_ms=LEASE_MS,
            )
        )
        at = _Place(space, folder, run, started.ok.fence)
        state = _state(at, loaded.flow, request, inputs, agents, pool, observer, around.call_s)
        state.called, state.everyone = called, everyone
        return await _drive(state)


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
    called = restored(view.run.options.get("called", {}))
    asked = {key: value for key, value in view.run.options.items() if key not in {"origin", "called"}}
    request = with_options(msgspec.convert(asked, RunRequest), request)
    agents, everyone = _agents(folder, request, loaded.flow, called, around)
    check_price(bounds_of(loaded.flow.budget, request.budget), everyone, request, around)
    async with _pool(everyone, request, around) as pool:
        claimed = await _claim(space, view.run.id, observer or Quiet())
        at = _Place(space, folder, view.run.id, claimed.ok.fence)
        state = _state(at, loaded.flow, request, view.run.inputs, agents, pool, observer, around.call_s)
        state.called, state.everyone = called, everyone
        _warn_if_changed(state, folder, request, loaded, around)
        await state.refresh()
        await _recall(state, view.run.seq)
        state.outputs.update(view.run.outputs)
        return await _drive(state)


async def _recall(state: RunState, seq: int) -> None:
    """Count every call that the log knows of, those that failed and were made again too."""
    async for event in state.space.events(seq - 1):
        data = event.data
        if event.type != "run.step" or data["run"] != state.run:
            continue
        if data["status"] == "started" and "agent" in data["result"]:
            state.spending.turns[data["result"]["agent"]] += 1
        elif data.get("usage"):
            state.spending.add(msgspec.convert(data["usage"], Usage))


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
    folder: ProjectFolder,
    request: RunRequest,
    flow: Flow,
    called: Mapping[str, Called],
    around: Surroundings,
) -> tuple[dict[str, AgentDefinition], dict[str, AgentDefinition]]:
    """The agents of the run, and the same with those that only called flows name."""
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
    others = [] if request.agents else [name for each in everywhere(called) for name in each.flow.agents]
    more = choose_agents(found, list(dict.fromkeys(others)), list(around.models)) if others else []
    for agent in [*chosen, *more]:
        if agent.backend == "acp":
            raise BadInput(
                f"@{agent.handle} is an ACP agent, and this version does not run those yet",
                hint="Choose agents with a model: --agents …",
            )
    agents = {agent.handle: agent for agent in chosen}
    return agents, {agent.handle: agent for agent in more} | agents


def check_price(
    budget: Budget, agents: Mapping[str, AgentDefinition], request: RunRequest, around: Surroundings
) -> None:
    """Raise OverBudget when money is all that is bounded, and what an agent costs is not known."""
    if budget.cost_micros is None or budget.tokens is not None or budget.seconds is not None:
        return
    from flowide.agents.prices import unpriced

    unknown = unpriced(agents, around.models, around.env, request.model)
    if unknown is not None:
        raise OverBudget(
            f"the price of {unknown} is unknown, so a budget of money alone cannot be kept",
            hint="Bound tokens or time too: --budget 2usd,200000tok,20m; or set price_in and price_out of the model.",
        )


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
        spending=Spending(bounds_of(flow.budget, request.budget)),
        observer=observer or Quiet(),
        calls=asyncio.Semaphore(max(1, request.parallel)),
        call_s=call_s,
        # Commands given with the run were typed by whoever started it; those in a flow file were not.
        trusted={each.command for each in commands_of(typed)},
    )


def _warn_if_changed(
    state: RunState, folder: ProjectFolder, request: RunRequest, loaded: LoadedFlow, around: Surroundings
) -> None:
    with contextlib.suppress(FlowError):
        now = load_flow(request.flow, folder.root, around.user_flows)
        called_now = stored(load_called(now, folder.root, around.user_flows))
        if now.digest != loaded.digest or called_now != stored(state.called):
            state.observer.warning(
                f"the flow {loaded.flow.flow} was changed since this run began; it goes on with the old text"
            )


async def _drive(state: RunState) -> RunResult:
    """Run the steps; whatever happens, the end is in the log before it is told."""
    steps = asyncio.ensure_future(run_steps(state, state.flow.steps))
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
                state.put(*steps.result())
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
