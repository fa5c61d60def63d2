"""Opening a project for the app: folder, space, agents, flow engine."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from flowide.domain.actors import Actor
from flowide.errors import FlowError
from flowide.tui.engine.session import Place
from flowide.tui.views.snapshot import Seat


async def open_project(project: Path, actor: Actor) -> Place:
    """The project at a path.

    Raises:
        FlowError: The folder or its workspace cannot be used.
    """
    from flowide.project.folder import ProjectFolder
    from flowide.space.open import open_space
    from flowide.tui.engine.flows import EngineFlows

    folder = ProjectFolder.open(project)
    space = await open_space(folder.database, actor=actor)
    seats = await asyncio.to_thread(find_seats, folder.root)
    return Place(space, folder, EngineFlows(folder), seats)


def find_seats(root: Path) -> tuple[Seat, ...]:
    """The agents of a project; none when its agent files cannot be read, which a run then says."""
    from flowide.agents.load import load_agents

    try:
        found = load_agents(root, os.environ)
    except FlowError:
        return ()
    return tuple(
        Seat(handle=each.handle, label=each.label, role=each.role, colour=each.colour)
        for each in found.values()
    )
