"""One server: started when it is first needed, again when it died, ended with whoever uses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, structs

from flowide.agents.redact import redact, secrets_in
from flowide.agents.tools import extras
from flowide.agents.tools.life import CALL_S, Life, http
from flowide.agents.tools.results import Answer, answer_of, contents
from flowide.agents.tools.servers import Server
from flowide.agents.tools.stdio import Ending, stdio
from flowide.errors import FlowError, Unavailable
from flowide.patterns import lazy
from flowide.settings import McpServer
from flowide.text import one_line

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.shared.exceptions import MCPError

T = TypeVar("T")
RESTARTS = 3
"""Starts after deaths before a server is given up."""
PAGES = 50
"""Pages of a listing."""
MOST_TOOLS = 500
_NOT_ALLOWED = lazy(r"EACCES|EROFS|EPERM|Permission denied|Read-only file system")
Progress = Callable[[float, float | None, str], None]
"""Told how far a call is: so much, of so much (None = not known), and a message."""


class Found(Struct, frozen=True):
    """A tool as its server lists it."""

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    reads_only: bool
    """Its server says so; nobody has checked it."""


class Connection:
    """A server and the way to it. Belongs to one event loop."""

    def __init__(self, server: Server, *, root: Path, env: Mapping[str, str]) -> None:
        """`root` is the folder it works in, unless it says otherwise; variables are filled in from `env`."""
        self.server = server
        self._root, self._env = root, env
        self._secrets = secrets_in(env)
        self._life: Life | None = None
        self._starting = asyncio.Lock()
        self._deaths = 0
        self._tools: list[Found] | None = None
        self._own: frozenset[str] = frozenset()
        """Names of the tools that are the server's own."""

    @property
    def running(self) -> bool:
        """Whether there is a connection."""
        return self._life is not None and self._life.alive

    async def tools(self) -> list[Found]:
        """What it offers.

        Raises:
            Unavailable: It does not start, or does not answer.
        """
        if self._tools is None or not self.running:
            found = await self._ask("tools/list", _list_tools)
            self._tools = found + await self._extras({each.name for each in found})
        return self._tools

    async def _extras(self, taken: set[str]) -> list[Found]:
        """Tools for its resources and prompts, where it has any."""
        self._own = frozenset(taken)
        resources = [] if extras.READ in taken else await self.resources()
        prompts = [] if extras.PROMPT in taken else await self.prompts()
        made = []
        if resources:
            about = extras.about_resources(resources)
            made.append(Found(extras.READ, "", about, extras.READ_SCHEMA, reads_only=True))
        if prompts:
            about = extras.about_prompts(prompts)
            made.append(Found(extras.PROMPT, "", about, extras.PROMPT_SCHEMA, reads_only=True))
        return made

    async def call(self, tool: str, arguments: dict[str, Any], *, progress: Progress | None = None) -> Answer:
        """Call a tool; cancelling the task tells the server to stop.

        Raises:
            Unavailable: It died, refused the call as such, or did not answer in time.
        """
        if self._tools is not None and tool not in self._own:
            if tool == extras.READ:
                return await self.read(str(arguments["uri"]))
            if tool == extras.PROMPT:
                texts = {name: str(value) for name, value in arguments.get("arguments", {}).items()}
                return Answer(text=await self.prompt(str(arguments["name"]), texts))
        silence, given = _Silence(self.server.spec.timeout_s), progress

        async def heard(progress: float, total: float | None, message: str | None) -> None:
            silence.heard()
            if given is not None:
                given(progress, total, one_line(message or "", 300))

        async def calling(client: Client) -> Answer:
            async with silence.bounded():
                return answer_of(
                    await client.call_tool(
                        tool, arguments, read_timeout_seconds=CALL_S, progress_callback=heard
                    )
                )

        return self._explained(await self._ask(f"the tool {tool}", calling, bounded=False))

    def _explained(self, answer: Answer) -> Answer:
        """With a word on why it may not write, when that is what it complains of."""
        if not answer.failed or self.server.spec.url or not _NOT_ALLOWED.search(answer.text):
            return answer
        said = (
            f"{answer.text}\n(FlowIDE lets this server write only to its temporary and cache folders, and to those "
            f"under `writes` of [mcp.{self.server.name}].)"
        )
        return structs.replace(answer, text=said)

    async def resources(self) -> list[dict[str, Any]]:
        """What can be read from it: `uri`, `name`, `mime`, `about`."""

        async def listing(client: Client) -> list[dict[str, Any]]:
            if not _offers(client, "resources"):
                return []
            pages = await _pages(client.list_resources, "resources")
            return [
                {
                    "uri": str(each.uri),
                    "name": each.name,
                    "mime": each.mime_type or "",
                    "about": each.description or "",
                }
                for each in pages
            ]

        return await self._ask("resources/list", listing)

    async def read(self, uri: str) -> Answer:
        """One of its resources."""

        async def reading(client: Client) -> Answer:
            told = await client.read_resource(uri)
            text, images = contents(list(told.contents))
            return Answer(text=text, images=images)

        return await self._ask(f"the resource {uri}", reading)

    async def prompts(self) -> list[dict[str, Any]]:
        """Prompts it offers: `name`, `about`, `arguments`."""

        async def listing(client: Client) -> list[dict[str, Any]]:
            if not _offers(client, "prompts"):
                return []
            pages = await _pages(client.list_prompts, "prompts")
            return [
                {
                    "name": each.name,
                    "about": each.description or "",
                    "arguments": [
                        {"name": a.name, "required": bool(a.required)} for a in each.arguments or []
                    ],
                }
                for each in pages
            ]

        return await self._ask("prompts/list", listing)

    async def prompt(self, name: str, arguments: dict[str, str]) -> str:
        """The text of one of its prompts."""

        async def getting(client: Client) -> str:
            told = await client.get_prompt(name, arguments)
            return "\n\n".join(f"{each.role}: {contents([each.content])[0]}" for each in told.messages)

        return await self._ask(f"the prompt {name}", getting)

    async def close(self) -> None:
        """End the server, or the connection to it; may be called twice."""
        life, self._life = self._life, None
        if life is not None:
            await life.close()

    async def _ask(self, what: str, asking: Callable[[Client], Awaitable[T]], *, bounded: bool = True) -> T:
        from mcp.shared.exceptions import MCPError as Refusal

        life = await self._living()
        limit = self.server.spec.timeout_s if bounded else None
        try:
            async with asyncio.timeout(limit):
                return await asking(life.client)
        except TimeoutError:
            raise self._silent(what) from None
        except Refusal as error:
            if not life.alive or _is_end(error):
                life.ending.why = life.ending.why or "the connection closed"
                raise self._died(life, what) from error
            raise self._refused(what, str(error)) from error
        except FlowError:
            raise
        except Exception as error:  # the library raises whatever a wrong answer makes it trip over
            if not life.alive:
                raise self._died(life, what) from error
            raise self._refused(what, f"{type(error).__name__}: {error}") from error

    async def _living(self) -> Life:
        async with self._starting:
            if self._life is not None and self._life.alive:
                return self._life
            if self._life is not None:
                self._deaths += 1
                await self.close()
            if self._deaths > RESTARTS:
                raise Unavailable(
                    f"the tool server {self.server.name} died {self._deaths} times and is not started again",
                    hint="flowide tools check shows what it says.",
                    server=self.server.name,
                )
            spec = self.server.filled(self._env)
            life = Life(self._connected(spec), spec.timeout_s)
            try:
                await life.start()
            except BaseException as error:
                await asyncio.shield(life.close())
                if isinstance(error, FlowError) or not isinstance(error, Exception):
                    raise
                raise self._not_started(life, error) from error
            self._life = life
            return life

    def _connected(self, spec: McpServer) -> tuple[Any, Ending]:
        ending = Ending()
        if spec.url:
            return http(spec), ending
        cwd = self._root / spec.cwd if spec.cwd else self._root
        made = stdio(
            [spec.command, *spec.args],
            cwd=cwd,
            env=spec.env,
            around=self._env,
            writable=[*(str(self._root / each) for each in spec.writes), *self.server.writable],
            ending=ending,
        )
        return made, ending

    def _not_started(self, life: Life, error: Exception) -> Unavailable:
        if isinstance(error, TimeoutError):
            why = f"it did not answer within {self.server.spec.timeout_s:g} s"
        else:
            why = self._clean(_innermost(error))
        said = life.ending.last_words
        return Unavailable(
            f"the tool server {self.server.name} did not start: {why}"
            + (f"; it said: {self._clean(said)}" if said else ""),
            hint=f"Is its command right? {self.server.source}",
            server=self.server.name,
        )

    def _died(self, life: Life, what: str) -> Unavailable:
        said = life.ending.last_words
        return Unavailable(
            f"the tool server {self.server.name} died during {what}: {life.ending.why or 'the connection closed'}"
            + (f"; it said: {self._clean(said)}" if said else ""),
            hint="It is started again by the next call.",
            server=self.server.name,
        )

    def _silent(self, what: str) -> Unavailable:
        limit = self.server.spec.timeout_s
        return Unavailable(
            f"{self.server.name}: {what} did not answer within {limit:g} s",
            hint=f"Raise timeout_s of [mcp.{self.server.name}].",
            server=self.server.name,
        )

    def _refused(self, what: str, said: str) -> Unavailable:
        return Unavailable(f"{self.server.name}: {what}: {self._clean(said)}", server=self.server.name)

    def _clean(self, said: str) -> str:
        return one_line(redact(said, self._secrets), 400)


