"""Starts and resumes runs; `driving` takes their steps."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import msgspec

from flowide.agents.definition import AgentDefinition
from flowide.agents.load import find_agents
from flowide.domain.commands import ClaimRun, FinishRun, QueueRun, StartRun
from flowide.domain.ids import uuid7
from flowide.domain.rows import Run
from flowide.errors import FlowError, NotFound
from flowide.flows import driving, leases, vouching
from flowide.flows.api import Budget, Observer, Quiet, RunRequest, RunResult
from flowide.flows.budget import Spending, bounds_of
from flowide.flows.called import Called, everywhere, load_called, restored, stored
from flowide.flows.casting import agents_of, check_price, pool_of
from flowide.flows.checks import commands_of
from flowide.flows.load import LoadedFlow, input_values, load_flow, parse_flow
from flowide.flows.naming import check_steps, check_top
from flowide.flows.recalling import recall
from flowide.flows.schema import Flow
from flowide.flows.state import Agents, RunState, with_options
from flowide.flows.surroundings import Surroundings
from flowide.flows.tools import Tools, flows_of
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import OneRun

__all__ = ["Surroundings", "Taken", "enqueue", "rehearse", "requeue", "resume", "start"]


class Taken(msgspec.Struct, frozen=True):
    """A run that a worker has claimed, and on what terms."""

    fence: int
    seq: int
    """Of the claim's event."""
    trust: bool | None = None
    """Whether commands are run, whatever somebody else said who queued the run; None = as the run says."""


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
    request = _by_settings(request, folder, around)
    plan = _planned(folder, request, around)
    everyone = plan.everyone
    async with pool_of(everyone, request, around) as pool:
        for handle in everyone:
            await pool.backend(handle).check()
        run = run_id or uuid7()
        started = await space.execute(
            StartRun(
                run=run,
                flow=plan.loaded.flow.flow,
                flow_sha256=plan.loaded.digest,
                flow_text=plan.loaded.text,
                inputs=plan.inputs,
                options=plan.options(request, run, folder.root, around),
                ttl_ms=leases.LEASE_MS,
            )
        )
        at = _Place(space, folder, run, started.ok.fence, started.seq)
        state = _state(at, plan.loaded.flow, request, plan.inputs, plan.agents, pool, observer, around)
        state.called, state.everyone = plan.called, everyone
        return await _drive(state, plan.loaded, around)


async def rehearse(
    space: Space,
    folder: ProjectFolder,
    request: RunRequest,
    pool: Agents,
    *,
    surroundings: Surroundings | None = None,
) -> RunResult:
    """Take the steps of a flow with `pool` in place of its agents, without tools, and with no command permitted.

    It is recorded like a run: `space` should be a copy, and `folder` one that is only read.

    Raises:
        BadInput: The flow, an input or an agent is wrong.
    """
    around = surroundings or Surroundings()
    request = _by_settings(request, folder, around)
    plan = _planned(folder, request, around)
    run = uuid7()
    started = await space.execute(
        StartRun(
            run=run,
            flow=plan.loaded.flow.flow,
            flow_sha256=plan.loaded.digest,
            flow_text=plan.loaded.text,
            inputs=plan.inputs,
            ttl_ms=leases.LEASE_MS,
        )
    )
    at = _Place(space, folder, run, started.ok.fence, started.seq)
    bound = msgspec.structs.replace(request, trust=False, allow=[])
    state = _state(at, plan.loaded.flow, bound, plan.inputs, plan.agents, pool, None, around)
    state.called, state.everyone, state.trusted = plan.called, plan.everyone, set()
    return await driving.drive(state)


async def enqueue(
    space: Space,
    folder: ProjectFolder,
    request: RunRequest,
    *,
    run_id: str | None = None,
    surroundings: Surroundings | None = None,
) -> str:
    """Leave a run to the workers of the space; its id.

    Raises:
        BadInput: The flow, an input or an agent is wrong; nothing was queued.
        OverBudget: Only money is bounded, and a price is unknown; nothing was queued.
    """
    around = surroundings or Surroundings()
    request = _by_settings(request, folder, around)
    plan = _planned(folder, request, around)
    run = run_id or uuid7()
    command = QueueRun(
        run=run,
        flow=plan.loaded.flow.flow,
        flow_sha256=plan.loaded.digest,
        flow_text=plan.loaded.text,
        inputs=plan.inputs,
        options=plan.options(request, run, folder.root, around, by=msgspec.to_builtins(space.actor)),
    )
    await space.execute(command)
    return command.run


async def requeue(space: Space, run: str) -> None:
    """Leave a run that has stopped to the workers of the space.

    Raises:
        Busy: A process drives it.
        Gone: It has ended.
    """
    claimed = (await space.execute(ClaimRun(run=run, ttl_ms=leases.LEASE_MS))).ok
    await space.execute(FinishRun(run=run, fence=claimed.fence, status="queued", exit_code=0))


class _Plan(msgspec.Struct, frozen=True):
    """A request with all it names, found and checked."""

    loaded: LoadedFlow
    called: dict[str, Called]
    inputs: dict[str, Any]
    agents: dict[str, AgentDefinition]
    everyone: dict[str, AgentDefinition]
    """Those of called flows too."""

    def options(
        self, request: RunRequest, run: str, root: Path, around: Surroundings, **more: Any
    ) -> dict[str, Any]:
        """What the run keeps for a resume."""
        flows = {"origin": self.loaded.origin, "called": stored(self.called)}
        kept = {**msgspec.to_builtins(request), **flows, **more}
        return kept | {
            vouching.FIELD: vouching.seal(around.user_flows, root, run, self.loaded.text, self.inputs, kept)
        }


