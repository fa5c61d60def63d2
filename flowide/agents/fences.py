"""Finds the fenced blocks of a reply (CommonMark 4.5, and what models make of it)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from msgspec import Struct

from flowide.patterns import lazy

_FENCE = lazy(r"^(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$")

_ALIASES = {
    "python": "py python3 py3 pyi python-repl",
    "typescript": "ts mts cts",
    "tsx": "",
    "javascript": "js mjs cjs node jsx",
    "go": "golang",
    "rust": "rs",
    "java": "",
    "markdown": "md mdx mdown mkd gfm",
    "json": "json5 jsonc",
    "yaml": "yml",
    "text": "txt plain plaintext",
    "bash": "sh shell console zsh",
    "diff": "patch udiff",
}
_LANGUAGE = {alias: name for name, aliases in _ALIASES.items() for alias in [name, *aliases.split()]}


class Block(Struct, frozen=True):
    """A fenced block."""

    language: str
    """Our name of the language its tag or file name stands for; empty without either."""
    path: str
    """File name in the info string, if there is one."""
    text: str
    """What is between the fences, without their indentation."""
    closed: bool
    """False = the reply ends inside the block."""
    start: int
    """Line of the opening fence, from 0."""
    end: int
    """Line of the closing fence; the number of lines when there is none."""


class _Fence(Struct, frozen=True):
    line: int
    indent: int
    mark: str
    length: int
    info: str


def language_named(tag: str) -> str:
    """Our name of a language: `py` is python; an unknown tag is its own name."""
    return _LANGUAGE.get(tag.lower(), tag.lower())


def is_known(language: str) -> bool:
    """Whether this is the name of a language that tags stand for; a file name or a nickname is not."""
    return language in _ALIASES


def blocks_of(reply: str) -> list[Block]:
    """The fenced blocks in the order they stand.

    Fences inside a block count when they open with a tag and are closed again, so that a Markdown document with
    code in it survives in a fence of the same length.
    """
    lines = reply.split("\n")
    fences = [fence for number, line in enumerate(lines) if (fence := _fence(number, line))]
    found = []
    position = 0
    while position < len(fences):
        opening = fences[position]
        language, path = _tag(opening.info)
        inside = [f for f in fences[position + 1 :] if _may_concern(f, opening)]
        closing = _closing(inside, greedy=language == "markdown")
        end = closing.line if closing else len(lines)
        text = "\n".join(_dedented(line, opening.indent) for line in lines[opening.line + 1 : end])
        found.append(
            Block(language, path, text + "\n" if text else "", closing is not None, opening.line, end)
        )
        position += 1
        while position < len(fences) and fences[position].line <= end:
            position += 1
    return found


def _fence(number: int, line: str) -> _Fence | None:
    match = _FENCE.match(line.rstrip())
    if match is None:
        return None
    marks, info = match["marks"], match["info"].strip()
    if "`" in info and marks[0] == "`":
        return None  # inline code that happens to begin a line
    return _Fence(number, len(match["indent"].expandtabs(4)), marks[0], len(marks), info)


def _may_concern(fence: _Fence, opening: _Fence) -> bool:
    """Whether a later fence can close the opening one, or nest in it; the others are its content."""
    return (
        fence.mark == opening.mark and fence.length >= opening.length and fence.indent <= opening.indent + 1
    )


def _closing(fences: list[_Fence], *, greedy: bool) -> _Fence | None:
    """The fence that closes a block, so that what is inside and what follows both make sense.

    A document takes as much as it can (`greedy`), code as little.
    """
    bare = [number for number, fence in enumerate(fences) if not fence.info]
    balanced_to = _prefix_balance(fences)
    for number in reversed(bare) if greedy else bare:
        if balanced_to[number] and _balanced(fences[number + 1 :]):
            return fences[number]
    return None


def _prefix_balance(fences: list[_Fence]) -> list[bool]:
    """For each position, whether the fences before it are pairs."""
    answer, is_open = [], False
    for fence in fences:
        answer.append(not is_open)
        is_open = _next(is_open, fence)
    return answer


def _balanced(fences: list[_Fence]) -> bool:
    is_open = False
    for fence in fences:
        is_open = _next(is_open, fence)
    return not is_open


def _next(is_open: bool, fence: _Fence) -> bool:
    """Whether a block is open after this fence: a tagged one cannot close."""
    return bool(fence.info) if is_open else True


def _tag(info: str) -> tuple[str, str]:
    """Language and file name in an info string: `python`, `py title="x.py"`, `src/x.py`, `python:src/x.py`, `{.py}`."""
    words = [word for word in re.split(r"[\s,:={}\"']+", info) if word]
    path = next((word for word in words if re.search(r"\w\.[A-Za-z]\w{0,7}$", word)), "")
    first = words[0].lstrip(".") if words else ""
    if first and first != path:
        return language_named(first), path
    return (language_named(PurePosixPath(path).suffix.lstrip(".")) if path else "", path)


def _dedented(line: str, columns: int) -> str:
    """The line without so many columns of indentation, as far as it has them."""
    column = 0
    for index, char in enumerate(line):
        if column >= columns or char not in " \t":
            return line[index:]
        column += 4 - column % 4 if char == "\t" else 1
    return ""
