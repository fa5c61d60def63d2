"""An agent whose answers were written beforehand: no model, no network, the same every time.

A script is a YAML file beside the agent file:

    pace: 900            # characters a second; 0 = at once
    chunk: 24            # characters at a time
    replies:             # the first that fits answers
      - on: vary         # purpose, a list of purposes, or '*'
        when: test-app   # optional pattern, searched in the last user message
        files: [a.md, b.md]   # or file, text, texts; the turn chooses, from the first again after the last
      - on: draft
        calls: [{tool: git/git_log, arguments: {repo_path: .}}]   # asked for first; the text follows the results
        text: …
      - on: critique
        fail: incomplete # for tests: incomplete, unavailable, auth, or retry (breaks off, then answers)
        times: 2         # after so many failures the entry's own text answers, else the next entry that fits
        text: …
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from flowide.agents.api import Delta, Finished, Message, Request, Retrying, TextDelta, ToolCall, Usage
from flowide.agents.definition import AgentDefinition
from flowide.agents.tools.naming import function_name
from flowide.agents.yaml_file import YamlFile, read_text
from flowide.errors import AuthFailed, BadInput, Incomplete, Unavailable

PACE_VARIABLE = "FLOWIDE_SCRIPTED_PACE"
"""Environment variable that overrides every script's pace."""
AT_ONCE_CHARS = 256
"""Without a pace, chunks are at least this long."""

_HINTS = {
    "on": "The purpose this reply is for, for example: on: vary",
    "fail": "One of: incomplete, unavailable, auth, retry.",
    "texts": "A list of texts.",
    "files": "A list of file names.",
}


class ScriptedCall(Struct, forbid_unknown_fields=True, kw_only=True):
    """A tool that an agent asks for."""

    tool: str
    """`server/tool`."""
    arguments: dict[str, Any] = {}


class Reply(Struct, forbid_unknown_fields=True, kw_only=True):
    """An entry of a script."""

    on: str | list[str]
    when: str | None = None
    text: str | None = None
    texts: list[str] = []
    file: str | None = None
    files: list[str] = []
    fail: Literal["incomplete", "unavailable", "auth", "retry"] | None = None
    times: int | None = None
    calls: list[ScriptedCall] = []
    """Asked for before the text, when they are offered."""


