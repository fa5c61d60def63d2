"""One turn of a coding agent: start it, greet it, ask it, watch it, end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from flowide import __version__
from flowide.agents.acp.client import Client
from flowide.agents.acp.desk import Seat
from flowide.agents.acp.ending import carried_through
from flowide.agents.acp.equipment import environment, servers_of, writable
from flowide.agents.acp.faults import Faults
from flowide.agents.acp.prompting import answer_of, file_of, prompt_of
from flowide.agents.acp.recipes import Recipe
from flowide.agents.acp.telling import hidden
from flowide.agents.acp.terminals import Terminals
from flowide.agents.acp.transport import Wire
from flowide.agents.api import Delta, Finished, Progress, Request, TextDelta, Usage
from flowide.agents.definition import AgentDefinition
from flowide.agents.redact import hide, secrets_in
from flowide.confinement.methods import confinement
from flowide.confinement.spawning import Guarded, Limits, spawn
from flowide.errors import AuthFailed, Incomplete, Rejected, Unavailable

START_S = 60.0
"""For starting, and again for a new session: some agents look for updates first. The turn's own time begins after."""
CANCEL_S = 5.0
"""For ending its turn by itself, once it was told that the time is over; measured: up to half a second."""
PUT_AWAY_S = 1.0
"""For ending by itself after a good turn."""
LOOK_S = 0.5
MAX_LOG = 4 * 1024 * 1024
"""Bytes of its complaints, after which they begin anew."""
LIMITS = Limits(processes=1024, memory=8 * 1024**3)
_ASKING = ("default", "ask", "normal", "manual")
"""Modes of agents that FlowIDE does not know, in which they probably ask."""
T = TypeVar("T")


