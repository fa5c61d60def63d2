"""Opening a project for the app: folder, space, agents, flow engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flowide.domain.actors import Actor
from flowide.tui.engine.place import Place
from flowide.tui.views.snapshot import Seat

if TYPE_CHECKING:
    from flowide.flows.engine import Surroundings

Around = Callable[[], "Surroundings"]
"""What runs take from outside the project; asked for in the engine's thread, after the first frame."""


async def open_project(
    project: Path,
    actor: Actor,
    around: Around | None = None,
    *,
    ttl_s: float = 30.0,
    space: str | None = None,
) -> Place:
    """The project at a path; without `around` its runs take nothing from outside.

    `space` is the address of a hub's space; None = the project's own.

    Raises:
        FlowError: The folder or its workspace cannot be used.
    """
    from flowide.project.folder import ProjectFolder
    from flowide.space.open import open_space
    from flowide.tui.engine.flows import EngineFlows

    folder = ProjectFolder.open(project)
    opened = await open_space(space or folder.database, actor=actor, folder=folder.dot_dir)
    surroundings = None if around is None else await asyncio.to_thread(around)
    seats, warnings = await asyncio.to_thread(find_seats, folder.root, surroundings)
    flows = EngineFlows(opened, folder, surroundings)
    return Place(opened, folder, flows, seats, round(ttl_s * 1000), warnings)


def find_seats(root: Path, around: Surroundings | None) -> tuple[tuple[Seat, ...], tuple[str, ...]]:
    """The agents of a project, of the user and of the computer, and what is wrong with files of others."""
    from flowide.agents.acp.recipes import installed
    from flowide.agents.load import find_agents

    found = find_agents(root, None if around is None else around.user_agents)
    more = {} if around is None else installed(around.env)
    seats = tuple(
        Seat(
            handle=each.handle,
            label=each.label,
            role=each.role,
            colour=each.colour,
            by_name_only=each.handle not in found.agents,
        )
        for each in (found.agents | more | found.agents).values()
    )
    return seats, tuple(f"{error.message} {error.hint}".strip() for error in found.broken.values())
