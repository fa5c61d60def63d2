"""Recipes: what FlowIDE knows of each coding agent, as data files in `recipes/`."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from flowide.agents.definition import AgentDefinition
from flowide.errors import NotFound

BY_HAND = "acp"
"""Name of the recipe of agents that only an agent file describes."""


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to start one kind of agent and what to expect of it."""

    id: str = BY_HAND
    name: str
    commands: list[list[str]]
    """Programs with their arguments; the first that is installed is used."""
    install: str = ""
    """How to get it, for people."""
    login: str = ""
    """How to get it an account, for people."""
    env: list[str] = []
    """Variables it is given besides those that every agent gets; `GEMINI_*` stands for all that begin so."""
    set_env: dict[str, str] = {}
    """Variables it is given with these values, unless the person set them."""
    trusted_env: dict[str, str] = {}
    """As `set_env`, in a project that a person trusts: some start no tool servers, not even FlowIDE's, elsewhere."""
    writes: list[str] = []
    """Files and folders of its own, below home, that it keeps its login and memory in."""
    temporary: list[str] = []
    """Variables that are set to its temporary folder."""
    auth: dict[str, str] = {}
    """Ways to log in, by the variable that must be set for each."""
    modes: list[str] = []
    """Modes in which it asks before it acts, the best first; empty = FlowIDE guesses by their names."""
    confined_args: list[str] = []
    """Arguments besides, where FlowIDE confines it: what would get in the way of that."""
    confined_modes: list[str] | None = None
    """As `modes`, where FlowIDE confines it; None = the same."""
    missing_file: Literal["error", "empty"] = "error"
    """What it is answered when it reads a file through FlowIDE that does not exist."""
    files: bool = True
    """Whether it may read and write files through FlowIDE."""
    terminals: bool = True
    """Whether it may run commands through FlowIDE."""
    mcp: bool = True
    """Whether it is given the space as tools."""


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by id, in the order of their names."""
    folder = Path(__file__).parent / "recipes"
    found = [
        msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")) | {"id": file.stem}, Recipe)
        for file in folder.glob("*.toml")
    ]
    return {recipe.id: recipe for recipe in sorted(found, key=lambda each: each.name.casefold())}


def recipe_of(agent: AgentDefinition) -> Recipe:
    """The recipe an agent goes by; an agent by hand gets one that knows nothing.

    Raises:
        NotFound: There is no recipe of that name.
    """
    if agent.recipe:
        try:
            return recipes()[agent.recipe]
        except KeyError:
            raise NotFound(
                f"@{agent.handle}: there is no recipe {agent.recipe}",
                hint=f"Recipes: {', '.join(recipes())}.",
            ) from None
    for recipe in recipes().values():
        if agent.command and any(Path(agent.command[0]).name == words[0] for words in recipe.commands):
            return recipe
    return Recipe(name=agent.name, commands=[agent.command])


def command_of(agent: AgentDefinition, recipe: Recipe, env: Mapping[str, str]) -> list[str] | None:
    """Program and arguments, the program with its path; None when it is not installed."""
    for words in [agent.command] if agent.command else recipe.commands:
        program = shutil.which(os.path.expanduser(words[0]), path=env.get("PATH", os.defpath))
        if program is not None:
            return [os.path.abspath(program), *words[1:]]
    return None


def installed(env: Mapping[str, str]) -> dict[str, AgentDefinition]:
    """The coding agents that FlowIDE knows and finds on this computer, by handle."""
    known = [agent_of(recipe) for recipe in recipes().values()]
    return {agent.handle: agent for agent in known if command_of(agent, recipe_of(agent), env) is not None}


def split_by_file(agents: Mapping[str, AgentDefinition]) -> tuple[list[str], list[str]]:
    """Handles of those that somebody wrote a file for, and of those that are only installed."""
    only_installed = [handle for handle, agent in agents.items() if agent.origin == "recipe"]
    return [handle for handle in agents if handle not in only_installed], only_installed


def agent_of(recipe: Recipe) -> AgentDefinition:
    """The agent that needs no file: `@gemini`, as its recipe says."""
    return AgentDefinition(
        handle=recipe.id,
        name=recipe.name,
        role="coding agent",
        backend="acp",
        recipe=recipe.id,
        origin="recipe",
    )