class Turn:
    """One turn. Whatever happens, no process of it is left."""

    def __init__(
        self,
        agent: AgentDefinition,
        recipe: Recipe,
        command: list[str],
        env: Mapping[str, str],
        seat: Seat,
        emit: Callable[[Delta], None],
        backlog: Callable[[], int] = lambda: 0,
    ) -> None:
        """`emit` is told what it says and does; `backlog` says how much of that nobody has looked at yet."""
        self._backlog = backlog
        self._agent, self._recipe, self._command, self._seat, self._told = agent, recipe, command, seat, emit
        self._secret = "" if seat.tools is None else seat.tools.secret
        self._secrets = [*secrets_in(env), *filter(None, [self._secret])]
        self._confined = seat.confined and confinement().works
        self._env = environment(agent, recipe, env, seat)
        self._log = seat.logs / "stderr.log"
        self._program: Guarded | None = None
        self._wire: Wire | None = None
        self._session = ""

    async def run(self, request: Request) -> Finished:
        """Carry it out; see `AcpBackend.stream` for what is raised."""
        from acp.client.connection import ClientSideConnection

        places = writable(self._agent, self._recipe, self._seat) if self._seat.confined else None
        terminals = Terminals(self._seat.folder, places, self._env, LIMITS)
        self._client = client = Client(self._seat, self._recipe, terminals, self._emit)
        program = self._program = await self._start(places)
        assert program.stdout is not None
        assert program.stdin is not None
        wire = self._wire = Wire(program.stdout, program.stdin)
        wire.filter, wire.backlog = _understood, self._backlog
        self._faults = Faults(self._agent.handle, self._recipe.login, wire, self._log, self._secrets)
        connection = ClientSideConnection(client, wire)  # type: ignore[arg-type]  # methods that are not offered may be missing
        watching = asyncio.create_task(_keep_small(self._log))
        try:
            finished = await self._converse(connection, request)
            await self._let_end(wire, program)
            return finished
        finally:
            watching.cancel()
            await carried_through(self._end(connection, terminals))
            client.end()

    def _emit(self, delta: Delta) -> None:
        self._told(hidden(delta, self._secret) if self._secret else delta)

    # --- start and end ------------------------------------------------------------------------------

    async def _start(self, places: list[Path | str] | None) -> Guarded:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self._log, flags, 0o600)
        try:
            return await spawn(
                [*self._command, *(self._recipe.confined_args if self._confined else [])],
                cwd=self._seat.folder,
                env=self._env,
                writable=places,
                limits=LIMITS,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Into a file: an agent whose complaints nobody reads stands still at the first 64 KiB.
                stderr=log,
                buffer=2**20,
            )
        except OSError as error:
            raise Unavailable(
                f"@{self._agent.handle} could not be started: {error.strerror}", agent=self._agent.handle
            ) from error
        finally:
            os.close(log)

    async def _let_end(self, wire: Wire, program: Guarded) -> None:
        """Give it a moment to put its things away by itself."""
        await wire.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PUT_AWAY_S):
                await program.wait()

    async def _end(self, connection: Any, terminals: Terminals) -> None:
        assert self._program is not None
        try:
            await self._program.end()
            await terminals.close()
        finally:
            with contextlib.suppress(Exception):
                await connection.close()
            await self._program.close()

    # --- the conversation ---------------------------------------------------------------------------

    async def _converse(self, connection: Any, request: Request) -> Finished:
        from acp import PROTOCOL_VERSION, text_block
        from acp.schema import ClientCapabilities, FileSystemCapabilities, Implementation

        files = self._recipe.files
        greeting = await self._within(
            START_S,
            "to start",
            connection.initialize(
                PROTOCOL_VERSION,
                ClientCapabilities(
                    fs=FileSystemCapabilities(read_text_file=files, write_text_file=files),
                    terminal=self._recipe.terminals,
                ),
                Implementation(name="flowide", title="FlowIDE", version=__version__),
            ),
        )
        if greeting.protocol_version != PROTOCOL_VERSION:
            raise Unavailable(
                f"@{self._agent.handle} speaks version {greeting.protocol_version} of ACP, FlowIDE {PROTOCOL_VERSION}",
                hint="Update the older of the two.",
                agent=self._agent.handle,
            )
        loaded = await self._open_session(connection, greeting)
        before = file_of(self._seat.folder, request.target) if request.target else None
        self._client.listening = True
        reply = await self._prompt(
            connection,
            [text_block(prompt_of(request, tools=self._seat.tools is not None))],
            request.deadline_s,
        )
        silent = not (self._client.text or request.target)
        self._faults.check_end(reply, silent=silent, denied=self._client.denied)
        text, last = self._client.text, self._client.last_words
        answer = answer_of(request, self._seat.folder, before, text=text, last_words=last)
        if request.target and answer != text:
            self._emit(TextDelta(f"\n\n{answer.removeprefix(last).lstrip()}"))
        if self._secret:
            answer = hide(answer, [self._secret])
        return Finished(answer, f"acp/{self._recipe.id}", Usage() if loaded else self._usage(reply))

    async def _open_session(self, connection: Any, greeting: Any) -> bool:
        """Go on with the earlier session, where there is one and the agent can; else a new one. Was it loaded?"""
        folder = str(self._seat.folder)
        earlier = self._seat.session
        can_load = greeting.agent_capabilities is not None and greeting.agent_capabilities.load_session
        opened = None
        if earlier and can_load:
            try:
                opened = await self._within(
                    START_S,
                    "to go on with its session",
                    connection.load_session(folder, earlier, mcp_servers=servers_of(self._seat.tools)),
                )
                self._session = earlier
            except (Incomplete, Unavailable, Rejected) as error:
                if self._wire is None or self._wire.ended.is_set():
                    raise
                self._emit(Progress("note", "session", f"its earlier session is gone: {error.message}"[:500]))
        loaded = bool(self._session)
        if not loaded:
            opened = await self._new_session(connection, folder)
            self._session = opened.session_id
        self._seat.remember(self._session if can_load else None)
        await self._choose_mode(connection, opened)
        return loaded

    async def _new_session(self, connection: Any, folder: str) -> Any:
        def opening() -> Any:
            return connection.new_session(folder, mcp_servers=servers_of(self._seat.tools))

        try:
            return await self._within(START_S, "to open a session", opening())
        except AuthFailed:
            method = next((way for name, way in self._recipe.auth.items() if self._env.get(name)), None)
            if method is None:
                raise
        await self._within(START_S, "to log in", connection.authenticate(method))
        return await self._within(START_S, "to open a session", opening())

    async def _choose_mode(self, connection: Any, opened: Any) -> None:
        """Have it ask before it acts: some start in a mode in which they do not."""
        modes = getattr(opened, "modes", None)
        if modes is None or not modes.available_modes:
            return
        ids = [each.id for each in modes.available_modes]
        asking = self._recipe.modes
        if self._confined and self._recipe.confined_modes is not None:
            asking = self._recipe.confined_modes
        elif not asking:
            asking = list(_ASKING)
        if not asking:
            return  # its arguments see to it
        wanted = next((each for each in asking if each in ids), None)
        if wanted is None:
            said = f"it works in mode {modes.current_mode_id}, and FlowIDE does not know which of its modes asks: "
            self._emit(Progress("note", "mode", f"{said}{', '.join(ids)}"[:500], "failed"))
        elif wanted != modes.current_mode_id:
            await self._within(
                START_S, f"to change to mode {wanted}", connection.set_session_mode(self._session, wanted)
            )
            self._emit(Progress("mode", "mode", f"it asks before it acts: mode {wanted}"))

    async def _prompt(self, connection: Any, blocks: list[Any], seconds: float) -> Any:
        clock = asyncio.get_running_loop().time
        began = clock()
        asking = asyncio.ensure_future(connection.prompt(self._session, blocks))
        try:
            while not asking.done() and not self._client.stop.done():
                left = began + seconds + self._client.spent_s() - clock()
                if left <= 0:
                    await self._cancel(connection, asking, CANCEL_S)
                    raise Unavailable(
                        f"the turn of @{self._agent.handle} did not end within {clock() - began:.0f} s",
                        hint="Give it more time ([agents] turn_s), or ask for less.",
                        agent=self._agent.handle,
                        retryable=True,
                    )
                await asyncio.wait(
                    {asking, self._client.stop},
                    timeout=min(left, LOOK_S),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if self._client.stop.done():
                await self._cancel(connection, asking, CANCEL_S)
                raise self._client.stop.result()
            return self._faults.result(asking)
        except asyncio.CancelledError:
            await carried_through(self._cancel(connection, asking, CANCEL_S))
            raise

    async def _cancel(self, connection: Any, asking: asyncio.Future[Any], seconds: float) -> None:
        """Tell it to stop, and give it a moment to do so."""
        if not asking.done():
            with contextlib.suppress(Exception):
                async with asyncio.timeout(seconds):
                    await connection.cancel(self._session)
                    await asyncio.wait({asking})
        asking.cancel()
        await asyncio.wait({asking})
        if not asking.cancelled():
            asking.exception()  # the turn is over anyway

    async def _within(self, seconds: float, what: str, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=seconds)
            if not task.done():
                raise Unavailable(
                    f"@{self._agent.handle} needs more than {seconds:g} s {what}{self._faults.complaint()}",
                    hint="Try it by hand, in a terminal.",
                    agent=self._agent.handle,
                    retryable=True,
                )
            return self._faults.result(task)
        finally:
            task.cancel()

    def _usage(self, reply: Any) -> Usage:
        cost = self._client.usage.get("cost")
        micros = round(cost * 1e6) if isinstance(cost, int | float) else None
        used = reply.usage
        return Usage(used.input_tokens if used else 0, used.output_tokens if used else 0, micros)


def _understood(message: dict[str, Any]) -> bool:
    """Whether the library can read a notice; newer agents tell what it does not know, and it would complain."""
    if message.get("method") != "session/update" or "id" in message:
        return True
    from acp.schema import SessionNotification

    try:
        SessionNotification.model_validate(message.get("params"))
    except ValueError:
        return False
    return True


async def _keep_small(log: Path) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        _cut(log)


def _cut(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > MAX_LOG:
            os.truncate(log, 0)
