"""A coding agent that does what the lines of its prompt say that begin with `!`, good or bad. A real ACP process.

Started as `python agent.py [--load FILE] [--modes] [--auth] [--deaf]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import acp
from acp.schema import (
    AgentCapabilities,
    AllowedOutcome,
    AuthMethodAgent,
    FileEditToolCallContent,
    PermissionOption,
    SessionMode,
    SessionModeState,
    ToolCallLocation,
    Usage,
)

MARK = os.environ.get("AGENT_MARK", "4321.5")
"""Seconds a child that stays would sleep: tests find it by them."""


def option(data: list[str]) -> str | None:
    """The value after an option."""
    return sys.argv[sys.argv.index(data[0]) + 1] if data[0] in sys.argv else None


class Told(Exception):
    """The turn ends with this reason."""


class Doer:
    """Does as it is told."""

    def __init__(self) -> None:
        self.cwd = Path.cwd()
        self.mode = "yolo"
        self.cancelled = asyncio.Event()
        self.loaded = False
        self.sessions = option(["--load"])
        self.authenticated = "--auth" not in sys.argv
        self.servers: dict[str, Any] = {}

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> acp.InitializeResponse:
        methods: list[Any] = [AuthMethodAgent(id="key", name="a key")] if "--auth" in sys.argv else []
        return acp.InitializeResponse(
            protocol_version=99 if "--future" in sys.argv else protocol_version,
            agent_capabilities=AgentCapabilities(load_session=self.sessions is not None),
            auth_methods=methods,
        )

    async def authenticate(self, method_id: str, **_: Any) -> None:
        self.authenticated = True

    async def new_session(
        self, cwd: str, mcp_servers: list[Any] | None = None, **_: Any
    ) -> acp.NewSessionResponse:
        if not self.authenticated:
            raise acp.RequestError.auth_required()
        self._begin(cwd, mcp_servers)
        return acp.NewSessionResponse(session_id=f"s{os.getpid()}", modes=self._modes())

    def _begin(self, cwd: str, servers: list[Any] | None) -> None:
        self.cwd = Path(cwd)
        self.servers = {each.name: each for each in servers or []}

    async def load_session(
        self, cwd: str, session_id: str, mcp_servers: list[Any] | None = None, **_: Any
    ) -> acp.LoadSessionResponse:
        self._begin(cwd, mcp_servers)
        assert self.sessions is not None
        known = Path(self.sessions).read_text() if Path(self.sessions).exists() else ""
        if session_id not in known:
            raise acp.RequestError.resource_not_found(session_id)
        self.loaded = True
        await self.client.session_update(session_id, acp.update_agent_message_text("said long ago"))
        return acp.LoadSessionResponse(modes=self._modes())

    def _modes(self) -> SessionModeState | None:
        if "--modes" not in sys.argv:
            return None
        modes = [SessionMode(id="yolo", name="Do"), SessionMode(id="default", name="Ask")]
        return SessionModeState(current_mode_id="yolo", available_modes=modes)

    async def set_session_mode(self, session_id: str, mode_id: str, **_: Any) -> None:
        self.mode = mode_id

    async def cancel(self, session_id: str, **_: Any) -> None:
        self.cancelled.set()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> acp.PromptResponse:
        self.session = session_id
        if self.sessions is not None:
            self._note_session(self.sessions, session_id)
        reason = "end_turn"
        for line in "\n".join(block.text for block in prompt).splitlines():
            if line.startswith("!"):
                word, _space, rest = line[1:].partition(" ")
                try:
                    await getattr(self, f"do_{word}")(*(rest.split(" ", 1) if rest else []))
                except Told as told:
                    reason = str(told)
                    break
        usage = Usage(total_tokens=30, input_tokens=20, output_tokens=10)
        return acp.PromptResponse(stop_reason=reason, usage=usage)  # type: ignore[arg-type]

    def _note_session(self, file: str, session: str) -> None:
        with Path(file).open("a") as known:
            known.write(f"{session}\n")

    # --- good things --------------------------------------------------------------------------------

    async def do_say(self, first: str, rest: str = "") -> None:
        for word in f"{first} {rest}".strip().split(" "):
            await self.client.session_update(self.session, acp.update_agent_message_text(f"{word} "))

    async def do_ids(self) -> None:
        await self.do_say(f"{self.session} {self.mode} {self.cwd}")

    async def do_first(self, word: str, rest: str = "") -> None:
        """Only in a new session: a loaded one remembers that it did it."""
        if not self.loaded:
            await getattr(self, f"do_{word}")(*(rest.split(" ", 1) if rest else []))

    async def do_env(self, name: str) -> None:
        await self.do_say(f"[{os.environ.get(name, '')}]")

    async def do_call(self, tool: str, given: str = "{}") -> None:
        """Call a tool of the space with these arguments, and say what it answers; FOLDER is the working directory."""
        if "flowide" not in self.servers:
            await self.do_say("(no server)")
            return
        from mcp import Client
        from mcp.client.stdio import stdio_client

        async with Client(stdio_client(self._server()), mode="legacy") as client:
            if tool == "tools":
                names = sorted(each.name for each in (await client.list_tools()).tools)
                await self.do_say(" ".join(names))
                return
            result = await client.call_tool(tool, json.loads(given.replace("FOLDER", str(self.cwd))))
        told = json.dumps(result.structured_content)
        await self.do_say(f"refused: {told}" if result.is_error else told)

    def _server(self) -> Any:
        """As agents start one: with a few variables of their own, and those they were told."""
        from mcp import StdioServerParameters

        given = self.servers["flowide"]
        env = {each.name: each.value for each in given.env}
        return StdioServerParameters(command=given.command, args=given.args, env=env)

    async def do_knock(self, times: str = "1") -> None:
        """Go to the door of the space with a wrong secret."""
        port = self._server().env["FLOWIDE_SPACE"].partition(":")[0]
        for _ in range(int(times)):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            writer.write(b"not-the-secret\n" + json.dumps(hello).encode() + b"\n")
            await self.do_say(f"[{(await reader.read()).decode()}]")
            writer.close()

    async def do_secret(self) -> None:
        """Blurt out what the server is started with."""
        await self.do_say(self.servers["flowide"].env[0].value)
        await self.do_tool("a.txt", self.servers["flowide"].env[0].value)

    async def do_think(self, *words: str) -> None:
        await self.client.session_update(self.session, acp.update_agent_thought_text(" ".join(words)))

    async def do_plan(self, *words: str) -> None:
        entries = [acp.plan_entry(word, status="completed") for word in words]
        await self.client.session_update(self.session, acp.update_plan(entries))

    async def do_tool(self, path: str, text: str = "") -> None:
        """Tell of an edit, and make it."""
        await self.client.session_update(
            self.session,
            acp.start_tool_call("t1", f"Edit {path}", kind="edit", status="in_progress"),
        )
        diff = FileEditToolCallContent(type="diff", path=str(self.cwd / path), old_text="", new_text=text)
        await self.do_write(path, text)
        await self.client.session_update(
            self.session, acp.update_tool_call("t1", status="completed", content=[diff])
        )

    async def do_write(self, path: str, text: str = "") -> None:
        file = self.cwd / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("\\n", "\n"))
        except OSError as error:
            await self.do_say(f"(no: {error.strerror})")

    async def do_append(self, path: str, text: str = "") -> None:
        """In place: the same file, not a new one."""
        with (self.cwd / path).open("a") as file:
            file.write(text.replace("\\n", "\n"))

    async def do_binary(self, path: str) -> None:
        (self.cwd / path).write_bytes(bytes(range(256)))

    async def do_delete(self, path: str) -> None:
        (self.cwd / path).unlink()

    async def do_rename(self, path: str, to: str) -> None:
        (self.cwd / to).parent.mkdir(parents=True, exist_ok=True)
        (self.cwd / path).rename(self.cwd / to)

    async def do_program(self, path: str) -> None:
        (self.cwd / path).chmod(0o755)

    async def do_link(self, path: str, to: str) -> None:
        (self.cwd / path).symlink_to(to)

    async def do_fswrite(self, path: str, text: str = "") -> None:
        try:
            await self.client.write_text_file(
                session_id=self.session, path=str(self.cwd / path), content=text
            )
        except acp.RequestError as error:
            await self.do_say(f"(refused: {error})")

    async def do_fsread(self, path: str) -> None:
        try:
            found = await self.client.read_text_file(session_id=self.session, path=str(self.cwd / path))
            await self.do_say(found.content)
        except acp.RequestError as error:
            await self.do_say(f"(refused: {error})")

    async def do_run(self, *command: str) -> None:
        made = await self.client.create_terminal(session_id=self.session, command=" ".join(command))
        ended = await self.client.wait_for_terminal_exit(
            session_id=self.session, terminal_id=made.terminal_id
        )
        shown = await self.client.terminal_output(session_id=self.session, terminal_id=made.terminal_id)
        await self.client.release_terminal(session_id=self.session, terminal_id=made.terminal_id)
        await self.do_say(f"{shown.output.strip()} ({ended.exit_code})")

    async def do_reach(self, path: str) -> None:
        """Ask to edit a file, by its path."""
        await self.do_permit("edit", "a file", path)

    async def do_permit(self, kind: str, title: str = "", path: str = "") -> None:
        """Ask; what follows is done only if it was allowed."""
        raw = {} if path else {"command": title}
        await self._ask(title, kind, raw, path)

    async def do_asktool(self, *title: str) -> None:
        """Ask to use a tool, by what this kind of agent calls it; codex says it in what it sends along."""
        named = " ".join(title)
        asked = {"server_name": "flowide", "request": {"message": named}}
        if named.startswith("Allow"):
            await self._ask("Approve MCP tool call", "other", asked)
        else:
            await self._ask(named, "other", {})

    async def _ask(self, title: str, kind: str, raw: dict[str, Any], path: str = "") -> None:
        places = [ToolCallLocation(path=path)] if path else None
        options = [
            PermissionOption(option_id="x1", name="Never", kind="reject_once"),
            PermissionOption(option_id="x2", name="For ever", kind="allow_always"),
            PermissionOption(option_id="x3", name="Now", kind="allow_once"),
        ]
        call = acp.update_tool_call("p1", title=title, kind=kind, raw_input=raw, locations=places)  # type: ignore[arg-type]
        told = await self.client.request_permission(session_id=self.session, tool_call=call, options=options)
        chosen = told.outcome.option_id if isinstance(told.outcome, AllowedOutcome) else "cancelled"
        denied = chosen in ("x1", "cancelled")
        if denied and "--sulk" in sys.argv:
            raise Told(sys.argv[sys.argv.index("--sulk") + 1])
        await self.do_say(f"<{chosen}>")
        if denied:
            raise Told("end_turn")

    async def do_stop(self, reason: str) -> None:
        raise Told(reason)

    async def do_sleep(self, seconds: str) -> None:
        await asyncio.sleep(float(seconds))

    # --- bad things ---------------------------------------------------------------------------------

    async def do_flood(self, kilobytes: str) -> None:
        for _ in range(int(kilobytes)):
            sys.stderr.write("x" * 1023 + "\n")
        sys.stderr.flush()

    async def do_noise(self, *words: str) -> None:
        os.write(
            1,
            (
                " ".join(words) + '\n[1, 2]\n{"jsonrpc": "2.0", "method": "session/update", '
                '"params": {"sessionId": "s", "update": {"sessionUpdate": "of_the_future"}}}\n'
            ).encode(),
        )

    async def do_break(self) -> None:
        os.write(1, b'{"jsonrpc": "2.0", "method": "session/upd')
        os._exit(3)

    async def do_exit(self, code: str = "0") -> None:
        sys.stderr.write("I give up: key sk-abcdefghijklmnop is bad\n")
        sys.stderr.flush()
        os._exit(int(code))

    async def do_hang(self) -> None:
        """Until cancelled; with --deaf for ever, and nothing ends it but force."""
        if "--deaf" in sys.argv:
            import signal

            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(each, signal.SIG_IGN)
            await asyncio.sleep(3600)
        await self.cancelled.wait()
        raise Told("cancelled")

    async def do_fork(self) -> None:
        """A child that leaves the group, ignores what can be ignored, and holds the pipes."""
        script = f"trap '' TERM HUP INT; env -i sleep {MARK} & sleep {MARK}"
        subprocess.Popen(["setsid", "sh", "-c", script])  # noqa: ASYNC220 - it is to outlive everything
        await asyncio.sleep(0.3)

    async def do_error(self, *words: str) -> None:
        raise acp.RequestError(-32603, " ".join(words))


if __name__ == "__main__":
    asyncio.run(acp.run_agent(cast(acp.Agent, Doer())))
