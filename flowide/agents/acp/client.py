"""FlowIDE as an agent sees it: it tells what it does, asks for permission, reads and writes, runs commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from flowide.agents.acp import inside
from flowide.agents.acp.desk import Answer, Question, Seat
from flowide.agents.acp.own_tools import tool_of
from flowide.agents.acp.recipes import Recipe
from flowide.agents.acp.telling import ToolCalls, plan_of
from flowide.agents.acp.terminals import Shown, Terminals, TooMany
from flowide.agents.api import Delta, Progress, ReasoningDelta, TextDelta
from flowide.errors import FlowError, Incomplete
from flowide.text import one_line

MAX_TEXT = 4 * 1024 * 1024
"""Characters that an agent may say in a turn."""
_KINDS: dict[Answer, tuple[str, ...]] = {
    # What FlowIDE remembers itself is answered once each time: an agent that is told "always" asks nobody any
    # more, and may note that in its own settings.
    "once": ("allow_once",),
    "session": ("allow_once", "allow_always"),
    "always": ("allow_once", "allow_always"),
    "deny": ("reject_once", "reject_always"),
}


class Client:
    """The client side of one turn. Methods are named as the library calls them."""

    def __init__(
        self, seat: Seat, recipe: Recipe, terminals: Terminals, emit: Callable[[Delta], None]
    ) -> None:
        self._seat, self._recipe, self._terminals, self._emit = seat, recipe, terminals, emit
        self._calls = ToolCalls(seat.folder, self._output)
        self._parts: list[str] = []
        self._size = 0
        self._fresh = True
        self.listening = False
        """Whether what is told belongs to this turn; what a loaded session repeats does not."""
        self.mode: str | None = None
        self.usage: dict[str, Any] = {}
        self.stop: asyncio.Future[FlowError] = asyncio.get_running_loop().create_future()
        """Why the turn must end; set at most once."""
        self.denied = ""
        """What it was denied last; empty = nothing."""
        self._questions = 0
        self._asked_at = 0.0
        self._spent = 0.0

    def spent_s(self) -> float:
        """Seconds so far in which a person was asked; they are nobody's fault."""
        now = asyncio.get_running_loop().time()
        return self._spent + (now - self._asked_at if self._questions else 0.0)

    @property
    def text(self) -> str:
        """All that was said."""
        return "".join(self._parts).strip()

    @property
    def last_words(self) -> str:
        """What was said since it last did something."""
        return self._parts[-1].strip() if self._parts else ""

    def end(self) -> None:
        """The turn is over."""
        for each in self._calls.end():
            self._emit(each)

    def on_connect(self, connection: Any) -> None:
        """Nothing is needed of the connection."""

    # --- what it tells ------------------------------------------------------------------------------

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Text, thoughts, tool calls, plans, modes."""
        if not self.listening:
            return
        match update.session_update:
            case "agent_message_chunk":
                self._say(getattr(update.content, "text", None) or "")
            case "agent_thought_chunk":
                text = getattr(update.content, "text", None)
                if text:
                    self._emit(ReasoningDelta(text))
            case "tool_call" | "tool_call_update":
                self._fresh = True
                told = self._calls.update(update)
                if told is not None:
                    self._emit(told)
            case "plan":
                self._emit(plan_of(update.entries))
            case "current_mode_update":
                self.mode = update.current_mode_id
                self._emit(Progress("mode", "mode", f"it works in mode {update.current_mode_id[:100]} now"))
            case "usage_update":
                cost = getattr(update, "cost", None)
                if cost is not None and getattr(cost, "currency", "") == "USD":
                    self.usage["cost"] = cost.amount

    def _say(self, text: str) -> None:
        if not text:
            return
        self._size += len(text)
        if self._size > MAX_TEXT:
            self._end(Incomplete(f"it said more than {MAX_TEXT} characters", hint="Try again."))
            return
        if self._fresh and self._parts:
            self._parts[-1] += "\n\n"
            self._emit(TextDelta("\n\n"))
        if self._fresh:
            self._parts.append("")
        self._fresh = False
        self._parts[-1] += text
        self._emit(TextDelta(text))

    def _end(self, why: FlowError) -> None:
        if not self.stop.done():
            self.stop.set_result(why)

    def _output(self, terminal: str) -> str:
        shown = self._terminals.shown(terminal)
        return "" if shown is None else shown.output

    # --- what it asks -------------------------------------------------------------------------------

    async def request_permission(self, session_id: str, tool_call: Any, options: list[Any], **_: Any) -> Any:
        """Ask a person, or a rule; the option is chosen by what it means, not by where it stands."""
        from acp.schema import AllowedOutcome, DeniedOutcome, RequestPermissionResponse

        told = self._calls.update(tool_call)
        if told is not None:
            self._emit(told)
        question = self._question(tool_call)
        answer = await self._answer(question)
        if answer == "deny":
            what = question.command or ", ".join(question.paths) or question.title
            self.denied = one_line(f"{question.kind}: {what}", 200)
        for kind in _KINDS[answer]:
            for option in options:
                if option.kind == kind:
                    chosen = AllowedOutcome(outcome="selected", option_id=option.option_id)
                    return RequestPermissionResponse(outcome=chosen)
        return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))

    def _question(self, call: Any) -> Question:
        told = self._calls.known(call)
        data = told.data
        return Question(
            kind=data["kind"],
            title=told.title,
            command=data.get("command", ""),
            paths=data.get("paths", [])[:20],
            diff=data.get("diff", ""),
            tool=tool_of(call, data, self._seat.tools),
        )

    async def _answer(self, question: Question) -> Answer:
        if self.stop.done():
            return "deny"
        clock = asyncio.get_running_loop().time
        if not self._questions:
            self._asked_at = clock()
        self._questions += 1
        try:
            return await self._seat.permit(question)
        except FlowError as error:
            self._end(error)
            return "deny"
        finally:
            self._questions -= 1
            if not self._questions:
                self._spent += clock() - self._asked_at

    # --- files --------------------------------------------------------------------------------------

    async def read_text_file(
        self, session_id: str, path: str, line: int | None = None, limit: int | None = None, **_: Any
    ) -> Any:
        """A text of its folder, or so many lines of it from the 1-based `line`."""
        from acp import RequestError
        from acp.schema import ReadTextFileResponse

        try:
            data = await asyncio.to_thread(inside.read, self._seat.folder, path)
        except FileNotFoundError:
            if self._recipe.missing_file == "empty":
                return ReadTextFileResponse(content="")
            raise RequestError.resource_not_found(path) from None
        except inside.Outside as error:
            raise self._refused(str(error)) from None
        text = data.decode("utf-8", "replace")
        if line is not None or limit is not None:
            first = max(0, (line or 1) - 1)
            lines = text.splitlines(keepends=True)
            text = "".join(lines[first : None if limit is None else first + limit])
        return ReadTextFileResponse(content=text)

    async def write_text_file(self, session_id: str, path: str, content: str, **_: Any) -> Any:
        """Write a text into its folder, and nowhere else."""
        from acp.schema import WriteTextFileResponse

        try:
            await asyncio.to_thread(inside.write, self._seat.folder, path, content.encode())
        except (inside.Outside, FileNotFoundError, UnicodeEncodeError) as error:
            raise self._refused(str(error)) from None
        return WriteTextFileResponse()

    def _refused(self, why: str) -> Exception:
        from acp import RequestError

        self._emit(Progress("note", "refused", why[:500], "failed"))
        return RequestError.invalid_params({"details": why, "folder": str(self._seat.folder)})

    # --- commands -----------------------------------------------------------------------------------

    async def create_terminal(
        self,
        session_id: str,
        command: str,
        args: list[str] | None = None,
        env: list[Any] | None = None,
        cwd: str | None = None,
        output_byte_limit: int | None = None,
        **_: Any,
    ) -> Any:
        """Start a command, confined like the agent."""
        from acp import RequestError
        from acp.schema import CreateTerminalResponse

        given = {each.name: each.value for each in env or []}
        try:
            id = await self._terminals.create(command, args or [], given, cwd, output_byte_limit)
        except (TooMany, OSError, ValueError) as error:
            raise RequestError.invalid_params({"details": str(error)}) from None
        return CreateTerminalResponse(terminal_id=id)

    async def terminal_output(self, session_id: str, terminal_id: str, **_: Any) -> Any:
        """What it shows now."""
        from acp.schema import TerminalOutputResponse

        shown = self._shown(terminal_id, self._terminals.shown(terminal_id))
        status = None if shown.code is None else _exit_status(shown.code)
        return TerminalOutputResponse(output=shown.output, truncated=shown.cut, exit_status=status)

    async def wait_for_terminal_exit(self, session_id: str, terminal_id: str, **_: Any) -> Any:
        """How it ended."""
        from acp.schema import WaitForTerminalExitResponse

        shown = self._shown(terminal_id, await self._terminals.wait(terminal_id))
        status = _exit_status(shown.code or 0)
        return WaitForTerminalExitResponse(exit_code=status.exit_code, signal=status.signal)

    async def kill_terminal(self, session_id: str, terminal_id: str, **_: Any) -> Any:
        """End the command."""
        from acp.schema import KillTerminalResponse

        await self._terminals.kill(terminal_id)
        return KillTerminalResponse()

    async def release_terminal(self, session_id: str, terminal_id: str, **_: Any) -> Any:
        """End the command and forget it."""
        from acp.schema import ReleaseTerminalResponse

        await self._terminals.release(terminal_id)
        return ReleaseTerminalResponse()

    def _shown(self, id: str, shown: Shown | None) -> Shown:
        from acp import RequestError

        if shown is None:
            raise RequestError.resource_not_found(id)
        return shown

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """FlowIDE has no methods of its own."""
        from acp import RequestError

        raise RequestError.method_not_found(f"_{method}")

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        """What other agents and editors have agreed on is passed over."""


def _exit_status(code: int) -> Any:
    import signal

    from acp.schema import TerminalExitStatus

    if code >= 0:
        return TerminalExitStatus(exit_code=code)
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    return TerminalExitStatus(signal=name)
