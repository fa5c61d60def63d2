"""A run in the app, as it goes."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from flowide import settings
from flowide.domain.actors import Actor
from flowide.domain.commands import StartRun
from flowide.flows.api import RunRequest
from flowide.space.open import open_space
from flowide.tui.engine import running
from flowide.tui.engine.session import Session
from flowide.tui.screens.run import RunScreen
from tests.agents.tools.conftest import MISBEHAVING
from tests.project_with_agents import write_agent
from tests.tui.conftest import app_on

FLOW = "flow: ask\nsteps:\n  - draft: {path: notes.md, by: tim}\n"


async def ended(session: Session) -> None:
    """Until the runs of the app are over, and their servers have ended."""
    if session.runs:
        await asyncio.wait(session.runs.values())


async def test_how_far_a_tool_is_is_seen_and_gone_when_it_ends(project: Path) -> None:
    servers = {"git": {"command": sys.executable, "args": [MISBEHAVING]}}
    (project / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    calls = [{"tool": "git/progress", "arguments": {"steps": 8, "pause": 0.4}}]
    write_agent(project, "tim", [{"on": "*", "calls": calls, "text": "# Notes\n"}])
    file = project / ".flowide" / "agents" / "tim.md"
    file.write_text(file.read_text().replace("role: drafter\n", "role: drafter\ntools: [git]\n"))
    (project / "f.yaml").write_text(FLOW)
    flow = str(project / "f.yaml")
    request = RunRequest(flow=flow, inputs={"path": ""}, agents=["tim"], allow=["git"], trust=True)

    async with app_on(project, loaded=settings.load(project)) as app:
        run = await app.app.engine.call(lambda session: running.start(session, request))
        app.app.push_screen(RunScreen(run))
        await app.sees("% step")
        assert "git/progress " in app.row_with("% step")
        await app.sees("done")
        await app.sees_no_more("% step")
        assert "git/progress" in app.screen()
        await app.app.engine.call(ended)


async def test_a_run_whose_process_was_killed_is_soon_seen_to_have_stopped(project: Path) -> None:
    space = await open_space(project / ".flowide" / "workspace.db", actor=Actor("ana"))
    await space.execute(StartRun(run="r1", flow="research", flow_sha256="", flow_text="", ttl_ms=3_000))
    await space.close()  # no event tells that nobody renews the lease

    async with app_on(project) as app:
        await app.sees("○ research  stopped")
