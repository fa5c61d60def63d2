"""Reading the settings: option > environment > project > user > default, and where each value came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from flowide.errors import BadInput
from flowide.settings.sections import McpServer, Model, Settings
from flowide.toml_file import TomlFile

FILE = "config.toml"


@cache
def _fields(section: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The keys of a section; found once, as msgspec works them out from the annotations each time."""
    return msgspec.structs.fields(section)


TABLES: dict[str, type[Struct]] = {"models": Model, "mcp": McpServer}
"""Sections whose entries are tables that somebody named."""
_OWN = {"trust": "a project cannot trust itself", "keys": "a project does not say where your keys are"}
"""Sections that a project's file may not have, and why."""


class Loaded(Struct, frozen=True):
    """Settings and where they come from."""

    settings: Settings
    sources: dict[str, str]
    """File or environment variable by `section.key`; a key that is missing has its default."""


def user_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Folder of the user's `config.toml`, `agents/`, `flows/` and `themes/`; it need not exist."""
    home = env.get("FLOWIDE_HOME")
    if home:
        return Path(home)
    from platformdirs import user_config_path

    return user_config_path("flowide")


def load(project: Path | None, env: Mapping[str, str] = os.environ) -> Loaded:
    """Read the settings that hold for a project; None = outside of any.

    Raises:
        BadInput: A file or a variable is wrong; the message says where.
    """
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    user = TomlFile(user_folder(env) / FILE)
    files = [user] if project is None else [user, TomlFile(project / ".flowide" / FILE)]
    for file in files:
        for section in _OWN if file is not user else ():
            if section in file.table:
                raise file.refuse([section], _OWN[section], hint=f"Put [{section}] into {user.path}.")
        _check(file)
        _merge(merged, file.table, sources, str(file.path))
    for name, (section, key, kind) in variables(env).items():
        _take(merged, section, key, _converted(name, env[name], section, key, kind))
        sources[f"{section}.{key}"] = name
    return Loaded(msgspec.convert(merged, Settings) if merged else Settings(), sources)


def known_variables() -> dict[str, tuple[str, str, Any]]:
    """Section, key and type of each variable that stands for a setting; those of models are not among them."""
    return {
        f"FLOWIDE_{section}_{each.name}".upper(): (section, each.name, each.type)
        for section, kind in _sections().items()
        for each in _fields(kind)
    }


def variables(env: Mapping[str, str]) -> dict[str, tuple[str, str, Any]]:
    """As `known_variables`, those that are set; the key of a model's is `alias.key`."""
    given = {}
    for section, kind in _sections().items():
        for field_name in kind.__struct_fields__:
            name = f"FLOWIDE_{section}_{field_name}".upper()
            if name in env:
                kinds = {each.name: each.type for each in _fields(kind)}
                given[name] = (section, field_name, kinds[field_name])
    for name in env:
        for each in _fields(Model) if name.startswith("FLOWIDE_MODELS_") else ():
            end = f"_{each.name}".upper()
            alias = name.removeprefix("FLOWIDE_MODELS_").removesuffix(end).lower()
            if name.endswith(end) and alias:
                given[name] = ("models", f"{alias}.{each.name}", each.type)
    return given


def _sections() -> dict[str, type[Struct]]:
    standard = Settings()
    made = {name: getattr(standard, name) for name in Settings.__struct_fields__}
    return {name: type(section) for name, section in made.items() if isinstance(section, Struct)}


def _check(file: TomlFile) -> None:
    """Raise BadInput for what is no setting, or has a value that it cannot have."""
    sections = _sections()
    for section, values in file.table.items():
        if section not in sections and section not in TABLES:
            from flowide.settings.refusals import near

            raise file.refuse(
                [section],
                f"there is no setting [{section}]",
                hint=near(section, [*sections, *TABLES], "Sections"),
            )
        if not isinstance(values, dict):
            raise file.refuse(
                [section], f"{section} is a section", hint=f"Write [{section}] on a line of its own."
            )
        if section in sections:
            _convert(file, [section], values, sections[section])
            continue
        for name, table in values.items():
            if not isinstance(table, dict):
                raise file.refuse(
                    [section, name],
                    f"{section}.{name} is a section",
                    hint=f"Write [{section}.{name}] on a line of its own.",
                )
            _convert(file, [section, name], table, TABLES[section])


def _convert(file: TomlFile, route: list[str], values: dict[str, Any], kind: type[Struct]) -> None:
    try:
        msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        from flowide.settings.refusals import refusal

        raise refusal(file, route, kind, error) from error


def _converted(name: str, text: str, section: str, key: str, kind: Any) -> Any:
    value: Any = text.split(os.pathsep) if section == "trust" else text
    if (section, key) == ("limits", "providers"):
        value = dict(each.strip().partition("=")[::2] for each in text.split(",") if each.strip())
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        from flowide.settings.refusals import plainly

        raise BadInput(
            f"{name}={text[:100]!r}: {plainly(str(error))}",
            hint=f"It stands for [{section}] {key}.",
            variable=name,
        ) from error


def _take(into: dict[str, Any], section: str, key: str, value: Any) -> None:
    *tables, last = key.split(".")
    table = into.setdefault(section, {})
    for each in tables:
        table = table.setdefault(each, {})
    table[last] = value


def _merge(into: dict[str, Any], table: Mapping[str, Any], sources: dict[str, str], where: str) -> None:
    for section, values in table.items():
        for key, value in values.items():
            names = [f"{key}.{each}" for each in value] if isinstance(value, dict) else [key]
            for name in names:
                _take(
                    into,
                    section,
                    name,
                    value[name.removeprefix(f"{key}.")] if isinstance(value, dict) else value,
                )
                sources[f"{section}.{name}"] = where