class Script(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a scripted agent says."""

    pace: float = 0
    """Characters a second; 0 = at once."""
    chunk: int = 24
    """Characters at a time."""
    replies: list[Reply] = field(default_factory=list)


class _Entry(Struct):
    purposes: list[str]
    when: re.Pattern[str] | None
    texts: list[str]
    fail: str | None
    times: int | None
    calls: list[ScriptedCall]
    failed: int = 0


class ScriptedBackend:
    """Answers from a script."""

    def __init__(self, definition: AgentDefinition, env: Mapping[str, str] | None = None) -> None:
        """The script is read at the first call."""
        self._definition = definition
        self._env = env or {}
        self._script: tuple[float, int, list[_Entry]] | None = None

    async def check(self) -> None:
        """Raise BadInput when the script cannot be used."""
        self._load()

    async def close(self) -> None:
        """Nothing runs between calls."""

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """Yield the scripted answer at the script's pace.

        Raises:
            BadInput: The script is wrong or has no reply for this purpose.
            AuthFailed, Incomplete, Unavailable: The script says so, or its pace misses the deadline.
        """
        pace, chunk, entries = self._load()
        entry, fault = self._choose(entries, request)
        text = entry.texts[(request.turn - 1) % len(entry.texts)] if entry.texts else ""
        if fault == "auth":
            raise AuthFailed(f"@{request.agent} has no key, says its script", agent=request.agent)
        if fault == "unavailable":
            raise Unavailable(f"@{request.agent} does not answer, says its script", agent=request.agent)

        until = asyncio.get_running_loop().time() + request.deadline_s
        attempts = 1
        if fault in ("incomplete", "retry"):
            async for delta in _paced(text[: len(text) // 2], pace, chunk, until):
                yield delta
            if fault == "incomplete":
                raise Incomplete(
                    f"the reply of @{request.agent} breaks off, says its script", agent=request.agent
                )
            attempts = 2
            yield Retrying(attempts, "the reply broke off, says the script", 0)
        asked = sum(len(message.content) for message in request.messages)
        used = Usage(asked // 4, len(text) // 4, 0)
        model = f"scripted/{self._definition.handle}"
        calls = _calls(entry, request)
        if calls:
            yield Finished("", model, used, attempts, calls)
            return
        async for delta in _paced(text, pace, chunk, until):
            yield delta
        yield Finished(text, model, used, attempts)

    def _choose(self, entries: list[_Entry], request: Request) -> tuple[_Entry, str | None]:
        asked = next((m.content for m in reversed(_before_tools(request)) if m.role == "user"), "")
        for entry in entries:
            if not {"*", request.purpose} & set(entry.purposes):
                continue
            if entry.when is not None and not entry.when.search(asked):
                continue
            if entry.fail is None:
                return entry, None
            if entry.times is None or entry.failed < entry.times:
                entry.failed += 1
                return entry, entry.fail
            if entry.texts:
                return entry, None
        raise BadInput(
            f"the script of @{self._definition.handle} has no reply for '{request.purpose}'",
            hint=f"Add an entry 'on: {request.purpose}' to {self._definition.script}.",
            agent=self._definition.handle,
            purpose=request.purpose,
            script=self._definition.script,
        )

    def _load(self) -> tuple[float, int, list[_Entry]]:
        if self._script is None:
            path = Path(self._definition.script or "")
            if not self._definition.script:
                raise BadInput(
                    f"@{self._definition.handle} has no script", hint="Add 'script: …' to its agent file."
                )
            source = YamlFile(read_text(path), str(path))
            script = source.convert(Script, _HINTS)
            if script.pace < 0 or script.chunk < 1:
                wrong = "pace" if script.pace < 0 else "chunk"
                source.bad((wrong,), f"{wrong} is out of range", "pace is at least 0, chunk at least 1.")
            entries = [
                _entry(source, number, reply, path.parent) for number, reply in enumerate(script.replies)
            ]
            self._script = (self._pace(script.pace), script.chunk, entries)
        return self._script

    def _pace(self, scripted: float) -> float:
        given = self._env.get(PACE_VARIABLE, "")
        if not given:
            return scripted
        try:
            pace = float(given)
        except ValueError:
            pace = -1
        if not 0 <= pace < float("inf"):
            raise BadInput(f"{PACE_VARIABLE} is '{given}'", hint="Characters a second; 0 = at once.")
        return pace


def _entry(source: YamlFile, number: int, reply: Reply, folder: Path) -> _Entry:
    route = ("replies", number)
    given = [name for name in ("text", "texts", "file", "files") if getattr(reply, name) not in (None, [])]
    if len(given) > 1:
        source.bad((*route, given[1]), f"'{given[0]}' and '{given[1]}' in one reply", "Keep one of them.")
    for at, call in enumerate(reply.calls):
        if "/" not in call.tool:
            source.bad((*route, "calls", at, "tool"), "a tool is written server/tool", "tool: git/git_log")
    if not given and reply.fail in (None, "retry"):
        source.bad(route, "this reply says nothing", "Add one of: text, texts, file, files.")
    when = None
    if reply.when is not None:
        try:
            when = re.compile(reply.when)
        except re.error as error:
            source.bad(
                (*route, "when"), f"the pattern is wrong: {error}", "It is a Python regular expression."
            )
    texts = [reply.text] if reply.text is not None else list(reply.texts)
    for index, name in enumerate([reply.file] if reply.file is not None else reply.files):
        path = folder / name
        if not path.is_file():
            place = (*route, "file") if reply.file is not None else (*route, "files", index)
            source.bad(place, f"{path} does not exist", "File names are relative to the script.")
        texts.append(read_text(path))
    purposes = [reply.on] if isinstance(reply.on, str) else reply.on
    return _Entry(purposes, when, texts, reply.fail, reply.times, reply.calls)


def _before_tools(request: Request) -> list[Message]:
    """What the agent was told before it asked for anything."""
    at = next((at for at, message in enumerate(request.messages) if message.tool_calls), None)
    return request.messages[:at]


def _calls(entry: _Entry, request: Request) -> list[ToolCall]:
    """What the entry asks for and is offered; nothing once it was asked for."""
    if len(_before_tools(request)) < len(request.messages):
        return []
    offered = {tool.name for tool in request.tools}
    named = [(function_name(*each.tool.split("/", 1)), each.arguments) for each in entry.calls]
    return [
        ToolCall(f"call_{at}", name, arguments)
        for at, (name, arguments) in enumerate(named, 1)
        if name in offered
    ]


async def _paced(text: str, pace: float, chunk: int, until: float) -> AsyncIterator[TextDelta]:
    """Yield the text in chunks, each when the pace allows it. Raises Unavailable at `until` (loop time)."""
    clock = asyncio.get_running_loop().time
    started = clock()
    size = chunk if pace else max(chunk, AT_ONCE_CHARS)
    for start in range(0, len(text), size):
        part = text[start : start + size]
        due = started + (start + len(part)) / pace if pace else 0.0
        await asyncio.sleep(max(0.0, min(due, until) - clock()))
        if due > until:
            raise Unavailable("the script's pace is too slow for the deadline", hint="Raise the pace.")
        yield TextDelta(part)
