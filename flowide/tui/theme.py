"""Themes: data files turned into Textual themes, read only when they are wanted."""

from __future__ import annotations

import re
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
    "diff-add-word": "ansi_green",
    "diff-del-word": "ansi_red",
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
    for kind in ("add", "del"):
        ground, sign = variables.get(f"diff-{kind}-background"), variables.get(f"diff-{kind}")
        if ground and sign:
            variables.setdefault(f"diff-{kind}-word", _blended(str(ground), str(sign), _WORD))
    try:
        return Theme(**{**data, "variables": variables})
    except TypeError as error:
        raise BadInput(f"theme {data.get('name', '?')}: {error}", hint="See themes/ for examples.") from error


_WORD = 0.3
"""How far the ground of a word that differs goes from the one of its line to the colour of its sign."""


def _blended(ground: str, other: str, factor: float) -> str:
    from textual.color import Color

    return Color.parse(ground).blend(Color.parse(other), factor).hex.lower()


_LINE = re.compile(r'(  )?([\w-]+):(?: (?:"([^"\\]*)"|(true|false)|([\d.]+)))?\s*')


def plain_mapping(text: str) -> dict[str, Any] | None:
    """A mapping with one level of mappings in it, of quoted texts, numbers and booleans; None = it is more than that.

    The YAML library takes as long to load as half of the app: themes are written so that it is not needed.
    """
    data: dict[str, Any] = {}
    inner: dict[str, Any] | None = None
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        indent, key, quoted, boolean, number = found.groups()
        if quoted is None and boolean is None and number is None:
            if indent:
                return None
            inner = data[key] = {}
            continue
        if indent and inner is None:
            return None
        value: Any = quoted if quoted is not None else boolean == "true" if boolean else float(number)
        if indent and inner is not None:
            inner[key] = value
        else:
            data[key], inner = value, None
    return data


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"theme file {path.name} cannot be read: {error}") from error
    plain = plain_mapping(text)
    if plain is not None:
        return plain
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(text, Loader=loader)  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise BadInput(f"theme file {path.name} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BadInput(f"theme file {path.name} holds no theme")
    return data


def _ansi(theme: Theme) -> Theme:
    from dataclasses import replace

    return replace(theme, variables={**_ANSI_VARIABLES, **theme.variables})
