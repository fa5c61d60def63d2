"""What an agent is given for a turn: variables, places to write to, the space as tools."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowide.agents.acp.desk import SERVER, Seat, SpaceTools
from flowide.agents.acp.recipes import Recipe
from flowide.agents.definition import AgentDefinition
from flowide.confinement.environment import PERSONAL, named


def environment(agent: AgentDefinition, recipe: Recipe, env: Mapping[str, str], seat: Seat) -> dict[str, str]:
    """What it sees: home and the network, the variables its recipe or file names, and no other keys."""
    temporary = dict.fromkeys(("TMPDIR", "TMP", "TEMP", *recipe.temporary), str(seat.temporary))
    given = recipe.set_env | (recipe.trusted_env if seat.trusted else {})
    return {
        "PATH": os.defpath,
        **given,
        **named(env, [*PERSONAL, *recipe.env, *given, *agent.env]),
        **temporary,
        "FLOWIDE_COPY": str(seat.base),
    }


def writable(agent: AgentDefinition, recipe: Recipe, seat: Seat) -> list[Path | str]:
    """Its copy, its temporary folder, and what is its own."""
    own = [Path(each).expanduser() for each in (*recipe.writes, *agent.writes)]
    for each in own:
        if not each.exists() and not each.suffix:
            with contextlib.suppress(OSError):
                each.mkdir(parents=True)
    return [seat.base, *own]


def servers_of(tools: SpaceTools | None) -> list[Any]:
    """The tool servers of its session, as the library has them. Every agent can start a program for one."""
    from acp.schema import EnvVariable, McpServerStdio

    if tools is None:
        return []
    env = [EnvVariable(name=name, value=value) for name, value in tools.env.items()]
    return [McpServerStdio(name=SERVER, command=tools.command[0], args=tools.command[1:], env=env)]
