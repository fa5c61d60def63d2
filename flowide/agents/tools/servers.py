"""Which MCP servers there are, and who vouches for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field, structs

from flowide.agents.yaml_file import YamlFile, read_text
from flowide.errors import AuthFailed, BadInput
from flowide.patterns import lazy
from flowide.settings import Loaded, McpServer

FILE = ".mcp.json"
"""In a project, as other tools read it."""
NAME = lazy(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
Origin = Literal["user", "project", "flow", "built in"]
"""Who says that the server is there; what a project or its flow says needs trust before it is started."""
_VARIABLE = lazy(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_TYPES = {"": "", "stdio": "stdio", "http": "http", "streamable-http": "http", "streamableHttp": "http"}
_HINTS = {
    "args": 'A list of texts, for example: "args": ["-y", "server"]',
    "env": 'Texts by name, for example: "env": {"TOKEN": "${TOKEN}"}',
}


class Server(Struct, frozen=True, kw_only=True):
    """A server as it is written down."""

    name: str
    spec: McpServer
    origin: Origin
    source: str
    """File that says so."""
    writable: tuple[str, ...] = ()
    """Folders of ours that it may write to."""

    @property
    def foreign(self) -> bool:
        """Whether it comes with the project, so that somebody has to vouch for it."""
        return self.origin in ("project", "flow")

    def told(self) -> str:
        """What is started or called, for people; as it is written, with the names of variables."""
        if self.spec.url:
            return self.spec.url
        return " ".join([self.spec.command, *self.spec.args])

    def filled(self, env: Mapping[str, str]) -> McpServer:
        """The same with variables filled in.

        Raises:
            AuthFailed: One that is named is not set, and there is no `:-` with what to take then.
        """
        spec = self.spec

        def fill(text: str) -> str:
            return _VARIABLE.sub(lambda found: self._value(found, env), text)

        return structs.replace(
            spec,
            command=fill(spec.command),
            args=[fill(each) for each in spec.args],
            env={name: fill(value) for name, value in spec.env.items()},
            cwd=fill(spec.cwd),
            url=fill(spec.url),
            headers={name: fill(value) for name, value in spec.headers.items()},
            writes=[fill(each) for each in spec.writes],
        )

    def _value(self, found: re.Match[str], env: Mapping[str, str]) -> str:
        value = env.get(found[1]) or found[2]
        if value is None:
            raise AuthFailed(
                f"the tool server {self.name} needs {found[1]}, which is not set",
                hint=f"export {found[1]}=…, or write ${{{found[1]}:-…}} in {self.source}.",
                server=self.name,
                variable=found[1],
            )
        return value


class Servers(Struct):
    """The servers of a project and its user, and the files that could not be read."""

    known: dict[str, Server] = field(default_factory=dict)
    """By name; the user's settings go before the project's, those before `.mcp.json`."""
    broken: list[BadInput] = field(default_factory=list)


class _File(Struct):
    """`.mcp.json`"""

    mcpServers: dict[str, _Entry] = {}  # noqa: N815 - the file's own word; msgspec copies defaults


class _Entry(Struct):
    """One server of it; what other tools have besides is passed over."""

    type: str = ""
    command: str = ""
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = {}
    writes: list[str] = []
    disabled: bool = False


def find_servers(project: Path | None, loaded: Loaded) -> Servers:
    """The servers of settings and `.mcp.json`; a wrong one does not hide the others."""
    found = Servers()
    files = set() if project is None else {str(project / ".flowide" / "config.toml")}
    for name, spec in loaded.settings.mcp.items():
        sources = {where for key, where in loaded.sources.items() if key.startswith(f"mcp.{name}.")}
        origin: Origin = "project" if sources & files else "user"
        source = ", ".join(sorted(sources))
        _add(found, Server(name=name, spec=spec, origin=origin, source=source))
    if project is not None and (project / FILE).is_file():
        try:
            for server in read_mcp_json(project / FILE):
                if server.name not in found.known:
                    _add(found, server)
        except BadInput as error:
            found.broken.append(error)
    return found


def _add(found: Servers, server: Server) -> None:
    try:
        found.known[server.name] = checked(server)
    except BadInput as error:
        found.broken.append(error)


def read_mcp_json(path: Path) -> list[Server]:
    """The servers of a `.mcp.json`.

    Raises:
        BadInput: The file is wrong; the message says where.
    """
    text = read_text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        said = getattr(error, "msg", "it is nested too deeply")
        raise BadInput(f"{path}:{line}:{column}: no JSON: {said}", hint="Mend the file.") from None
    if not isinstance(data, dict) or not isinstance(data.get("mcpServers", {}), dict):
        raise BadInput(f"{path}:1:1: no mcpServers", hint='{"mcpServers": {"git": {"command": "…"}}}')
    read = YamlFile(text, str(path)).convert(_File, _HINTS)  # JSON is YAML, and this one knows lines
    servers = []
    for name, entry in read.mcpServers.items():
        if entry.type not in _TYPES:
            raise BadInput(
                f"{path}: the server {name[:100]} has the type {entry.type[:50]!r}",
                hint="Types: stdio, http. An sse server mostly answers as http too, at another address.",
            )
        spec = McpServer(
            command=entry.command,
            args=entry.args,
            env=entry.env,
            cwd=entry.cwd,
            url=entry.url,
            headers=entry.headers,
            writes=entry.writes,
            disabled=entry.disabled,
        )
        servers.append(Server(name=name, spec=spec, origin="project", source=str(path)))
    return servers


def servers_of_flow(table: Mapping[str, McpServer], flow: str, origin: str) -> list[Server]:
    """The servers that a flow file brings; those of flows that come with FlowIDE or are the user's need no trust."""
    own = {"shipped": "built in", "user": "user"}
    made: Any = own.get(origin, "flow")
    return [
        checked(Server(name=name, spec=spec, origin=made, source=f"flow {flow}"))
        for name, spec in table.items()
    ]


def checked(server: Server) -> Server:
    """The server.

    Raises:
        BadInput: It has neither a command nor an address, or both, or a name that tools cannot have.
    """
    wrong = problem_of(server.name, server.spec)
    if wrong is not None:
        raise BadInput(f"{server.source}: {wrong[0]}", hint=wrong[1])
    return server


def problem_of(name: str, spec: McpServer) -> tuple[str, str] | None:
    """What is wrong with what is written of a server, and what would be right; None = nothing."""
    where = f"the tool server {name[:100]}"
    if not NAME.fullmatch(name):
        return f"{where} has a name that cannot be used", "Letters, digits, - and _, at most 40."
    if bool(spec.command) == bool(spec.url):
        said = "both a command and a url" if spec.command else "neither a command nor a url"
        return f"{where} has {said}", "A command is started here, a url is called."
    if spec.url and not re.match(r"https?://|\$\{", spec.url):
        return f"{where} has the url {spec.url[:200]!r}", "It begins with http:// or https://."
    return None
