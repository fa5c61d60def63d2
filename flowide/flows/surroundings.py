"""What a run takes from outside the project and the flow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flowide.flows.api import Budget
from flowide.settings import Loaded

if TYPE_CHECKING:
    from flowide.agents.acp.desk import SpaceTools
    from flowide.project.folder import ProjectFolder
    from flowide.space.api import Space

    May = Callable[[str], bool]
    """Whether an agent may use a tool, by its name."""
    ServeTools = Callable[[ProjectFolder, Space, str, Path, May], AbstractAsyncContextManager[SpaceTools]]
    """Serves the space to an agent, by its handle, that works in a private copy; raises OSError where nothing can."""

CONTEXT = 100_000
"""Tokens of what an agent is told in a step, when nobody says otherwise."""


class Surroundings(Struct, frozen=True):
    """What a run takes from outside the project: the command line fills it from settings and environment."""

    env: dict[str, str] = {}
    """Where keys and addresses of models are looked up."""
    models: dict[str, Any] = {}
    """`[models.<alias>]` tables."""
    user_agents: Path | None = None
    """Folder of the user's agents."""
    user_flows: Path | None = None
    """Folder that holds the user's `flows/`."""
    silence_s: float = 60.0
    """Seconds without a word from a model after which an attempt is given up."""
    budget: Budget = Budget()
    """Bounds of a run that is given none: those of the settings."""
    settings: Loaded | None = None
    """All settings, for tool servers; None = there are no servers but those of flows."""
    context: int = CONTEXT
    """Tokens of what an agent is told in a step."""
    call_s: float = 300.0
    """Seconds for one answer of an agent, all attempts included."""
    turn_s: float = 1800.0
    """Seconds for one turn of a coding agent."""
    keep_copies: bool = False
    """Whether the private copies of coding agents stay after their turns."""
    serve_tools: ServeTools | None = None
    """Gives coding agents the space as tools; None = they get none."""
