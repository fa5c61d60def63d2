"""Settings: option > environment > project > user > default, and where each value came from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from flowide.errors import BadInput

FILE = "config.toml"


class Me(Struct, frozen=True, forbid_unknown_fields=True):
    """`[me]`"""

    handle: str = ""
    """Who acts when no --as is given; empty = the git user, else the login name."""


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """`[app]`"""

    theme: str = ""
    """Name of a theme; empty = one that suits the terminal."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """`[limits]`"""

    parallel: int = 4
    """Model calls in flight in a run."""
    silence_s: float = 60.0
    """Seconds without a word from a model after which an attempt is given up."""
    call_s: float = 300.0
    """Seconds for one answer of an agent, all attempts included."""


class Lock(Struct, frozen=True, forbid_unknown_fields=True):
    """`[lock]`"""

    timeout_s: float = 30.0
    """Seconds a run waits for a lock."""


class Git(Struct, frozen=True, forbid_unknown_fields=True):
    """`[git]`"""

    commit: Literal["off", "ask", "auto"] = "off"
    """Whether a version that is saved, accepted, moved … is committed to the project's repository."""
    branch: str = ""
    """Branch that commits go to, e.g. `flowide`; empty = the one that is checked out."""


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """`[budget]`: bounds of a run that is given none."""

    cost_usd: float | None = None
    tokens: int | None = None
    minutes: float | None = None


class Trust(Struct, frozen=True, forbid_unknown_fields=True):
    """`[trust]`: only in the user's file, a project cannot trust itself."""

    projects: list[str] = []
    """Folders whose flows may run commands."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings, with defaults."""

    me: Me = Me()
    app: App = App()
    limits: Limits = Limits()
    lock: Lock = Lock()
    git: Git = Git()
    budget: Budget = Budget()
    trust: Trust = Trust()
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`[models.<alias>]`: model, api_base, key_env, price_in, price_out."""

    def trusts(self, project: Path) -> bool:
        """Whether the user's file lists this folder."""
        return any(Path(each).expanduser().resolve() == project.resolve() for each in self.trust.projects)


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
    files = [user_folder(env) / FILE]
    if project is not None:
        files.append(project / ".flowide" / FILE)
    for at, file in enumerate(files):
        table = _read(file)
        if at == 1 and "trust" in table:
            raise BadInput(
                f"{file}{_line_of(file, 'trust', '')}: a project cannot trust itself",
                hint=f"Put [trust] into {files[0]}.",
            )
        _merge(merged, table, sources, str(file))
    _merge_environment(merged, sources, env)
    return Loaded(msgspec.convert(merged, Settings), sources)


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: cannot be read: {error}", hint="Settings are UTF-8 text.") from None
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f":{place[1]}:{place[2]}" if place else ""
        said = re.sub(r" ?\(at .*\)", "", str(error))
        raise BadInput(f"{file}{where}: {said}", hint="The file is TOML.") from None
    try:
        msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        route = re.search(r"at `\$\.?([^`]*)`", str(error))
        section, _, key = (route[1] if route else "").partition(".")
        unknown = re.search(r"unknown field `([^`]*)`", str(error))
        if unknown:
            section, key = (section, unknown[1]) if section else (unknown[1], "")
        name = f"[{section}] {key}".strip()
        said = f"there is no setting {name}" if unknown else f"{name}: {str(error).split(' - at')[0]}"
        raise BadInput(f"{file}{_line_of(file, section, key)}: {said}", hint=_known(section)) from None
    return table


def _known(section: str) -> str:
    for each in msgspec.structs.fields(Settings):
        if each.name == section and isinstance(each.type, type) and issubclass(each.type, Struct):
            return f"[{section}] has: {', '.join(f.name for f in msgspec.structs.fields(each.type))}."
    return f"Sections: {', '.join(each.name for each in msgspec.structs.fields(Settings))}."


def _line_of(file: Path, section: str, key: str) -> str:
    """`:line` of a key, as far as it can be told."""
    inside = not section
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", line)
        if header:
            inside = header[1].split(".")[0] == section
            if inside and not key:
                return f":{number}"
        elif inside and key and re.match(rf"\s*{re.escape(key.rsplit('.', maxsplit=1)[-1])}\s*=", line):
            return f":{number}"
    return ""


def _merge(into: dict[str, Any], table: Mapping[str, Any], sources: dict[str, str], where: str) -> None:
    for section, values in table.items():
        if not isinstance(values, dict):
            continue
        kept = into.setdefault(section, {})
        for key, value in values.items():
            if isinstance(value, dict):
                kept[key] = {**kept.get(key, {}), **value}
                sources |= {f"{section}.{key}.{each}": where for each in value}
            else:
                kept[key] = value
                sources[f"{section}.{key}"] = where


def _merge_environment(into: dict[str, Any], sources: dict[str, str], env: Mapping[str, str]) -> None:
    for section in msgspec.structs.fields(Settings):
        if not (isinstance(section.type, type) and issubclass(section.type, Struct)):
            continue
        for each in msgspec.structs.fields(section.type):
            variable = f"FLOWIDE_{section.name}_{each.name}".upper()
            text = env.get(variable)
            if text is None:
                continue
            try:
                value: Any = text.split(os.pathsep) if section.name == "trust" else text
                value = msgspec.convert(value, each.type, strict=False)
            except msgspec.ValidationError as error:
                raise BadInput(
                    f"{variable}={text[:100]!r}: {error}", hint=f"It stands for [{section.name}] {each.name}."
                ) from None
            into.setdefault(section.name, {})[each.name] = value
            sources[f"{section.name}.{each.name}"] = variable
