"""Themes of one's own: found, completed, told when wrong, drawn anew when saved; every colour readable."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowide.errors import BadInput
from flowide.tui import theme
from flowide.tui.contrast import PAIRS, ratio, unreadable
from flowide.tui.ink import _GROUNDS, Ink
from tests.tui.conftest import app_on


@pytest.fixture
def own(project: Path) -> Iterator[Path]:
    """The folder of the project's themes."""
    folder = project / ".flowide" / "themes"
    folder.mkdir(parents=True)
    theme.use_folders(folder)
    yield folder
    theme.use_folders()


def saved(path: Path, text: str) -> None:
    """Write a file so that its time differs from before."""
    path.write_text(text)
    later = time.time() + saved.__dict__.setdefault("steps", 0) + 5
    saved.__dict__["steps"] += 5
    os.utime(path, (later, later))


def test_a_theme_of_ones_own_needs_only_what_differs(own: Path) -> None:
    (own / "ours.yaml").write_text('accent: "#ffb454"\nvariables:\n  agent-1: "#95e6cb"\n')
    found = theme.load("ours")
    base = theme.load("flowide-dark")
    assert (found.name, found.accent, found.variables["agent-1"]) == ("ours", "#ffb454", "#95e6cb")
    assert found.background == base.background
    assert found.variables["agent-2"] == base.variables["agent-2"]
    assert "ours" in theme.names()


def test_a_light_one_starts_from_the_light_one(own: Path) -> None:
    (own / "day.yaml").write_text("dark: false\n")
    assert theme.load("day").background == theme.load("flowide-light").background


def test_it_hides_a_shipped_one_of_the_same_name(own: Path) -> None:
    (own / "ink.yaml").write_text('accent: "#ff00aa"\n')
    assert theme.load("ink").accent == "#ff00aa"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('acent: "#ffffff"\n', "there is no 'acent'"),
        ("accent: nonsense\n", "'nonsense' is no colour"),
        ("accent: [1\n", "cannot be read"),
        ('name: "other"\n', "its name is 'other'"),
        ("variables: 3\n", "names with a colour each"),
    ],
)
def test_a_mistake_is_told_with_the_file(own: Path, text: str, said: str) -> None:
    (own / "ours.yaml").write_text(text)
    with pytest.raises(BadInput, match="ours") as caught:
        theme.load("ours")
    assert said in caught.value.message


@pytest.mark.parametrize("name", ["../secret", "a/b", "..", ""])
def test_a_name_is_no_path(own: Path, name: str) -> None:
    (own.parent / "secret.yaml").write_text("dark: true\n")
    with pytest.raises(BadInput):
        theme.load(name)


def test_what_can_hardly_be_read_is_told(own: Path) -> None:
    (own / "pale.yaml").write_text('variables:\n  quiet: "#303030"\n')
    assert any(each.startswith("quiet on background") for each in theme.hard_to_read(theme.load("pale")))


@pytest.mark.parametrize("name", theme.names())
def test_every_colour_of_a_shipped_theme_can_be_read_where_it_stands(name: str) -> None:
    assert theme.hard_to_read(theme.load(name)) == []


@pytest.mark.parametrize("name", [name for name in theme.names() if not name.startswith("ansi-")])
def test_every_role_can_be_read_on_every_ground_as_it_is_drawn(name: str) -> None:
    """As the screens draw them: whatever role meets whatever ground."""
    found = theme.load(name)
    variables = {**found.to_color_system().generate(), **found.variables}
    ink = Ink(found, variables)
    roles = [
        "",
        "quiet",
        "accent",
        "good",
        "warn",
        "bad",
        "secondary",
        "kw",
        "str",
        "com",
        "fn",
        "type",
        "num",
        "op",
    ]
    roles += [f"agent-{number}" for number in range(1, 7)]
    wrong = []
    for ground in ("background", "surface", "panel", "selected", "added", "removed", "changed", "picked"):
        for role in roles:
            style = ink.style(role, ground)
            assert style.color and style.color.triplet and style.bgcolor and style.bgcolor.triplet
            contrast = ratio(style.color.triplet.hex, style.bgcolor.triplet.hex)
            if contrast < 4.5:
                wrong.append(f"{role or 'text'} on {ground}: {contrast:.2f}")
    for ground in ("added-word", "removed-word"):
        style = ink.style("b", ground)
        assert style.color and style.color.triplet and style.bgcolor and style.bgcolor.triplet
        if ratio(style.color.triplet.hex, style.bgcolor.triplet.hex) < 4.5:
            wrong.append(f"text on {ground}")
    assert wrong == []


def test_the_grounds_that_are_checked_are_all_there_are() -> None:
    checked = {"added", "removed", "changed", "added-word", "removed-word", "picked", "selected"}
    assert set(_GROUNDS) == checked


def test_contrast_is_computed_as_wcag_does() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert unreadable({"foreground": "#777777", "background": "#888888"})[0][:2] == (
        "foreground",
        "background",
    )
    assert PAIRS


async def test_saving_the_file_of_the_theme_in_use_draws_anew(project: Path, own: Path) -> None:
    saved(own / "ours.yaml", 'accent: "#ffb454"\n')
    async with app_on(project, theme="ours") as app:
        await app.sees("FILES")
        saved(own / "ours.yaml", 'accent: "#95e6cb"\n')
        await app.until(lambda: app.app.current_theme.accent == "#95e6cb", "the new colour")
        saved(own / "ours.yaml", "accent: nonsense\n")
        await app.sees("is no colour")
        assert app.app.current_theme.accent == "#95e6cb"
        saved(own / "ours.yaml", 'variables:\n  quiet: "#303030"\n')
        await app.sees("Hard to read")


async def test_a_theme_is_chosen_with_a_preview_and_remembered(project: Path, own: Path) -> None:
    (own / "ours.yaml").write_text("dark: false\n")
    async with app_on(project) as app:
        await app.press("ctrl+p")
        await app.sees("Commands")
        await app.type("change theme")
        await app.press("enter")
        await app.sees("Theme")
        await app.type("ours")
        await app.sees("light  yours")
        await app.until(lambda: app.app.theme == "ours", "the preview")
        await app.press("escape")
        await app.until(lambda: app.app.theme == "flowide-dark", "the theme there was")
        await app.press("ctrl+p")
        await app.type("change theme")
        await app.press("enter")
        await app.sees("Theme")
        await app.type("paper")
        await app.press("enter")
        await app.until(lambda: app.app.remembered.theme == "paper", "the choice to be kept")
