"""The settings as a person sees them: what each is, where its value comes from; and changing one in its file."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from flowide import settings
from flowide.errors import BadInput
from flowide.settings import sections
from flowide.toml_file import TomlFile, edited


class Setting(Struct, frozen=True):
    """One setting with its present value."""

    section: str
    key: str
    value: Any
    source: str
    """`default`, a file, or a variable of the environment."""
    kind: Any
    """Its type."""
    help: str = ""

    @property
    def name(self) -> str:
        """`section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen; empty = anything of its type."""
        if self.kind is bool:
            return ("true", "false")
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def shown(self) -> str:
        """The value in words."""
        if self.value is None:
            return "none"
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, list | tuple):
            return ", ".join(map(str, self.value)) or "none"
        if isinstance(self.value, float) and self.value == int(self.value):
            return str(int(self.value))
        return str(self.value) if self.value != "" else "not set"

    @property
    def from_environment(self) -> bool:
        """Whether a variable of the environment gives the value, which no file can change."""
        return self.source.startswith("FLOWIDE_")


def read(project: Path | None, env: Mapping[str, str] = os.environ) -> list[Setting]:
    """All settings of sections, in the order of the manual.

    Raises:
        BadInput: A file is wrong.
    """
    loaded = settings.load(project, env)
    helps = _helps()
    found = []
    for section, key, kind in settings.known_variables().values():
        if not _is_simple(kind):
            continue
        value = getattr(getattr(loaded.settings, section), key)
        name = f"{section}.{key}"
        found.append(
            Setting(section, key, value, loaded.sources.get(name, "default"), kind, helps.get(name, ""))
        )
    return found


def change(path: Path, setting: Setting, value: str | None) -> None:
    """Set a value in a settings file, or take it out with None; comments and all else stay.

    Raises:
        BadInput: It cannot have this value, or the file cannot be changed.
    """
    import tomllib

    section, key = setting.section, setting.key
    literal = None if value is None else _literal(setting, value)
    before = TomlFile(path)  # a broken file is not made worse
    try:
        old = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        text = edited(old, section, key, literal)
        wanted = {
            name: dict(table) if isinstance(table, dict) else table for name, table in before.table.items()
        }
        wanted.setdefault(section, {}).pop(key, None)
        if literal is not None:
            wanted[section] |= tomllib.loads(f"{key} = {literal}")
        if _filled(tomllib.loads(text)) != _filled(wanted):
            raise BadInput(f"{path} is written in a way that cannot be changed here", hint="Edit it by hand.")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} cannot be changed here: {error}", hint="Edit it by hand.") from error
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written: {error.strerror}", hint="Check its permissions."
        ) from error


def _filled(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value != {}}


def _is_simple(kind: Any) -> bool:
    """Whether a value fits into one field."""
    return get_origin(kind) is not dict and kind is not dict


def _literal(setting: Setting, value: str) -> str:
    """The TOML literal of a value that was typed."""
    parts: Any = [part.strip() for part in value.split(",") if part.strip()]
    try:
        converted = msgspec.convert(
            parts if setting.kind == list[str] else value.strip(), setting.kind, strict=False
        )
    except msgspec.ValidationError as error:
        said = str(error).replace("`", "").replace(" | null", "")
        raise BadInput(f"[{setting.section}] {setting.key} cannot be {value[:60]!r}: {said}") from error
    if isinstance(converted, float) and converted == int(converted):
        converted = int(converted)
    return json.dumps(converted, ensure_ascii=False)


@cache
def _helps() -> dict[str, str]:
    """The line below each field of a section: it is the manual, and is read from the source."""
    tree = ast.parse(Path(sections.__file__).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found: dict[str, str] = {}
    for each in classes["Settings"].body:
        if not (isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)):
            continue
        section = classes.get(each.annotation.id) if isinstance(each.annotation, ast.Name) else None
        if section is not None:
            found |= {f"{each.target.id}.{key}": help for key, help in _fields(section)}
    return found


def _fields(section: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for field, below in zip(section.body, section.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found.append((field.target.id, " ".join(str(below.value.value).split())))
    return found
