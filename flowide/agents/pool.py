"""The agents of a run, each with the backend that answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from flowide.agents.api import Backend
from flowide.agents.definition import AgentDefinition
from flowide.agents.models import SILENCE_S

if TYPE_CHECKING:
    from flowide.agents.acp.desk import Desk
    from flowide.agents.worker.client import ModelWorker


class AgentPool:
    """Makes backends when they are first needed, and stops what they run at the end of its block.

    All agents with a model share one worker process. It begins to load when the block is entered.
    """

    def __init__(
        self,
        definitions: Sequence[AgentDefinition],
        *,
        models: Mapping[str, Any],
        env: Mapping[str, str],
        model: str | None = None,
        worker: ModelWorker | None = None,
        silence_s: float = SILENCE_S,
        desk: Desk | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """`models` are the `[models.<alias>]` tables; `model` overrides the model of every agent that has one.

        A `worker` given here outlives the pool: whoever made it closes it. An attempt is given up after
        `silence_s` seconds without a word, unless the model's table says otherwise. `desk` is where coding agents
        work; None = in an empty folder, where nothing they do counts. `limits` are calls in flight by provider or
        alias.
        """
        self._limits = limits or {}
        self.desk = desk
        self._silence_s = silence_s
        self._definitions = {agent.handle: agent for agent in definitions}
        self._models, self._env, self._model = models, env, model
        self._backends: dict[str, Backend] = {}
        self.worker = worker
        """The process that all models share; None until an agent needs one."""
        self._owns_worker = worker is None

    def backend(self, handle: str) -> Backend:
        """What answers for an agent.

        Raises:
            BadInput: The agent cannot be run.
        """
        if handle not in self._backends:
            self._backends[handle] = self._make(self._definitions[handle])
        return self._backends[handle]

    def _make(self, agent: AgentDefinition) -> Backend:
        if agent.backend == "scripted":
            from flowide.agents.scripted import ScriptedBackend

            return ScriptedBackend(agent, self._env)
        if agent.backend == "model":
            from flowide.agents.model import ModelBackend

            return ModelBackend(
                agent,
                models=self._models,
                env=self._env,
                model=self._model,
                worker=self._shared_worker(),
                silence_s=self._silence_s,
                limits=self._limits,
            )
        from flowide.agents.acp.backend import AcpBackend
        from flowide.agents.acp.trial import TrialDesk

        return AcpBackend(agent, env=self._env, desk=self.desk or TrialDesk())

    def _shared_worker(self) -> ModelWorker:
        if self.worker is None:
            from flowide.agents.worker.client import ModelWorker

            self.worker = ModelWorker(self._env)
        return self.worker

    async def __aenter__(self) -> AgentPool:
        if any(agent.backend == "model" for agent in self._definitions.values()):
            self._shared_worker().warm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for backend in self._backends.values():
                await backend.close()
        finally:
            if self.worker is not None and self._owns_worker:
                await self.worker.close()
