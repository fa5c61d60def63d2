"""Themes: data files turned into Textual themes, read only when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from textual.theme import BUILTIN_THEMES, Theme

from flowide.errors import BadInput

DEFAULT = "flowide-dark"

_ANSI_VARIABLES = {
    **{
        f"agent-{n}": f"ansi_{name}"
        for n, name in enumerate(("cyan", "yellow", "magenta", "green", "blue", "red"), start=1)
    },
    "diff-add": "ansi_green",
    "diff-del": "ansi_red",
    "diff-change": "ansi_yellow",
    "diff-add-background": "ansi_default",
    "diff-del-background": "ansi_default",
    "diff-change-background": "ansi_default",
    "field": "ansi_default",
    "hairline": "ansi_bright_black",
    "quiet": "ansi_default",
    "syntax-keyword": "ansi_magenta",
    "syntax-string": "ansi_green",
    "syntax-comment": "ansi_default",
    "syntax-function": "ansi_blue",
    "syntax-type": "ansi_cyan",
    "syntax-number": "ansi_yellow",
    "syntax-operator": "ansi_default",
}


def folder() -> Path:
    """Where the theme files are: at the top of a checkout, or inside the installed package."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "data" / "themes"
    return shipped if shipped.is_dir() else package.parent / "themes"


def names() -> list[str]:
    """All themes, the default first."""
    found = sorted(path.stem for path in folder().glob("*.yaml"))
    return sorted([*found, "ansi-dark", "ansi-light"], key=lambda name: name != DEFAULT)


@cache
def load(name: str) -> Theme:
    """One theme.

    Raises:
        BadInput: No such theme, or its file cannot be read.
    """
    if name in {"ansi-dark", "ansi-light"}:
        return _ansi(BUILTIN_THEMES[name])
    path = folder() / f"{name}.yaml"
    if not path.is_file():
        raise BadInput(f"there is no theme {name[:80]!r}", hint=f"There are: {', '.join(names())}.")
    return from_data(_read(path))


def all_themes() -> Iterator[Theme]:
    """Every theme, the default first."""
    return map(load, names())


def from_data(data: dict[str, Any]) -> Theme:
    """A theme of the keys of a theme file.

    Raises:
        BadInput: A key is unknown or missing.
    """
    variables = dict(data.get("variables") or {})
    variables.setdefault("field", data.get("boost") or data.get("panel"))
    try:
        return Theme(**{**data, "variables": variables})
    except TypeError as error:
        raise BadInput(f"theme {data.get('name', '?')}: {error}", hint="See themes/ for examples.") from error


def _read(path: Path) -> dict[str, Any]:
    import yaml  # only the app's start pays for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  # a safe loader
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"theme file {path.name} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BadInput(f"theme file {path.name} holds no theme")
    return data


def _ansi(theme: Theme) -> Theme:
    from dataclasses import replace

    return replace(theme, variables={**_ANSI_VARIABLES, **theme.variables})
