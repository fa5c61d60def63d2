"""`flowide mcp`: the space for agents of other programs."""

from __future__ import annotations

import os
import sys
from uuid import uuid4

import click

from flowide.cli.desk import Desk, Place, say, workspace_command


@click.command(
    "mcp",
    epilog="\b\nExamples:\n  flowide mcp --project shop --as claude\n"
    "  claude mcp add space -- flowide mcp        # in the folder of the project",
)
@click.option(
    "--http",
    "port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve over HTTP on this machine instead, and print the address; 0 takes any free port.",
)
@workspace_command
def mcp(port: int | None, at: Place) -> None:
    """Serve the space as tools of the Model Context Protocol, on stdin and stdout.

    An MCP client (Claude Code, Codex, Gemini CLI …) starts this. What connects is an agent of yours: --as is
    its handle, by default made of the client's name. It locks, edits, discusses and varies by the rules of
    everybody; its locks end with the connection, and what it wrote is kept.
    """
    _check_place(at.project, port)
    handle, at.handle = at.handle, None
    at.client = str(uuid4())  # every connection is a client of its own

    async def work(desk: Desk) -> None:
        from flowide.mcp_server.session import check_handle

        chosen = None if handle is None else check_handle(handle, desk.space.actor.id)
        if port is None and sys.stdin is not None and sys.stdin.isatty():
            say("waiting for an MCP client on stdin; end it with ctrl+d")
        from flowide.mcp_server.server import serve, serve_web

        if port is None:
            await serve(desk.folder, desk.space, handle=chosen)
        else:
            await serve_web(desk.folder, desk.space, handle=chosen, port=port, tell=click.echo)

    at.run(work)


def _check_place(project: str | None, port: int | None) -> None:
    """Refuse to serve nobody, and to take all of a home folder or disk for a project: some clients start there."""
    from pathlib import Path

    from flowide.cli.around import project_root
    from flowide.errors import BadInput
    from flowide.flows.coding.places import PREFIX

    if port is None and (sys.stdin is None or sys.stdout is None):
        raise BadInput(
            "there is no stdin and stdout to serve", hint="Let an MCP client start it, or use --http."
        )
    root = Path(os.path.realpath(project_root(project)))
    if any(part.startswith(PREFIX) for part in root.parts):
        raise BadInput(
            f"{root} is the private copy of a coding agent's turn",
            hint="The agent has the space as tools already: the server flowide, which its session was given.",
        )
    if project is None and root in {Path(os.path.realpath(Path.home())), Path(root.anchor)}:
        raise BadInput(
            f"{root} is no folder of one project",
            hint="Name the project in the client's set-up: --project PATH.",
        )
