"""TOML files whose mistakes are told with line and column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowide.errors import BadInput

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = rf"\s*\[\s*({_DOTTED})\s*\]"
_ENTRY = rf"\s*({_DOTTED})\s*="


class TomlFile:
    """A file that was read."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that is missing is empty.

        Raises:
            BadInput: It cannot be read, or is no TOML.
        """
        self.path = path
        self.table: dict[str, Any] = {}
        self._text = ""
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise BadInput(
                f"{path}: cannot be read: {error.strerror}", hint="Check its permissions."
            ) from error
        try:
            self._text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line, column = _place(raw[: error.start].decode())
            raise BadInput(
                f"{path}:{line}:{column}: this is no UTF-8", hint="Save the file as UTF-8."
            ) from error
        self._parse()

    def _parse(self) -> None:
        import tomllib

        try:
            self.table = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            line, column = (place[1], place[2]) if place else _place(self._text)
            said = re.sub(r" ?\(at .*\)", "", str(error))
            raise BadInput(
                f"{self.path}:{line}:{column}: {said}",
                hint='The file is TOML: [section], then key = "value".',
            ) from error

    def refuse(
        self, route: Sequence[str], said: str, *, hint: str, value: bool = False, **data: Any
    ) -> BadInput:
        """The refusal of a key, or with `value` of what it is set to."""
        line, column = self._where(tuple(route), value)
        return BadInput(
            f"{self.path}:{line}:{column}: {said}", hint=hint, file=str(self.path), line=line, **data
        )

    def _where(self, route: tuple[str, ...], value: bool) -> tuple[int, int]:
        """Line and column, as far as they can be told without a parser that keeps them."""
        nearest = (1, 1)
        section: tuple[str, ...] = ()
        for number, line in enumerate(self._text.splitlines(), 1):
            header = re.match(_HEADER, line)
            entry = None if header else re.match(_ENTRY, line)
            if header:
                section = _parts(header[1])
                full, start = section, header.start(1)
            elif entry:
                full, start = section + _parts(entry[1]), entry.start(1)
            else:
                continue
            if full == route:
                at = len(line) - len(line[entry.end() :].lstrip()) if entry and value else start
                return number, at + 1
            if full == route[: len(full)]:
                inside = re.search(rf"\b{re.escape(route[-1])}\s*=", line[entry.end() :]) if entry else None
                nearest = (number, (entry.end() + inside.start() if entry and inside else start) + 1)
        return nearest


def edited(text: str, section: str, key: str, literal: str | None) -> str:
    """A TOML text with one value of a section set to a literal, or taken out when that is None; all else stays."""
    lines = text.splitlines(keepends=True)
    inside: list[int] = []
    start: int | None = None
    at: tuple[str, ...] | None = ()
    for number, line in enumerate(lines):
        header = re.match(_HEADER, line)
        if header or line.lstrip().startswith("["):
            at = _parts(header[1]) if header else None
            if at == (section,):
                start = number
        elif at == (section,):
            inside.append(number)
    found = next(
        (at for at in inside if (each := re.match(_ENTRY, lines[at])) and _parts(each[1]) == (key,)), None
    )
    if found is not None:
        lines[found : found + 1] = [] if literal is None else [f"{key} = {literal}\n"]
    elif literal is not None and start is not None:
        lines.insert(start + 1, f"{key} = {literal}\n")
        if not lines[start].endswith("\n"):
            lines[start] += "\n"
    elif literal is not None:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        lines.append(f"{gap}[{section}]\n{key} = {literal}\n")
    return "".join(lines)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _place(before: str) -> tuple[int, int]:
    """Line and column of what follows a text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")
