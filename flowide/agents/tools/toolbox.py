"""The servers of a run, and the tools of theirs that each agent is offered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec import Struct

from flowide.agents.api import Tool
from flowide.agents.definition import AgentDefinition
from flowide.agents.tools.connection import Connection, Found
from flowide.agents.tools.naming import function_name, matches, shown
from flowide.agents.tools.servers import Server
from flowide.errors import FlowError, NotAllowed, NotFound
from flowide.text import printable

MOST_OFFERED = 128
"""Tools that one agent is offered: what providers take."""
LONGEST_ABOUT = 1024
"""Characters of a description that models are told."""
LARGEST_SCHEMA = 16 * 1024
"""Characters of the schema of a tool's arguments."""


class Offer(Struct, frozen=True):
    """A tool that an agent, or a flow, may ask for."""

    server: Server
    found: Found
    tool: Tool
    """As a model is told of it."""

    @property
    def name(self) -> str:
        """As people write it."""
        return shown(self.server.name, self.found.name)


class Offered(Struct, frozen=True):
    """What an agent is offered, and what stands in the way of more."""

    offers: dict[str, Offer]
    """By the name that models use."""
    problems: list[str]


class Toolbox:
    """Connections are made when they are first needed, and ended with the block."""

    def __init__(
        self, servers: Iterable[Server], *, root: Path, env: Mapping[str, str], trusted: bool
    ) -> None:
        """`root` is the folder servers work in; what a project brings is only started when it is `trusted`."""
        self.servers = {server.name: server for server in servers}
        self.trusted = trusted
        self._root, self._env = root, env
        self._connections: dict[str, Connection] = {}

    def connection(self, name: str) -> Connection:
        """The way to a server.

        Raises:
            NotFound: There is no such server.
            NotAllowed: It comes with a project that is not trusted.
        """
        server = self.servers.get(name)
        if server is None or server.spec.disabled:
            raise NotFound(
                f"there is no tool server {name[:100]}" + ("" if server is None else " (it is disabled)"),
                hint=f"Known: {', '.join(self.servers) or 'none'}. They are listed by: flowide tools",
                server=name,
            )
        if server.foreign and not self.trusted:
            raise NotAllowed(
                f"the tool server {name} comes with the project ({server.source}), which is not trusted: "
                f"it would run {server.told()[:300]!r}",
                hint="Look at it; then give --trust, or list the project in [trust] of your own settings.",
                server=name,
            )
        if name not in self._connections:
            self._connections[name] = Connection(server, root=self._root, env=self._env)
        return self._connections[name]

    async def offered(self, agent: AgentDefinition) -> Offered:
        """The tools that an agent's file names; servers that do not start are problems, not errors."""
        there = [name for name, server in self.servers.items() if not server.spec.disabled]
        wanted = [name for name in there if any(may_mean(each, name) for each in agent.tools)]
        listed = await asyncio.gather(*(self._listed(name) for name in wanted))
        offers: dict[str, Offer] = {}
        problems: list[str] = []
        if agent.origin != "claude":  # those name what another program has built in
            meant = ((each, any(may_mean(each, name) for name in there)) for each in agent.tools)
            problems += [f"there is no tool server for '{each[:100]}'" for each, found in meant if not found]
        for name, found in zip(wanted, listed, strict=True):
            if isinstance(found, FlowError):
                problems.append(found.message)
                continue
            for each in found:
                if not any(matches(pattern, name, each.name) for pattern in agent.tools):
                    continue
                problem = _unfit(each)
                if problem:
                    problems.append(f"{name}: {problem}")
                elif len(offers) < MOST_OFFERED:
                    offer = self._offer(name, each, offers)
                    offers[offer.tool.name] = offer
                else:
                    problems.append(f"@{agent.handle} is offered {MOST_OFFERED} tools; there are more")
                    break
        return Offered(offers, list(dict.fromkeys(problems)))

    async def find(self, name: str) -> Offer:
        """The tool that a flow names as `server/tool`.

        Raises:
            NotFound: There is no such server or tool.
            NotAllowed, Unavailable: As `connection`, and as it starts.
        """
        server, _, tool = name.partition("/")
        for each in await self.tools(server):
            if each.name == tool:
                return self._offer(server, each, {})
        known = ", ".join(each.name for each in await self.tools(server))
        raise NotFound(f"{server} has no tool {tool[:100]!r}", hint=f"It has: {known or 'none'}.", tool=name)

    async def tools(self, server: str) -> list[Found]:
        """What a server has, less what its settings leave out."""
        connection = self.connection(server)
        only = connection.server.spec.tools
        return [
            each
            for each in await connection.tools()
            if not only or any(matches(pattern, server, each.name) for pattern in only)
        ]

    async def close(self) -> None:
        """End all connections; may be called twice."""
        open_ones, self._connections = list(self._connections.values()), {}
        await asyncio.gather(*(each.close() for each in open_ones))

    async def _listed(self, name: str) -> list[Found] | FlowError:
        try:
            return await self.tools(name)
        except FlowError as error:
            return error

    def _offer(self, server: str, found: Found, taken: Mapping[str, Any]) -> Offer:
        about = printable(found.description or found.title)[:LONGEST_ABOUT]
        tool = Tool(function_name(server, found.name, taken), about, found.schema)
        return Offer(self.servers[server], found, tool)

    async def __aenter__(self) -> Toolbox:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def may_mean(pattern: str, server: str) -> bool:
    """Whether a pattern may mean a tool of a server: the server is only asked what it has when it may."""
    from fnmatch import fnmatchcase

    pattern = pattern.strip().removeprefix("mcp__")
    for sign in ("/", "__"):
        head, found, _ = pattern.partition(sign)
        if found:
            return fnmatchcase(server, head)
    return fnmatchcase(server, pattern)


def _unfit(found: Found) -> str:
    """Why models cannot be told of a tool; empty when they can."""
    if found.schema.get("type", "object") != "object":
        return f"the arguments of {printable(found.name)[:100]} are no object; it is left out"
    if len(json.dumps(found.schema)) > LARGEST_SCHEMA:
        return f"the schema of {printable(found.name)[:100]} is too large; it is left out"
    return ""
