"""Runs that a session has started: they go on beside its calls, and stop with a checkpoint when it ends."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowide import settings
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, Limit, NotFound, Unavailable
from flowide.space.api import Space
from flowide.space.queries import OneRun, RunView

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest, RunResult
    from flowide.flows.engine import Surroundings
    from flowide.project.folder import ProjectFolder

MOST_RUNS = 3
"""Runs that one session drives at a time."""
_BEGIN_S = 40.0
_LOOK_S = 0.05


class Runs:
    """The runs of a session."""

    def __init__(self, space: Space, folder: ProjectFolder) -> None:
        self._space = space
        self._folder = folder
        self._tasks: dict[str, asyncio.Task[RunResult]] = {}

    def driven(self) -> list[str]:
        """Ids of the runs that go on here."""
        return [run for run, task in self._tasks.items() if not task.done()]

    async def start(self, flow: str, **request: Any) -> str:
        """Begin a run; its id once it is in the log.

        Raises:
            FlowError: It could not begin, for example for a wrong input or a missing key.
        """
        if len(self.driven()) >= MOST_RUNS:
            raise Limit(
                f"{MOST_RUNS} runs of yours go on already",
                hint="Wait for one with run_status and wait_s, or stop one with stop_run.",
                limit=MOST_RUNS,
            )
        from flowide.flows import engine

        loaded = settings.load(self._folder.root)
        if not request.get("agents"):
            request.pop("agents", None)
        run = uuid7()
        task = asyncio.create_task(
            engine.start(
                self._space,
                self._folder,
                _request(flow, loaded.settings, self._folder, request),
                run_id=run,
                surroundings=surroundings(self._folder.root, loaded),
            ),
            name=f"run {run}",
        )
        self._tasks[run] = task
        try:
            async with asyncio.timeout(_BEGIN_S):
                while not task.done():
                    with contextlib.suppress(NotFound):
                        await self._space.read(OneRun(run))
                        return run
                    await asyncio.wait([task], timeout=_LOOK_S)
        except TimeoutError:
            task.cancel()
            raise Unavailable(
                f"the flow {flow} did not begin within {_BEGIN_S:g} s", hint="Try again later."
            ) from None
        except asyncio.CancelledError:
            task.cancel()
            raise
        error = task.exception()
        if error is not None:
            raise error
        return run

    async def wait(self, run: str, seconds: float) -> RunView:
        """The run, after it ended here or so much time went by."""
        view = await self._space.read(OneRun(run))
        task = self._tasks.get(view.run.id)
        if task is not None and seconds and not task.done():
            loop = asyncio.get_running_loop()
            until = loop.time() + seconds
            while not task.done() and loop.time() < until and not _asks(view):
                await asyncio.wait([task], timeout=min(0.5, max(0.0, until - loop.time())))
                view = await self._space.read(OneRun(view.run.id))
        return await self._space.read(OneRun(view.run.id))

    async def stop(self, run: str) -> None:
        """Stop a run of this session; what is finished is kept, and it can be gone on with.

        Raises:
            BadInput: It is driven by somebody else, or by nobody.
        """
        task = self._tasks.get(run)
        if task is None or task.done():
            raise BadInput("this session does not drive that run", hint="See run_status.", run=run)
        task.cancel()
        await asyncio.wait([task], timeout=10)

    async def close(self) -> None:
        """Stop all of them."""
        going = [task for task in self._tasks.values() if not task.done()]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def able(self, asked: list[str]) -> list[str]:
        """Handles of the agents that can answer, the asked ones first.

        Raises:
            FlowError: One that is asked cannot, and why.
        """
        from flowide.agents.load import find_agents
        from flowide.agents.readiness import problem_of

        around = surroundings(self._folder.root, settings.load(self._folder.root))
        agents = find_agents(self._folder.root, around.user_agents).agents
        able: list[str] = []
        for handle in [*asked, *(each for each in agents if each not in asked)]:
            if handle not in agents:
                continue
            problem = await problem_of(agents[handle], models=around.models, env=around.env)
            if problem is None:
                able.append(handle)
            elif handle in asked:
                raise problem
        return able

    def known(self) -> list[str]:
        """Handles of the agents that the project and the user have."""
        from flowide.agents.load import find_agents

        return list(find_agents(self._folder.root, settings.user_folder() / "agents").agents)


def surroundings(root: Path, loaded: settings.Loaded) -> Surroundings:
    """What a run takes from outside of the project."""
    from flowide.agents.keys import find_keys
    from flowide.flows.budget import budget_of
    from flowide.flows.engine import Surroundings
    from flowide.mcp_server.in_turns import serve_turn

    home, limits = settings.user_folder(), loaded.settings.limits
    return Surroundings(
        env=find_keys(root, loaded.settings).env,
        settings=loaded,
        models=loaded.settings.models,
        user_agents=home / "agents",
        user_flows=home,
        silence_s=limits.silence_s,
        call_s=limits.call_s,
        context=limits.context,
        turn_s=loaded.settings.agents.turn_s,
        keep_copies=loaded.settings.agents.keep_copies,
        budget=budget_of(loaded.settings.budget),
        serve_tools=serve_turn,
    )


def _request(
    flow: str, found: settings.Settings, folder: ProjectFolder, request: dict[str, Any]
) -> RunRequest:
    """A request within the limits of the person's settings; gates wait for people."""
    from flowide.flows.api import RunRequest

    return RunRequest(
        flow=flow,
        on_gate="wait",
        parallel=found.limits.parallel,
        lock_timeout_s=found.lock.timeout_s,
        trust=found.trusts(folder.root),
        **request,
    )


def _asks(view: RunView) -> bool:
    return any(gate.status == "open" for gate in view.gates)
