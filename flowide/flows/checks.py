"""Checks of one variation: built-in ones, and commands run on a private copy that holds it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import Any

from msgspec import Struct

from flowide.domain.commands import RecordCheck
from flowide.patterns import lazy
from flowide.project.folder import ProjectFolder

_NAMED = lazy(r"([A-Za-z][\w.-]{0,30}):\s+(\S.*)", re.S)
PARSES = "parses"


class CheckCommand(Struct, frozen=True):
    """A command that says by its exit code whether a variation is good."""

    name: str
    command: str


def commands_of(lines: list[str] | str) -> list[CheckCommand]:
    """`name: command` or just a command a line; names are made unique."""
    found: list[CheckCommand] = []
    for line in lines.splitlines() if isinstance(lines, str) else lines:
        if not line.strip():
            continue
        named = _NAMED.fullmatch(line.strip())
        name, command = (named[1], named[2]) if named else (_name_of(line), line.strip())
        taken = {each.name for each in found} | {PARSES}
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}-{number}", number + 1
        found.append(CheckCommand(unique, command))
    return found


def _name_of(command: str) -> str:
    """The word of a command line that says most: `pytest`, `mypy`, `make test` is `test`."""
    try:
        words = [word for word in shlex.split(command) if not word.startswith("-") and "=" not in word]
    except ValueError:
        words = command.split()
    while len(words) > 1 and re.fullmatch(
        r"(.*/)?(python[\d.]*|sh|bash|make|npm|npx|run|uv|env|node|go|cargo)", words[0]
    ):
        words.pop(0)
    name = re.sub(r"[^\w.-]+", "-", words[0].rsplit("/", 1)[-1] if words else "check").strip("-")
    return name[:30] or "check"


def parse_check(set: str, number: int, text: str, path: str) -> RecordCheck:
    """The built-in check: does it parse, and how long is it?"""
    from flowide.pieces import language_of

    language = language_of(path)
    ok = language is None or parses(text.encode(), path)
    return RecordCheck(
        set=set,
        number=number,
        name=PARSES,
        status="passed" if ok else "failed",
        duration_ms=0,
        metrics={"lines": text.count("\n") + (not text.endswith("\n")), "bytes": len(text.encode())},
        output="" if ok else f"the text does not parse as {language}",
    )


def parses(source: bytes, path: str) -> bool:
    """Whether a text is without syntax errors; True for languages that cannot be parsed here."""
    from flowide.errors import BadInput
    from flowide.pieces import language_of
    from flowide.pieces.languages import parse

    language = language_of(path)
    if language is None or language == "markdown":
        return True
    try:
        return not parse(source, language).root_node.has_error
    except BadInput:
        return False


async def run_checks(
    folder: ProjectFolder,
    set: str,
    number: int,
    text: str,
    path: str,
    commands: list[CheckCommand],
    *,
    timeout_s: float,
) -> list[RecordCheck]:
    """Run commands one after the other in one private copy of the project that holds the variation."""
    if not commands:
        return []
    from flowide.flows import sandbox

    found: list[RecordCheck] = []
    async with sandbox.private_copy(folder.root, folder.scan(), {path: text.encode()}) as copy:
        for each in commands:
            outcome = await sandbox.run(_with_this_python(each.command), copy, timeout_s=timeout_s)
            found.append(
                RecordCheck(
                    set=set,
                    number=number,
                    name=each.name,
                    status=outcome.status,
                    duration_ms=outcome.duration_ms,
                    metrics=metrics_of(outcome.output)
                    | ({"exit_code": outcome.exit_code} if outcome.exit_code else {}),
                    output=outcome.output[-8192:],
                )
            )
    return found


def _with_this_python(command: str) -> str:
    """A leading `python` that is nowhere on the PATH is the one FlowIDE runs on: bare systems have only `python3`."""
    named = re.match(r"python3?(?=\s)", command)
    import shutil

    if named is None or shutil.which(named[0]) is not None:
        return command
    return shlex.quote(sys.executable) + command[named.end() :]


def metrics_of(output: str) -> dict[str, Any]:
    """Numbers from the last line of an output that is a JSON object."""
    for line in reversed(output.splitlines()[-20:]):
        if line.startswith("{") and line.endswith("}"):
            try:
                value = json.loads(line, parse_constant=lambda _: None)
            except ValueError:
                continue
            if isinstance(value, dict):
                return {
                    str(name)[:60]: number
                    for name, number in list(value.items())[:20]
                    if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < 1e15
                }
    return {}
