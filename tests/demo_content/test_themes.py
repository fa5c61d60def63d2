"""Every shipped theme can be read, by everybody, wherever its colours meet."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

THEMES = sorted((Path(__file__).resolve().parents[2] / "themes").glob("*.yaml"))
GROUNDS = ("background", "surface", "panel", "boost")
DIFF_GROUNDS = ("diff-add-background", "diff-del-background", "diff-change-background")
NAMED_TEXTS = ("foreground", "primary", "secondary", "accent", "warning", "error", "success")
AGENTS = tuple(f"agent-{number}" for number in range(1, 7))
SYNTAX = tuple(
    f"syntax-{kind}" for kind in ("keyword", "string", "comment", "function", "type", "number", "operator")
)
VARIABLES = {
    *AGENTS,
    *SYNTAX,
    *DIFF_GROUNDS,
    "diff-add",
    "diff-del",
    "diff-change",
    "hairline",
    "input-selection-background",
    "quiet",
}
TEXTS = (*NAMED_TEXTS, *AGENTS, *SYNTAX, "diff-add", "diff-del", "diff-change", "quiet")

each_theme = pytest.mark.parametrize("path", THEMES, ids=lambda path: path.stem)


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def colours(path: Path) -> dict[str, str]:
    """Every colour of a theme by its name."""
    theme = load(path)
    named = {name: str(theme[name]) for name in (*NAMED_TEXTS, *GROUNDS)}
    return {**named, **theme["variables"]}


def linear(colour: str) -> list[float]:
    """Red, green and blue of `#rrggbb` as light, from 0 to 1."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2, from 1 to 21."""
    weights = (0.2126, 0.7152, 0.0722)
    brighter, darker = sorted(
        (sum(w * c for w, c in zip(weights, linear(colour), strict=True)) for colour in (one, other)),
        reverse=True,
    )
    return (brighter + 0.05) / (darker + 0.05)


def oklab(colour: str) -> list[float]:
    """Lightness and two axes of hue in which equal distances look equal (Björn Ottosson's Oklab)."""
    to_cones = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    to_lab = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    light = linear(colour)
    cones = [sum(w * c for w, c in zip(row, light, strict=True)) ** (1 / 3) for row in to_cones]
    return [sum(w * c for w, c in zip(row, cones, strict=True)) for row in to_lab]


def distance(one: str, other: str) -> float:
    pairs = zip(oklab(one), oklab(other), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def unreadable(path: Path, *, texts: tuple[str, ...], grounds: tuple[str, ...], ratio: float) -> list[str]:
    found = colours(path)
    return [
        f"{text} on {ground}: {contrast(found[text], found[ground]):.2f}"
        for text in texts
        for ground in grounds
        if contrast(found[text], found[ground]) < ratio
    ]


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_there_are_dark_and_light_themes_and_one_of_high_contrast() -> None:
    themes = {path.stem: load(path) for path in THEMES}

    assert len(themes) >= 6
    assert {"flowide-dark", "flowide-light", "paper", "ink", "high-contrast"} <= themes.keys()
    assert sum(not theme["dark"] for theme in themes.values()) >= 2


@each_theme
def test_a_theme_has_the_name_of_its_file_and_every_colour(path: Path) -> None:
    theme = load(path)

    assert theme["name"] == path.stem
    assert theme.keys() == {"name", "dark", *NAMED_TEXTS, *GROUNDS, "variables"}
    assert theme["variables"].keys() == VARIABLES
    assert [c for c in colours(path).values() if not re.fullmatch(r"#[0-9a-f]{6}", c)] == []


@each_theme
def test_a_theme_says_rightly_whether_it_is_dark(path: Path) -> None:
    theme = load(path)

    ground_is_darker = sum(linear(theme["background"])) < sum(linear(theme["foreground"]))

    assert theme["dark"] is ground_is_darker


@each_theme
def test_every_text_can_be_read_on_every_ground(path: Path) -> None:
    assert unreadable(path, texts=TEXTS, grounds=(*GROUNDS, *DIFF_GROUNDS), ratio=4.5) == []


@each_theme
def test_plain_text_can_be_read_without_effort(path: Path) -> None:
    grounds = (*GROUNDS, "input-selection-background")

    assert unreadable(path, texts=("foreground",), grounds=grounds, ratio=5.5) == []
    assert unreadable(path, texts=("foreground",), grounds=("background", "surface"), ratio=7) == []


def test_the_high_contrast_theme_has_high_contrast_everywhere() -> None:
    (path,) = (path for path in THEMES if path.stem == "high-contrast")

    assert unreadable(path, texts=TEXTS, grounds=(*GROUNDS, *DIFF_GROUNDS), ratio=7) == []
    assert unreadable(path, texts=("hairline",), grounds=("background", "surface"), ratio=3) == []


@each_theme
def test_agents_can_be_told_apart_by_colour(path: Path) -> None:
    found = colours(path)

    too_close = [
        (one, other) for one, other in combinations(AGENTS, 2) if distance(found[one], found[other]) < 0.08
    ]

    assert too_close == []


@each_theme
def test_panes_and_changed_lines_stand_out_from_their_ground(path: Path) -> None:
    found = colours(path)

    assert contrast(found["hairline"], found["background"]) > 1.3
    assert len({found[ground] for ground in GROUNDS}) == len(GROUNDS)
    for ground in DIFF_GROUNDS:
        assert distance(found[ground], found["background"]) > 0.05


@each_theme
def test_textual_takes_a_theme_as_it_is(path: Path) -> None:
    from textual.theme import Theme

    theme = Theme(**load(path))

    generated = theme.to_color_system().generate()
    assert generated["background"].lower() == load(path)["background"]
    assert theme.variables["agent-1"] == load(path)["variables"]["agent-1"]
