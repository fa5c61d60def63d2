"""The person's own keys: `keys.toml` beside the user's `config.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flowide.text import close_to
from flowide.toml_file import TomlFile
from flowide.tui import commands

FILE = "keys.toml"
NO_KEY = "unbound"
"""Stands for no key at all: nothing sends it."""

_HEAD = """\
# Your own keys. A line without # gives a command other keys; with commas between them, more than one.
# "" takes its keys away: it stays in the command palette. Keys are written as the app shows them, `^s` or `ctrl+s`,
# `?`, `esc`, `tab`, `shift+tab`, `space`, `left`, `f5`, `pageup`. Take this file away, and all is as it was.

[keys]
"""
_NAMES = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "\N{ERASE TO THE LEFT}": "backspace",
    "\N{LEFTWARDS ARROW}": "left",
    "\N{RIGHTWARDS ARROW}": "right",
    "\N{UPWARDS ARROW}": "up",
    "\N{DOWNWARDS ARROW}": "down",
}
_NAMED = {
    *(
        "escape",
        "enter",
        "tab",
        "space",
        "backspace",
        "delete",
        "insert",
        "home",
        "end",
        "pageup",
        "pagedown",
    ),
    *("left", "right", "up", "down", *(f"f{number}" for number in range(1, 13))),
}
_TAKEN = {"up", "down"}
"""Lists need them."""


def load(path: Path) -> dict[str, str]:
    """Textual's key names by the id of a command; empty without a file.

    Raises:
        BadInput: The file is wrong; the message says where.
    """
    file = TomlFile(path)
    extra = [name for name in file.table if name != "keys"]
    if extra:
        raise file.refuse([extra[0]], f"there is no section [{extra[0]}]", hint="Everything is in [keys].")
    wanted: dict[str, str] = {}
    table = file.table.get("keys", {})
    if not isinstance(table, dict):
        raise file.refuse(["keys"], "keys is a section", hint="Write [keys] on a line of its own.")
    for route, value in _flat(table):
        id = ".".join(route)
        place = ["keys", *route]
        known = [each.id for each in commands.COMMANDS]
        if id not in known:
            close = close_to(id, known)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise file.refuse(
                place, f"there is no command {id}", hint=f"{hint}The command palette can make a list."
            )
        if not isinstance(value, str):
            raise file.refuse(
                place, f"the keys of {id} are a text", hint='For example "ctrl+k, f1".', value=True
            )
        wanted[id] = ",".join(_key(file, place, each) for each in _split(value)) or NO_KEY
        _check_typing(file, place, commands.by_id(id), wanted[id])
    for route, _ in _flat(table):
        _check_clashes(file, route, wanted)
    return wanted


def template() -> str:
    """A file with every command, each with the keys it has, as a comment."""
    parts = [_HEAD]
    where = ""
    for command in commands.COMMANDS:
        if command.where != where:
            where = command.where
            parts.append(f"\n# --- {where}\n")
        keys = ", ".join(commands.sign_of(key) for key in command.key.split(",") if key)
        parts.append(f'# "{command.id}" = "{keys}"'.ljust(48) + f"# {command.title}\n")
    return "".join(parts)


def _split(value: str) -> list[str]:
    """Keys between commas; a comma that stands alone is one itself."""
    if value.strip() == ",":
        return [","]
    return [part.strip() for part in value.split(",") if part.strip()]


def _key(file: TomlFile, place: list[str], text: str) -> str:
    from textual.keys import _character_to_key

    *modifiers, name = ["ctrl", text[1:]] if re.fullmatch(r"\^\S", text) else re.split(r"\+(?=.)", text)
    name = _NAMES.get(name.lower(), name)
    modifiers = [each.lower() for each in modifiers]
    if not set(modifiers) <= {"ctrl", "shift", "alt"}:
        name = ""
    elif len(name) == 1:
        name = _character_to_key(name if not modifiers else name.lower())
    elif name.lower() in _NAMED:
        name = name.lower()
    elif not (name.islower() and name in {_character_to_key(chr(code)) for code in range(33, 127)}):
        name = ""
    if not name:
        raise file.refuse(
            place,
            f"there is no key {text[:40]!r}",
            hint="Keys are e.g. ctrl+k, ^k, ?, f5, esc, shift+tab.",
            value=True,
        )
    order = [each for each in ("alt", "ctrl", "shift") if each in modifiers]
    return "+".join([*order, name])


def _check_typing(file: TomlFile, place: list[str], command: commands.Command, keys: str) -> None:
    for key in keys.split(","):
        if key in _TAKEN:
            raise file.refuse(place, f"{key} moves in every list", hint="Choose another key.", value=True)
        if command.priority and "+" not in key and key not in _NAMED | {NO_KEY}:
            raise file.refuse(
                place,
                f"{command.id} works while a text is typed, so {commands.sign_of(key)!r} would be missing from texts",
                hint="Give it a key with ctrl, or an F-key.",
                value=True,
            )


def _check_clashes(file: TomlFile, route: tuple[str, ...], wanted: Mapping[str, str]) -> None:
    command = commands.by_id(".".join(route))
    near = [each for each in commands.COMMANDS if each.id != command.id and _meet(command, each)]
    for key in _keys(wanted, command):
        other = next((each for each in near if key in _keys(wanted, each)), None)
        if other is not None:
            raise file.refuse(
                ["keys", *route],
                f"{commands.sign_of(key)} is {other.title!r} already ({other.id})",
                hint=f"Give {other.id} another key, too.",
                value=True,
            )


def _meet(one: commands.Command, other: commands.Command) -> bool:
    """Whether two commands can be meant by the same key press."""
    return one.where == other.where or "app" in {one.where, other.where}


def _keys(wanted: Mapping[str, str], command: commands.Command) -> set[str]:
    return {key for key in wanted.get(command.id, command.key).split(",") if key and key != NO_KEY}


def _flat(table: Mapping[str, Any], route: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, (*route, name))
        else:
            yield (*route, name), value
