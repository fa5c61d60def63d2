"""A run while it is driven: what its steps share."""

from __future__ import annotations

import asyncio
from typing import Any, Literal, Protocol

from msgspec import Struct, field, structs

from flowide.agents.api import Backend, Progress, ReasoningDelta, Request
from flowide.agents.definition import AgentDefinition
from flowide.domain import rows
from flowide.domain.actors import Actor
from flowide.domain.commands import Command, RecordStep
from flowide.errors import BadInput, FlowError
from flowide.flows.api import Observer, RunRequest
from flowide.flows.budget import Spending
from flowide.flows.called import Called
from flowide.flows.recalling import Past
from flowide.flows.schema import Flow, Step
from flowide.flows.surroundings import CONTEXT
from flowide.flows.templates import render
from flowide.flows.tools import Tools
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import OneRun

MAX_TOGETHER = 32
"""Commands in one batch."""
StepStatus = Literal["started", "completed", "failed", "skipped"]


class Agents(Protocol):
    """The agents of a run, each with what answers for it."""

    def backend(self, handle: str) -> Backend:
        """What answers for an agent."""
        ...


class Coding(Protocol):
    """Where agents work that write files themselves; see `flowide.flows.coding`."""

    turn_s: float
    """Seconds for one turn."""

    def bind(self, state: RunState) -> None:
        """Work for this run."""
        ...

    async def told(self, request: Request, delta: Progress | ReasoningDelta) -> None:
        """Something such an agent does, or thinks aloud."""
        ...

    async def bring_back(self, request: Request, text: str) -> str:
        """The answer, after what a finished turn changed was taken over, once."""
        ...


