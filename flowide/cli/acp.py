"""`flowide acp`: FlowIDE's agents and flows in an editor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from flowide.cli.desk import Place, workspace_command

if TYPE_CHECKING:
    from flowide.acp_server.conversation import Project


@click.command(
    "acp",
    epilog="\b\nExamples:\n  flowide acp --agents edwin\n"
    '  in Zed: "agent_servers": {"FlowIDE": {"command": "flowide", "args": ["acp"]}}',
)
@click.option("--agents", metavar="A,B", help="Agents to work with; the first answers who mentions nobody.")
@workspace_command
def acp(agents: str | None, at: Place) -> None:
    """Serve an editor that speaks the Agent Client Protocol (Zed, Neovim, Toad …), on stdin and stdout.

    A session is a thread: what you type is said there, and agents answer. /flow key=value … runs a flow. Its plan,
    texts and diffs come back, its questions are asked in the editor. You act, so --as names you.
    """
    import asyncio
    import contextlib

    at.client = str(uuid4())  # every editor is a client of its own

    from flowide.acp_server.server import serve

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(lambda cwd: _project(at, cwd, agents or "")))


@asynccontextmanager
async def _project(at: Place, cwd: str, agents: str) -> AsyncIterator[Project]:
    """The project that is named, else the one that the editor's folder belongs to."""
    from flowide.acp_server.conversation import Project
    from flowide.cli.around import root_above, surroundings
    from flowide.cli.desk import desk

    place = Place(
        project=at.project or str(root_above(Path(cwd))),
        space=at.space,
        handle=at.handle,
        client=at.client,
        as_json=False,
    )
    async with desk(place) as opened:
        yield Project(
            opened.folder,
            opened.space,
            opened.settings,
            surroundings(opened.folder.root),
            tuple(each.strip().removeprefix("@") for each in agents.split(",") if each.strip()),
        )
