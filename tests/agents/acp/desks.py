"""A desk for tests: a folder of the test's own, answers decided beforehand."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from flowide.agents.acp.backend import AcpBackend
from flowide.agents.acp.desk import Answer, Question, Seat, SpaceTools
from flowide.agents.api import Delta, Finished, Message, Request, TextDelta
from flowide.agents.definition import AgentDefinition

AGENT = Path(__file__).with_name("agent.py")


def agent(*options: str, **more: object) -> AgentDefinition:
    """The agent that does as it is told."""
    command = [sys.executable, str(AGENT), *options]
    return AgentDefinition(handle="doer", name="Doer", backend="acp", command=command, **more)  # type: ignore[arg-type]


class TestDesk:
    """Every turn in the same folder."""

    __test__ = False

    def __init__(self, base: Path, answers: list[Answer | Exception] | None = None) -> None:
        self.base = base
        self.answers = answers or []
        self.asked: list[Question] = []
        self.session: str | None = None
        self.confined = True
        self.tools: SpaceTools | None = None
        self.trusted = False
        self.pause_s = 0.0
        """Seconds a person takes to answer."""

    @asynccontextmanager
    async def seat(self, agent: AgentDefinition, request: Request) -> AsyncIterator[Seat]:
        yield TestSeat(self)


class TestSeat:
    """One turn."""

    __test__ = False

    def __init__(self, desk: TestDesk) -> None:
        self._desk = desk
        self.base = desk.base / "place"
        self.folder, self.temporary, self.logs = self.base / "project", self.base / "tmp", desk.base / "logs"
        for each in (self.folder, self.temporary, self.logs):
            each.mkdir(parents=True, exist_ok=True)
        self.session = desk.session
        self.confined = desk.confined
        self.tools = desk.tools
        self.trusted = desk.trusted

    def remember(self, session: str | None) -> None:
        self._desk.session = session

    async def permit(self, question: Question) -> Answer:
        self._desk.asked.append(question)
        await asyncio.sleep(self._desk.pause_s)
        answer = self._desk.answers.pop(0) if self._desk.answers else "deny"
        if isinstance(answer, Exception):
            raise answer
        return answer


async def turn(
    desk: TestDesk,
    script: str,
    definition: AgentDefinition | None = None,
    env: dict[str, str] | None = None,
    **more: object,
) -> tuple[Finished | None, list[Delta]]:
    """What an agent that is asked to do this answers, and all that came."""
    import os

    seen: list[Delta] = []
    given: dict[str, Any] = {"purpose": "discuss", "deadline_s": 60.0, **more}
    request = Request(agent="doer", messages=[Message("user", script)], **given)
    backend = AcpBackend(definition or agent(), env={**os.environ, **(env or {})}, desk=desk)
    async with aclosing(backend.stream(request)) as stream:  # type: ignore[type-var]
        async for delta in stream:
            seen.append(delta)
    finished = next((each for each in seen if isinstance(each, Finished)), None)
    return finished, seen


def said(seen: list[Delta]) -> str:
    """The text that came."""
    return "".join(each.text for each in seen if isinstance(each, TextDelta))


def clear(desk: TestDesk) -> None:
    """An empty folder again."""
    shutil.rmtree(desk.base / "place", ignore_errors=True)