class RunState(Struct):
    """One driven run. Steps read and extend it; the log has all that a resume needs."""

    space: Space
    folder: ProjectFolder
    run: str
    fence: int
    since: int
    """`seq` of the event by which this process took the run."""
    flow: Flow
    request: RunRequest
    inputs: dict[str, Any]
    agents: dict[str, AgentDefinition]
    pool: Agents
    spending: Spending
    observer: Observer
    calls: asyncio.Semaphore
    """Model calls in flight."""
    context: int = CONTEXT
    """Tokens of what an agent is told in a step."""
    call_s: float = 300.0
    """Seconds for one answer of an agent, all attempts included."""
    steps: dict[str, rows.Step] = field(default_factory=dict)
    """Steps recorded so far, by key."""
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Results of finished steps, those inside a step only there, by id; templates see them as `steps`."""
    outputs: dict[str, Any] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)
    """Commands that the person who started the run typed themselves."""
    past: Past = field(default_factory=Past)
    """What the log told of the run when this process took it up."""
    called: dict[str, Called] = field(default_factory=dict)
    """Flows that the flow calls, by the name its file gives."""
    everyone: dict[str, AgentDefinition] = field(default_factory=dict)
    """The agents of called flows too."""

    coding: Coding | None = None
    """None = the run has no agent that writes files itself."""
    put_off: list[RecordStep] = field(default_factory=list)
    """Records that are sent with the next commands."""
    warned: set[str] = field(default_factory=set)
    """What was told once."""
    tools: Tools | None = None
    """None = there are none, as in tests of other things."""
    given_back: Literal["cancelled", "queued"] = "cancelled"
    """What becomes of the run when its process is told to stop."""

    def scope(self, **more: Any) -> RunState:
        """The same run for steps inside a step: what they result in is seen by themselves only."""
        own: dict[str, Any] = {"results": dict(self.results), "outputs": dict(self.outputs)}
        return structs.replace(self, **(own | more))

    def warn_once(self, message: str) -> None:
        """Tell a person something once in a run."""
        if message not in self.warned:
            self.warned.add(message)
            self.observer.warning(message)

    def choose(self, number: int) -> None:
        """From now on the run results in this variation, and in nothing that was saved before."""
        for name in ("artifact", "version", "path", "text"):
            self.outputs.pop(name, None)
        self.outputs["chosen"] = number

    def fill(self, text: Any) -> Any:
        """A value of the flow file with its templates filled in."""
        return render(text, {**self.inputs, "steps": self.results})

    def done(self, key: str) -> rows.Step | None:
        """The step of this key, if it was completed."""
        step = self.steps.get(key)
        return step if step is not None and step.status == "completed" else None

    def record(self, key: str, kind: str, status: StepStatus, **more: Any) -> RecordStep:
        """The command that records where a step is."""
        before = self.steps.get(key)
        attempt = (before.attempt if before is not None else 0) + (status == "started")
        return RecordStep(
            run=self.run, fence=self.fence, key=key, kind=kind, status=status, attempt=max(1, attempt), **more
        )

    async def commit(self, *commands: Command[Any], actor: Actor | None = None) -> list[Any]:
        """Send commands, all or nothing, and note the steps among them; what is put off goes first."""
        first, self.put_off[:] = list(self.put_off), []
        if first and (actor is not None or len(first) + len(commands) > MAX_TOGETHER):
            await self.commit(*first)
            first = []
        if not first and not commands:
            return []
        space = self.space if actor is None else self.space.acting_as(actor)
        try:
            answers = (await space.batch([*first, *commands])).ok
        except FlowError:
            self.put_off[:0] = first  # they are not to blame
            raise
        for command in commands:
            if isinstance(command, RecordStep):
                self._note(command)
        return answers[len(first) :]

    def put(self, *commands: RecordStep) -> None:
        """Have records committed together with what comes next, which must come before anything is done."""
        self.put_off += commands
        for command in commands:
            self._note(command)

    def _note(self, command: RecordStep) -> None:
        self.steps[command.key] = rows.Step(
            run=command.run,
            key=command.key,
            kind=command.kind,
            status=command.status,
            actor=None,
            attempt=command.attempt,
            result=command.result,
            error=command.error,
            usage=command.usage,
            seq=0,
            started="",
            finished=None,
        )

    def actor(self, handle: str) -> Actor:
        """An agent of the run as an actor, working for who started it."""
        return Actor(handle, "agent", self.space.actor.for_ or self.space.actor.id)

    def works_itself(self, handle: str) -> bool:
        """Whether an agent is a program of its own, which writes files instead of answering with their text."""
        agent = self.agents.get(handle) or self.everyone.get(handle)
        return self.coding is not None and agent is not None and agent.backend == "acp"

    def seconds_for(self, handle: str) -> float:
        """How long one answer of an agent may take."""
        return self.coding.turn_s if self.coding is not None and self.works_itself(handle) else self.call_s

    def handles(self, wanted: list[str]) -> list[str]:
        """The agents a step names, or all but critics, or all.

        Raises:
            BadInput: An unknown one, or none at all.
        """
        for handle in wanted:
            if handle.removeprefix("@") not in self.agents:
                raise BadInput(
                    f"the step names @{handle}, which is no agent of this run",
                    hint=f"Agents: {', '.join(self.agents)}.",
                )
        if wanted:
            return [handle.removeprefix("@") for handle in wanted]
        writers = [handle for handle, agent in self.agents.items() if not is_critic(agent)]
        return writers or list(self.agents)

    async def refresh(self) -> None:
        """Read the recorded steps again."""
        view = await self.space.read(OneRun(self.run))
        self.steps = {step.key: step for step in view.steps}


def is_critic(agent: AgentDefinition) -> bool:
    """Whether an agent judges rather than writes."""
    return agent.role.strip().casefold().split(" ")[0].rstrip(",.:;") in {"critic", "reviewer"}


class StepContext(Struct, frozen=True):
    """One step of a run: its place in the flow and the run it belongs to."""

    state: RunState
    step: Step

    @property
    def spec(self) -> Any:
        """What the file says of this step."""
        return self.step.spec

    def field(self, name: str) -> Any:
        """A field of the step with its templates filled in."""
        return self.state.fill(getattr(self.spec, name))


def with_options(request: RunRequest, override: RunRequest | None) -> RunRequest:
    """The stored request of a run with what a resume may change."""
    if override is None:
        return request
    return structs.replace(
        request,
        on_gate=override.on_gate,
        parallel=override.parallel,
        budget=override.budget,
        lock_timeout_s=override.lock_timeout_s,
        timeout_s=override.timeout_s,
        trust=override.trust or request.trust,
        allow=override.allow or request.allow,
        model=override.model or request.model,
        agents=override.agents or request.agents,
    )
