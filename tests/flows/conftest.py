"""A project, a space in memory, and an engine around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AnswerGate
from flowide.flows import engine
from flowide.flows.api import RunRequest, RunResult
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Gates, OneVariationSet, SetView
from flowide.testing import MemorySpace
from tests.project_with_agents import make_project


class Watcher:
    """Remembers what a run says."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.deltas: list[tuple[str, str, str, bool]] = []

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        self.deltas.append((step, actor, text, restart))

    def warning(self, message: str) -> None:
        self.warnings.append(message)


class Bench:
    """Starts and resumes runs of one project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = ProjectFolder.open(root)
        self.space = MemorySpace(Actor("ana"))
        self.watcher = Watcher()
        user = root.with_name(f"{root.name}-user")
        self.around = engine.Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "0"}, user_flows=user)

    async def start(self, flow: str = "variations", **request: Any) -> RunResult:
        defaults = {"path": "src/shop.py", **({"n": 4} if flow == "variations" else {})}
        inputs = {**defaults, **request.pop("inputs", {})}
        asked = RunRequest(flow=flow, brief=request.pop("brief", "Better"), inputs=inputs, **request)
        return await engine.start(
            self.space, self.folder, asked, observer=self.watcher, surroundings=self.around
        )

    async def resume(self, run: str, **options: Any) -> RunResult:
        """Go on with a run; with options, on these terms."""
        request = RunRequest(flow="", **options) if options else None
        return await engine.resume(
            self.space, self.folder, run, request=request, observer=self.watcher, surroundings=self.around
        )

    async def answer(self, run: RunResult, answer: str) -> RunResult:
        """Answer the open gate and go on."""
        [gate] = await self.space.read(Gates(run=run.run))
        await self.space.execute(AnswerGate(gate=gate.id, answer=answer))
        return await self.resume(run.run)

    async def set(self) -> SetView:
        return await self.space.read(OneVariationSet("last"))

    async def types(self) -> list[str]:
        return [event.type async for event in self.space.events()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(make_project(tmp_path / "project"))