class _Silence:
    """Bounds the time without a sign of progress."""

    def __init__(self, limit_s: float) -> None:
        self._limit = limit_s
        self._timeout: asyncio.Timeout | None = None

    def heard(self) -> None:
        """There was one."""
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._limit)

    @contextlib.asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Raises TimeoutError when it has been too long."""
        async with asyncio.timeout(self._limit) as self._timeout:
            yield


async def _list_tools(client: Client) -> list[Found]:
    if not _offers(client, "tools"):
        return []
    found = []
    for each in await _pages(client.list_tools, "tools"):
        hints = each.annotations
        found.append(
            Found(
                name=each.name,
                title=one_line(each.title or "", 200),
                description=each.description or "",
                schema=each.input_schema,
                reads_only=bool(hints is not None and hints.read_only_hint),
            )
        )
    return found


def _offers(client: Client, what: str) -> bool:
    """Whether the server says that it has such things; one that says nothing at all is asked."""
    offered = client.server_capabilities
    return offered is None or getattr(offered, what, None) is not None


async def _pages(listing: Callable[..., Any], name: str) -> list[Any]:
    """All pages of a listing, within bounds."""
    found: list[Any] = []
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(PAGES):
        page = await listing(cursor=cursor)
        found += getattr(page, name)
        cursor = page.next_cursor
        if cursor is None or cursor in seen or len(found) >= MOST_TOOLS:
            break
        seen.add(cursor)
    return found[:MOST_TOOLS]


def _is_end(error: MCPError) -> bool:
    """Whether a server that is called over HTTP is gone, or knows the session no more."""
    from mcp.types import CONNECTION_CLOSED

    return error.code == CONNECTION_CLOSED or error.message == "Session terminated"


def _innermost(error: BaseException) -> str:
    """What went wrong, without the groups that tasks wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
