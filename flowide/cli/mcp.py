"""`flowide mcp`: the space for agents of other programs."""

from __future__ import annotations

import sys
from uuid import uuid4

import click

from flowide.cli.desk import Desk, Place, say, workspace_command


@click.command(
    "mcp",
    epilog="\b\nExamples:\n  flowide mcp --project shop --as claude\n"
    "  claude mcp add space -- flowide mcp        # in the folder of the project",
)
@workspace_command
def mcp(at: Place) -> None:
    """Serve the space as tools of the Model Context Protocol, on stdin and stdout.

    An MCP client (Claude Code, Codex, Gemini CLI …) starts this. What connects is an agent of yours: --as is
    its handle, by default made of the client's name. It locks, edits, discusses and varies by the rules of
    everybody; its locks end with the connection, and what it wrote is kept.
    """
    handle, at.handle = at.handle, None
    at.client = str(uuid4())  # every connection is a client of its own

    async def work(desk: Desk) -> None:
        from flowide.mcp_server.session import check_handle

        chosen = None if handle is None else check_handle(handle, desk.space.actor.id)
        if sys.stdin is not None and sys.stdin.isatty():
            say("waiting for an MCP client on stdin; end it with ctrl+d")
        from flowide.mcp_server.server import serve

        await serve(desk.folder, desk.space, handle=chosen)

    at.run(work)
