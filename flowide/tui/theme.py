"""Themes: data files turned into Textual themes, read only when they are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from textual.theme import BUILTIN_THEMES, Theme

from flowide.errors import BadInput
from flowide.patterns import lazy

DEFAULT = "flowide-dark"
LIGHT = "flowide-light"
_NAMED = (
    *("foreground", "background", "surface", "panel", "primary", "secondary", "accent", "warning", "error"),
    "success",
)

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


_own: list[Path] = []
"""Folders of the project's and the person's own themes, the nearest first."""


def use_folders(*folders: Path) -> None:
    """Look for themes in these folders, too; a theme there hides one of the same name further on."""
    _own[:] = folders


def has_own() -> bool:
    """Whether there may be themes besides the shipped ones."""
    return bool(_own)


def names() -> list[str]:
    """All themes, the default first."""
    found = {path.stem for place in (*_own, folder()) for path in place.glob("*.yaml")}
    return sorted([*sorted(found), "ansi-dark", "ansi-light"], key=lambda name: name != DEFAULT)


def own_file(name: str) -> Path | None:
    """The file of a theme that is the project's or the person's own; None for one that is shipped."""
    return next((path for place in _own if (path := place / f"{name}.yaml").is_file()), None)


def load(name: str) -> Theme:
    """One theme. One of the project's or the person's own may leave colours out: it gets those of a shipped one.

    Raises:
        BadInput: No such theme, or its file cannot be read.
    """
    if re.fullmatch(r"[^/\\.][^/\\]*", name):
        own = own_file(name)
        if own is not None:
            return _load_own(own, own.stat().st_mtime_ns)
    return _load(name)


@cache
def _load(name: str) -> Theme:
    if name in {"ansi-dark", "ansi-light"}:
        return _ansi(BUILTIN_THEMES[name])
    path = folder() / f"{name}.yaml"
    if "/" in name or not path.is_file():
        raise BadInput(f"there is no theme {name[:80]!r}", hint=f"There are: {', '.join(names())}.")
    return from_data(_read(path))


@lru_cache(maxsize=32)
def _load_own(path: Path, mtime_ns: int) -> Theme:
    """As it was at a time."""
    data = {"name": path.stem, **_read(path)}
    if data["name"] != path.stem:
        raise BadInput(
            f"{path}: its name is {data['name']!r}", hint=f"Write name: {path.stem}, or leave it out."
        )
    base = _read(folder() / f"{DEFAULT if data.get('dark', True) else LIGHT}.yaml")
    variables = data.get("variables") or {}
    if not isinstance(variables, dict):
        raise BadInput(f"{path}: variables are names with a colour each", hint="See docs/terminal-app.md.")
    whole = {**base, **data, "variables": {**base["variables"], **variables}}
    known = {*base, "field", "luminosity_spread", "text_alpha"}
    for key in data:
        if key not in known:
            raise BadInput(
                f"{path}: there is no {key!r} in a theme", hint=f"There are: {', '.join(sorted(known))}."
            )
    _check_colours(path, whole)
    return from_data(whole)


def _check_colours(path: Path, data: Mapping[str, Any]) -> None:
    from textual.color import Color, ColorParseError

    for key, value in {**data, **data["variables"]}.items():
        if key in {"name", "dark", "variables", "luminosity_spread", "text_alpha"}:
            continue
        try:
            Color.parse(str(value))
        except ColorParseError as error:
            raise BadInput(
                f"{path}: {key}: {value!r} is no colour", hint='Write "#rrggbb", with quotes.'
            ) from error


def hard_to_read(theme: Theme) -> list[str]:
    """What can hardly be read in a theme, in words, the worst first; nothing where the terminal gives the colours."""
    from flowide.tui.contrast import unreadable

    if theme.ansi:
        return []
    own = {name: getattr(theme, name) for name in _NAMED if getattr(theme, name, None)}
    pairs = unreadable({name: str(value).lower() for name, value in {**own, **theme.variables}.items()})
    return [f"{text} on {ground}: {ratio:.1f}" for text, ground, ratio in pairs]


def all_themes() -> Iterator[Theme]:
    """Every theme that can be read, the default first."""
    for name in names():
        with suppress(BadInput):
            yield load(name)


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


_LINE = lazy(r'(  )?([\w-]+):(?: (?:"([^"\\]*)"|(true|false)|([\d.]+)))?\s*')


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
