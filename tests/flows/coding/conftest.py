"""A project with a coding agent that does what it is told, in threads and flows."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from flowide.domain import rows
from flowide.flows.engine import Surroundings
from flowide.space.queries import ArtifactAt, OneRun
from tests.agents.acp.desks import AGENT
from tests.flows.conftest import Bench
from tests.flows.talk import Talk, make_talkers


class Coding(Talk):
    """Talks with a coding agent called doer; ana's project is trusted."""

    def __init__(self, root: Path, options: str = "", **env: str) -> None:
        make_talkers(root)
        (root / ".flowide" / "agents").mkdir(parents=True, exist_ok=True)
        (root / ".flowide" / "agents" / "doer.md").write_text(
            f"---\nhandle: doer\nbackend: acp\ncommand: {sys.executable} {AGENT} {options}\n"
            "env: [AGENT_MARK]\n---\nDo it.\n"
        )
        super().__init__(Bench(root))
        self.root, self.folder = root, self.bench.folder
        user = self.bench.around.user_flows
        self.bench.around = Surroundings(env={**os.environ, **env}, turn_s=60, user_flows=user)
        self.runs = 0

    async def do(self, script: str, **request: Any) -> Any:
        """Have it do this, as an answer in a thread; how the run ended."""
        await self.say(f"@doer please:\n{script}")
        self.last = await self.answer(**{"trust": True, "agents": ["doer"], **request})
        return self.last

    async def last_words(self) -> str:
        """The newest message."""
        return (await self.said())[-1][1]

    async def artifact(self, path: str) -> rows.Artifact:
        found = await self.space.read(ArtifactAt(path))
        assert found is not None
        return found

    async def steps(self) -> dict[str, rows.Step]:
        """Steps of the last run, by the end of their keys."""
        view = await self.space.read(OneRun(self.last.run))
        return {step.key.rsplit("/", 1)[-1]: step for step in view.steps}


@pytest.fixture
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies lie."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture
def coding(tmp_path: Path, own_temporary: Path) -> Coding:
    return Coding(tmp_path / "project")