def _by_settings(request: RunRequest, folder: ProjectFolder, around: Surroundings) -> RunRequest:
    """The request with the bounds of the settings, when it has none of its own, and with the trust they give."""
    if request.budget == Budget():
        request = msgspec.structs.replace(request, budget=around.budget)
    return _trusted(request, folder, around)


def _trusted(request: RunRequest, folder: ProjectFolder, around: Surroundings) -> RunRequest:
    trusted = around.settings is not None and around.settings.settings.trusts(folder.root)
    return msgspec.structs.replace(request, trust=request.trust or trusted)


def _planned(folder: ProjectFolder, request: RunRequest, around: Surroundings) -> _Plan:
    loaded = load_flow(request.flow, folder.root, around.user_flows)
    called = load_called(loaded, folder.root, around.user_flows)
    inputs = input_values(loaded.flow, _given(request))
    try:
        agents, everyone = agents_of(folder, request, loaded.flow, called, around)
    except NotFound:
        if not request.agents:  # the file names it: told with its place
            found, models = find_agents(folder.root, around.user_agents), list(around.models)
            for each in (loaded, *(child.loaded for child in everywhere(called))):
                check_top(each, found, models)
        raise
    check_steps(loaded, called, agents, everyone)
    check_price(bounds_of(loaded.flow.budget, request.budget), everyone, request, around)
    return _Plan(loaded, called, inputs, agents, everyone)


async def resume(
    space: Space,
    folder: ProjectFolder,
    run: str,
    *,
    request: RunRequest | None = None,
    observer: Observer | None = None,
    surroundings: Surroundings | None = None,
    taken: Taken | None = None,
) -> RunResult:
    """Go on with a run under the flow as it was at its start; no finished call is made again.

    `taken` says that a worker has claimed it: when that is stopped, the run goes back into the queue.

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
    own = is_own(space, folder, view.run, around) if taken is None else taken.trust is None
    began = msgspec.convert(view.run.options, RunRequest)
    if not own:
        # What somebody else trusted, or the same person on another machine, is not trusted here.
        trust = taken is not None and bool(taken.trust)
        began = msgspec.structs.replace(began, trust=trust, allow=began.allow if trust else [])
    request = _trusted(with_options(began, request), folder, around)
    agents, everyone = agents_of(folder, request, loaded.flow, called, around)
    check_price(bounds_of(loaded.flow.budget, request.budget), everyone, request, around)
    async with pool_of(everyone, request, around) as pool:
        if taken is None:
            claimed = await driving.claim(space, view.run.id, observer or Quiet())
            at = _Place(space, folder, view.run.id, claimed.ok.fence, claimed.seq)
        else:
            at = _Place(space, folder, view.run.id, taken.fence, taken.seq)
        state = _state(at, loaded.flow, request, view.run.inputs, agents, pool, observer, around)
        state.called, state.everyone = called, everyone
        if taken is not None:
            state.given_back = "queued"
        if not own:
            state.trusted = set()
        _warn_if_changed(state, folder, request, loaded, around)
        await state.refresh()
        state.past = await recall(space, view.run.id, view.run.seq)
        state.spending.resume(state.past)
        state.outputs.update(view.run.outputs)
        return await _drive(state, loaded, around)


def is_own(space: Space, folder: ProjectFolder, run: Run, around: Surroundings) -> bool:
    """Whether the person here began the run, so that it goes on under what they trusted then.

    A hub knows who began it; a workspace in a project's folder may say what somebody else put there.
    """
    if run.actor != space.actor.id:
        return False
    return space.shared or vouching.vouched(
        around.user_flows, folder.root, run.id, run.flow_text, run.inputs, run.options
    )


async def _drive(state: RunState, loaded: LoadedFlow, around: Surroundings) -> RunResult:
    """Run the steps, with tool servers that end with the run."""
    state.tools = Tools(
        state.folder.root,
        loaded=around.settings,
        env=around.env,
        user_folder=around.user_flows,
        trusted=state.request.trust,
        flows=flows_of(loaded, state.called),
    )
    try:
        return await driving.drive(state)
    finally:
        await asyncio.shield(state.tools.close())


def _given(request: RunRequest) -> dict[str, Any]:
    given = dict(request.inputs)
    if request.brief:
        given["brief"] = request.brief
    return given


class _Place(msgspec.Struct, frozen=True):
    """Which run, where."""

    space: Space
    folder: ProjectFolder
    run: str
    fence: int
    since: int


def _state(
    at: _Place,
    flow: Flow,
    request: RunRequest,
    inputs: dict[str, Any],
    agents: dict[str, AgentDefinition],
    pool: Agents,
    observer: Observer | None,
    around: Surroundings,
) -> RunState:
    typed = request.inputs.get("checks", [])
    coding = getattr(pool, "desk", None)
    state = RunState(
        space=at.space,
        folder=at.folder,
        run=at.run,
        fence=at.fence,
        since=at.since,
        flow=flow,
        request=request,
        inputs=inputs,
        agents=agents,
        pool=pool,
        spending=Spending(bounds_of(flow.budget, request.budget)),
        observer=observer or Quiet(),
        calls=asyncio.Semaphore(max(1, request.parallel)),
        call_s=around.call_s,
        context=around.context,
        # Commands given with the run were typed by whoever started it; those in a flow file were not.
        trusted={each.command for each in commands_of(typed)},
        coding=coding,
    )
    if coding is not None:
        coding.bind(state)
    return state


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
