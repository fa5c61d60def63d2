"""The server: the editor's requests in, sessions and their updates out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, cast

import acp
from acp.schema import (
    AgentCapabilities,
    AvailableCommand,
    AvailableCommandsUpdate,
    Implementation,
    PromptCapabilities,
    UnstructuredCommandInput,
)

from flowide import __version__
from flowide.acp_server.conversation import Conversation, Project
from flowide.acp_server.wishes import text_of
from flowide.agents.acp.transport import Wire
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, FlowError, NotFound
from flowide.space.queries import FindThread

Open = Callable[[str], AbstractAsyncContextManager[Project]]
"""Opens the project that a folder belongs to."""


class EditorAgent:
    """FlowIDE, as an editor sees it. Methods are named as the library calls them."""

    def __init__(self, open: Open) -> None:
        self._open = open
        self._stack = AsyncExitStack()
        self._projects: dict[str, Project] = {}
        self._sessions: dict[str, Conversation] = {}
        self._client: Any = None
        self._announcing: set[asyncio.Task[None]] = set()

    def on_connect(self, conn: Any) -> None:
        """The editor is there."""
        self._client = conn

    async def close(self) -> None:
        """End what runs, and close the projects."""
        for conversation in self._sessions.values():
            conversation.cancel()
        await self._stack.aclose()

    async def initialize(self, protocol_version: int, **_: Any) -> Any:
        """Greet the editor."""
        return acp.InitializeResponse(
            protocol_version=min(protocol_version, acp.PROTOCOL_VERSION),
            agent_capabilities=AgentCapabilities(
                load_session=True, prompt_capabilities=PromptCapabilities(embedded_context=True)
            ),
            agent_info=Implementation(name="flowide", title="FlowIDE", version=__version__),
        )

    async def new_session(self, cwd: str, **_: Any) -> Any:
        """A new conversation: a thread, once something is said."""
        conversation = await self._conversation(cwd, uuid7())
        self._announce(conversation)
        return acp.NewSessionResponse(session_id=conversation.session)

    async def load_session(self, cwd: str, session_id: str, **_: Any) -> Any:
        """A conversation from before; what was said in it is told again."""
        project = await self._project(cwd)
        try:
            thread = await project.space.read(FindThread(session_id))
        except NotFound:
            raise acp.RequestError.resource_not_found(session_id) from None
        conversation = await self._conversation(cwd, thread.id)
        await conversation.replay()
        self._announce(conversation)
        return acp.LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> Any:
        """Do what the person typed."""
        conversation = self._sessions.get(session_id)
        if conversation is None:
            raise acp.RequestError.resource_not_found(session_id)
        try:
            text = text_of(prompt)
        except FlowError as error:
            raise acp.RequestError.invalid_params({"details": error.message}) from None
        reason = await conversation.prompt(text)
        return acp.PromptResponse(stop_reason=cast("Any", reason))

    async def cancel(self, session_id: str, **_: Any) -> None:
        """Call the turn off."""
        conversation = self._sessions.get(session_id)
        if conversation is not None:
            conversation.cancel()

    async def authenticate(self, method_id: str, **_: Any) -> None:
        """Nobody logs in to FlowIDE."""

    async def _conversation(self, cwd: str, session: str) -> Conversation:
        conversation = Conversation(await self._project(cwd), self._client, session)
        self._sessions[session] = conversation
        return conversation

    async def _project(self, cwd: str) -> Project:
        if cwd not in self._projects:
            try:
                self._projects[cwd] = await self._stack.enter_async_context(self._open(cwd))
            except FlowError as error:
                raise acp.RequestError.invalid_params({"details": f"{error.message} {error.hint}"}) from None
        return self._projects[cwd]

    def _announce(self, conversation: Conversation) -> None:
        """Tell the commands, once the editor knows the session."""
        task = asyncio.create_task(self._commands(conversation))
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)

    async def _commands(self, conversation: Conversation) -> None:
        await asyncio.sleep(0.05)
        hint = UnstructuredCommandInput(hint="key=value … what is wanted")
        commands = [
            AvailableCommand(name=name, description=about, input=cast("Any", hint))
            for name, about in await conversation.commands()
        ]
        update = AvailableCommandsUpdate(
            session_update="available_commands_update", available_commands=commands
        )
        await self._client.session_update(conversation.session, update)


async def serve(open: Open) -> None:
    """Serve one editor on stdin and stdout until it closes them."""
    reader, writer = await _streams()
    agent = EditorAgent(open)
    wire = Wire(reader, writer)
    connection = acp.AgentSideConnection(cast("Any", agent), wire, listening=False)
    try:
        await connection.listen()
    finally:
        await agent.close()
        await connection.close()


async def _streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Standard input and output for messages alone: what anybody prints by mistake goes to standard error.

    Raises:
        BadInput: They are no pipes.
    """
    loop = asyncio.get_running_loop()
    source, target = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=2**20)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, target)
    except ValueError:
        raise BadInput(
            "standard input and output must be pipes", hint="An editor starts this; see docs/editors.md."
        ) from None
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
