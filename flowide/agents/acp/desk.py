"""The seam between a coding agent and the project: where it works, and who answers what it asks."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from flowide.agents.api import Request
from flowide.agents.definition import AgentDefinition

CHANGING = frozenset({"edit", "delete", "move"})
"""Kinds of action that change files."""
SERVER = "flowide"
"""What the space is called among an agent's tool servers."""
Answer = Literal["once", "session", "always", "deny"]


class Question(Struct, frozen=True, kw_only=True):
    """What an agent wants to be permitted."""

    kind: str
    """`edit`, `execute`, `fetch` …, as the protocol has it."""
    title: str
    command: str = ""
    """Of a terminal; empty when it is none."""
    paths: list[str] = []
    """As the agent gives them."""
    diff: str = ""
    tool: str = ""
    """Which tool of the space it is, as the agent says it; empty when it is none."""

    @property
    def outside(self) -> list[str]:
        """The paths that are not in its copy of the project, when it wants to change something."""
        changing = self.kind in CHANGING
        return [path for path in self.paths if changing and os.path.isabs(path)]

    @property
    def scope(self) -> str:
        """What an answer that is remembered holds for: the kind, of commands also the program."""
        program = self.command.split(maxsplit=1)[0] if self.command.strip() else ""
        return f"{self.kind} {program}".strip()


class SpaceTools(Struct, frozen=True):
    """How an agent reaches the space in its turn: a program that it starts, which speaks MCP."""

    command: list[str]
    """The program, by its full path, and its arguments."""
    env: dict[str, str]
    secret: str
    """What is in `env` that no log may hold."""
    names: frozenset[str] = frozenset()
    """Of the tools there are, also of those that the agent is denied."""


class Seat(Protocol):
    """A place to work at for one turn."""

    base: Path
    """Of all that belongs to the place; the agent may write anywhere below it."""
    folder: Path
    """The private copy of the project."""
    temporary: Path
    logs: Path
    """Where the agent's complaints go; outside of what it may write."""
    session: str | None
    """The agent's own id of an earlier conversation that is gone on with; None = a new one."""
    confined: bool
    """Whether the agent is to be kept from writing elsewhere."""
    tools: SpaceTools | None
    """The space as tools; None = it gets none."""
    trusted: bool
    """Whether a person trusts the project."""

    def remember(self, session: str | None) -> None:
        """Note the agent's id of the conversation, for the next time; None = there is none to go on with."""
        ...

    async def permit(self, question: Question) -> Answer:
        """What a person, or a rule, says to it.

        Raises:
            NeedsInput: Nobody can be asked now; the turn ends.
        """
        ...


class Desk(Protocol):
    """Gives agents places to work at."""

    def seat(self, agent: AgentDefinition, request: Request) -> AbstractAsyncContextManager[Seat]:
        """A place for one turn. When the block is left by an error, what was done there is not taken over."""
        ...
