"""An agent that is a program of its own: a process for each turn, in a private copy, gone when the turn is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from flowide.agents.acp.desk import Desk
from flowide.agents.acp.ending import carried_through
from flowide.agents.acp.recipes import command_of, recipe_of
from flowide.agents.api import Delta, Request
from flowide.agents.definition import AgentDefinition
from flowide.errors import NotFound


class AcpBackend:
    """Answers with a coding agent."""

    def __init__(self, agent: AgentDefinition, *, env: Mapping[str, str], desk: Desk) -> None:
        """`desk` gives it a place to work at for each turn."""
        self._agent, self._env, self._desk = agent, env, desk
        self._turns: set[asyncio.Task[None]] = set()

    async def check(self) -> None:
        """Raise NotFound when its program is not installed."""
        self._command()

    def _command(self) -> list[str]:
        recipe = recipe_of(self._agent)
        command = command_of(self._agent, recipe, self._env)
        if command is None:
            program = (self._agent.command or recipe.commands[0])[0]
            raise NotFound(
                f"@{self._agent.handle}: the program {program} is not installed",
                hint=recipe.install or "Is it on the PATH? The agent file says its command.",
                agent=self._agent.handle,
                program=program,
            )
        return command

    async def close(self) -> None:
        """End the turns that run."""
        for task in list(self._turns):
            task.cancel()
        if self._turns:
            await asyncio.wait(self._turns)

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """Yield what the agent says and does in one turn.

        Raises:
            NotFound: Its program is not installed.
            AuthFailed: It has no account.
            Incomplete: It ended in the middle, or did not do what was asked.
            Unavailable: It could not be started, or its time is over.
            NeedsInput: It asks for permission, and nobody can be asked now.
        """
        from flowide.agents.acp.turn import Turn

        command = self._command()
        told: asyncio.Queue[Delta | None] = asyncio.Queue()

        async def work() -> None:
            try:
                async with self._desk.seat(self._agent, request) as seat:
                    recipe = recipe_of(self._agent)
                    turn = Turn(self._agent, recipe, command, self._env, seat, told.put_nowait, told.qsize)
                    told.put_nowait(await turn.run(request))
            finally:
                told.put_nowait(None)

        task = asyncio.create_task(work(), name=f"turn of {self._agent.handle}")
        self._turns.add(task)
        try:
            while (delta := await told.get()) is not None:
                yield delta
            await task
        finally:
            task.cancel()
            await carried_through(_ended(task))
            self._turns.discard(task)


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # was raised, or nobody listens any more
