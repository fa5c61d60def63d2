"""The real flow engine, behind what the app asks of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowide.flows.api import Observer, RunRequest
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space

if TYPE_CHECKING:
    from flowide.agents.context import Manifest
    from flowide.agents.definition import AgentDefinition
    from flowide.domain import rows
    from flowide.errors import FlowError
    from flowide.flows.engine import Surroundings
    from flowide.settings import Settings


CHECK_S = 120
"""Seconds one check of a blend may take."""


class EngineFlows:
    """Implements `place.Flows`. The engine and what it needs are loaded when the first run starts."""

    def __init__(self, space: Space, folder: ProjectFolder, surroundings: Surroundings | None) -> None:
        self._space, self._folder, self._around = space, folder, surroundings

    async def start(self, request: RunRequest, *, run: str, observer: Observer) -> Any:
        """Drive a new run to its end."""
        from flowide.flows import engine

        return await engine.start(
            self._space, self._folder, request, observer=observer, run_id=run, surroundings=self._around
        )

    async def resume(self, run: str, *, observer: Observer) -> Any:
        """Go on with a run that stopped."""
        from msgspec import convert
        from msgspec.structs import replace

        from flowide.flows import engine
        from flowide.space.queries import OneRun

        view = await self._space.read(OneRun(run))
        stored = {key: value for key, value in view.run.options.items() if key != "origin"}
        # Somebody is here to answer: the run stays at its next question, even if it came from a script.
        request = replace(convert(stored, RunRequest), on_gate="wait")
        return await engine.resume(
            self._space, self._folder, run, request=request, observer=observer, surroundings=self._around
        )

    async def blend(self, set_id: str, base: int, takes: list[tuple[int, str]]) -> tuple[int, list[str]]:
        """Add a blend to a set: its number, and warnings."""
        from flowide.flows.blending import blend

        made = await blend(self._space, set_id, base, takes)
        return made.number, made.warnings

    async def check(self, set_id: str, number: int) -> None:
        """Run on a variation the checks that the run of its set was given, where they are missing."""
        from flowide.flows.checks import PARSES, commands_of, parse_check, run_checks
        from flowide.space.queries import OneRun, OneVariationSet, VariationText

        view = await self._space.read(OneVariationSet(set_id))
        [row] = [each for each in view.variations if each.variation.number == number]
        have = {check.name for check in row.checks}
        path = view.set.path or ""
        text = await self._space.read(VariationText(set_id, number))
        if PARSES not in have:
            await self._space.execute(parse_check(set_id, number, text, path))
        if view.set.run is None:
            return
        run = (await self._space.read(OneRun(view.set.run))).run
        # What was typed when the run was started; commands of a flow file need the trust that runs ask for.
        wanted = [each for each in commands_of(run.inputs.get("checks") or []) if each.name not in have]
        for result in await run_checks(self._folder, set_id, number, text, path, wanted, timeout_s=CHECK_S):
            await self._space.execute(result)

    async def talk_bounds(self) -> tuple[int, int]:
        """Depth and rate of a new thread, as the settings say."""
        bounds = (await self._settings()).discussion
        return bounds.depth, bounds.rate

    async def check_agents(self, handles: Sequence[str]) -> None:
        """Raise what would make an answer of one of these agents fail."""
        agents = await self._agents()
        for handle in handles:
            problem = await self._problem(agents[handle]) if handle in agents else None
            if problem is not None:
                raise problem

    async def answer(self, thread: str, run: str, observer: Observer) -> Any:
        """Drive a new run that writes the answers that are due in a thread."""
        from flowide.agents.acp.recipes import split_by_file
        from flowide.space.queries import Turns

        settings, agents = await self._settings(), await self._agents()
        asked = list(dict.fromkeys(turn.agent for turn in await self._space.read(Turns(thread))))
        ready = [each for each in asked if each in agents]
        others = [name for name in split_by_file(agents)[0] if name not in asked]
        ready += [name for name in others if await self._problem(agents[name]) is None]
        request = RunRequest(
            flow="say",
            inputs={"thread": thread, "context": settings.discussion.context},
            agents=ready,
            on_gate="wait",
            parallel=settings.limits.parallel,
            lock_timeout_s=settings.lock.timeout_s,
        )
        return await self.start(request, run=run, observer=observer)

    async def would_be_told(self, thread: rows.Thread, text: str) -> list[Manifest]:
        """What each agent that a text asks would be told, were it sent now."""
        from flowide.agents.acp.recipes import split_by_file
        from flowide.flows.discussion.context import Asked, discuss_task, tell
        from flowide.flows.discussion.posting import Writing, compose

        settings, agents = await self._settings(), await self._agents()
        known, also = split_by_file(agents)
        writing = Writing(thread=thread.id, text=text, known=known, also=also)
        composed = await compose(self._space, self._folder, writing)
        asked = composed.command.mentions or ([thread.agent] if thread.agent else [])
        told = []
        for handle in asked:
            if handle not in agents:
                continue
            others = [each for each in agents if each != handle]
            question = Asked(
                agent=agents[handle],
                others=others,
                thread=thread,
                number=thread.count + 1,
                actor=self._space.actor.id,
                text=text,
                refs=composed.command.refs,
                upto=thread.count,
                task=discuss_task(agents[handle], others),
            )
            found = await tell(self._space, self._folder, question, settings.discussion.context)
            told.append(found.fitted.manifest)
        return told

    async def _settings(self) -> Settings:
        from flowide import settings

        return (await asyncio.to_thread(settings.load, self._folder.root)).settings

    async def _agents(self) -> dict[str, AgentDefinition]:
        from flowide.agents.acp.recipes import installed
        from flowide.agents.load import find_agents

        around = self._around
        user_agents = None if around is None else around.user_agents
        found = await asyncio.to_thread(find_agents, self._folder.root, user_agents)
        more = {} if around is None else await asyncio.to_thread(installed, around.env)
        return {**more, **found.agents}

    async def _problem(self, agent: AgentDefinition) -> FlowError | None:
        from flowide.agents.readiness import problem_of

        around = self._around
        models, env = ({}, {}) if around is None else (around.models, around.env)
        return await problem_of(agent, models=models, env=env)

    async def accept(self, set_id: str, number: int, note: str) -> tuple[str, int]:
        """Save a variation under its lock: the path and the version."""
        from flowide.flows.accepting import accept
        from flowide.space.queries import FindArtifact

        saved = await accept(self._space, self._folder, set_id, number, note=note, lock_timeout_s=0)
        artifact = await self._space.read(FindArtifact(saved.artifact))
        return artifact.path, saved.version
