"""What was open is open again; copies are told truthfully; settings are changed in their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from flowide import settings
from flowide.errors import BadInput
from flowide.toml_file import edited
from flowide.tui import changing, clipboard, remembered
from flowide.tui.remembered import Remembered
from flowide.tui.widgets.rows import RowsPane
from tests.tui.conftest import Driver, app_on

LONG = "".join(f"line {number}\n" for number in range(200))


# --- remembered ---------------------------------------------------------------------------------------


async def test_what_was_open_is_open_again(project: Path) -> None:
    (project / "docs" / "long.md").write_text(LONG)
    async with app_on(project) as app:
        await app.open("long.md")
        await app.sees("line 3")
        await app.press("pagedown", "pagedown")
        await app.until(lambda: app.artifact.code.top_line > 20, "the place")
        await app.press("t")
        await app.type("What is this?")
        await app.press("enter")
        await app.sees("1 msg")
        line, thread = app.artifact.code.top_line, app.workspace.thread.thread
    known = remembered.load(project)
    assert (known.open, known.line, known.right, known.thread) == ("docs/long.md", line, "thread", thread)
    async with app_on(project, known=known) as app:
        await app.until(lambda: app.artifact.opened is not None, "the file")
        await app.until(lambda: app.artifact.code.top_line == line, "the place in it")
        await app.sees("What is this?")


async def test_a_file_that_is_gone_is_not_missed(project: Path) -> None:
    async with app_on(project, known=Remembered(open="docs/gone.md", line=9, pane="artifact")) as app:
        await app.sees("Nothing is open yet.")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"open": 3}', '{"later": true}'])
def test_what_cannot_be_read_is_as_good_as_nothing(project: Path, text: str) -> None:
    (project / ".flowide").mkdir(exist_ok=True)
    (project / ".flowide" / remembered.FILE).write_text(text)
    assert remembered.load(project) == Remembered()


def test_it_is_kept_whole_or_not_at_all(project: Path) -> None:
    (project / ".flowide").mkdir(exist_ok=True)
    remembered.save(project, Remembered(open="a", line=3, theme="paper"))
    assert remembered.load(project) == Remembered(open="a", line=3, theme="paper")
    assert [each.name for each in (project / ".flowide").glob(".app*")] == []
    remembered.save(project / "nowhere", Remembered(open="b"))


# --- copies -------------------------------------------------------------------------------------------


def clip(app: Driver) -> Any:
    return app.app.clipboard


async def test_selected_lines_are_copied_and_the_app_says_what_it_knows(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.sees("Because.")
        await app.press("2", "shift+down", "shift+down", "shift+down")
        await app.sees("3 lines selected")
        await app.press("y")
        await app.until(lambda: clip(app) == "# Plan\n\n## Why\n", "the lines")
        await app.sees("3 lines sent")
        await app.press("escape")
        await app.sees_no_more("selected")
        await app.press("y")
        await app.until(lambda: clip(app) == (project / "docs" / "plan.md").read_text(), "the whole text")


async def test_lines_are_selected_by_dragging(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.sees("Because.")
        code = app.artifact.code
        await app.pilot.mouse_down(code, offset=(8, 3))
        await app.pilot.hover(code, offset=(8, 5))
        await app.pilot.mouse_up(code, offset=(8, 5))
        await app.sees("3 lines selected")
        await app.pilot.click(code, offset=(8, 2))
        await app.sees_no_more("selected")


async def test_what_is_shown_is_saved_to_a_file_that_was_not_there(project: Path, tmp_path: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.sees("Because.")
        for _ in range(2):
            await app.press("ctrl+o", "Y")
            await app.sees("Save to which file?")
            app.app.screen.query_one("#answer", Input).value = str(tmp_path / "copy.md")
            await app.press("enter")
        await app.sees("is there already")
    assert (tmp_path / "copy.md").read_text() == (project / "docs" / "plan.md").read_text()


async def test_where_nothing_is_shown_there_is_nothing_to_copy(project: Path) -> None:
    async with app_on(project) as app:
        await app.press("ctrl+o", "y")
        await app.sees("There is nothing to copy here.")


async def test_more_than_a_clipboard_holds_is_not_sent(project: Path) -> None:
    (project / "docs" / "long.md").write_text(LONG * 60)
    async with app_on(project) as app:
        await app.open("long.md")
        await app.sees("line 3")
        await app.press("y")
        await app.sees("too much for most terminals")
        assert clip(app) == ""


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "sent to your terminal's clipboard. If pasting gives nothing"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, "Apple's Terminal does not take copies"),
        ({"VTE_VERSION": "6800"}, "this terminal (VTE) does not take copies"),
        ({"TERM": "linux"}, "the Linux console does not take copies"),
    ],
)
def test_nobody_is_told_that_a_copy_arrived(env: dict[str, str], said: str) -> None:
    words = clipboard.told("3 lines", in_tmux=False, env=env)
    assert said in words
    assert "^o Y" in words


def test_without_tmux_nothing_is_given_to_it() -> None:
    assert clipboard.to_tmux("x", {}) is False


# --- settings -----------------------------------------------------------------------------------------


def one(found: list[changing.Setting], name: str) -> changing.Setting:
    return next(each for each in found if each.name == name)


def test_every_setting_has_the_line_of_the_manual(project: Path) -> None:
    found = changing.read(project)
    assert [each.name for each in found if not each.help] == []
    assert one(found, "lock.idle_s").help.startswith("A person without a sign of work")


def test_a_changed_setting_keeps_the_rest_of_the_file(project: Path) -> None:
    path = project / ".flowide" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text('# ours\n[lock]\nidle_s = 60 # short\n\n[git]\ncommit = "ask"  # mine\n')
    setting = one(changing.read(project), "lock.idle_s")
    changing.change(path, setting, "90.5")
    changing.change(path, one(changing.read(project), "app.theme"), "paper")
    text = path.read_text()
    assert (
        text == '# ours\n[lock]\nidle_s = 90.5\n\n[git]\ncommit = "ask"  # mine\n\n[app]\ntheme = "paper"\n'
    )
    now = one(changing.read(project), "lock.idle_s")
    assert (now.value, now.source) == (90.5, str(path))
    changing.change(path, now, None)
    assert one(changing.read(project), "lock.idle_s").source == "default"


@pytest.mark.parametrize(
    ("name", "value"), [("lock.idle_s", "soon"), ("limits.parallel", "0"), ("git.commit", "yes")]
)
def test_a_value_a_setting_cannot_have_changes_nothing(project: Path, name: str, value: str) -> None:
    path = project / ".flowide" / "config.toml"
    with pytest.raises(BadInput, match="cannot be"):
        changing.change(path, one(changing.read(project), name), value)
    assert not path.exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[app]\ntheme = "x"\n'),
        ("[app]", '[app]\ntheme = "x"\n'),
        ("[app]\ntheme = 'y'\n[a.b]\ntheme = 1\n", '[app]\ntheme = "x"\n[a.b]\ntheme = 1\n'),
        ("[a]\nk = 1", '[a]\nk = 1\n\n[app]\ntheme = "x"\n'),
    ],
)
def test_a_value_is_put_where_it_belongs(before: str, after: str) -> None:
    assert edited(before, "app", "theme", '"x"') == after


def test_a_broken_file_is_not_made_worse(project: Path) -> None:
    path = project / ".flowide" / "config.toml"
    setting = one(changing.read(project), "app.theme")
    path.parent.mkdir(exist_ok=True)
    path.write_text("[app\n")
    with pytest.raises(BadInput):
        changing.change(path, setting, "paper")
    assert path.read_text() == "[app\n"


async def test_a_setting_is_changed_in_the_app_for_the_project(project: Path) -> None:
    async with app_on(project) as app:
        await app.press("ctrl+o", "comma")
        await app.sees("parallel")
        await app.until(lambda: app.app.screen.focused is not None, "the list")
        while app.app.screen.query_one(RowsPane).current != "limits.parallel":
            await app.press("down")
        await app.sees("Model calls in flight in a run.")
        await app.press("enter")
        await app.sees("[limits] parallel")
        await app.press("backspace", "7", "enter")
        await app.sees("For whom?")
        await app.press("p")
        await app.sees("Saved in")
        assert "7" in app.row_with("parallel")
        assert "project" in app.row_with("parallel")
        await app.press("backspace")
        await app.until(lambda: "default" in app.row_with("parallel"), "the default")
    assert settings.load(project).settings.limits.parallel == 4


async def test_what_the_environment_sets_cannot_be_changed_here(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWIDE_ME_HANDLE", "ana")
    async with app_on(project) as app:
        await app.press("ctrl+o", "comma")
        await app.sees("FLOWIDE_ME_HANDLE")
        while app.app.screen.query_one(RowsPane).current != "me.handle":
            await app.press("down")
        await app.press("enter")
        await app.sees("is set in the environment")


async def test_a_theme_that_is_set_is_drawn_at_once(project: Path) -> None:
    async with app_on(project) as app:
        await app.press("ctrl+o", "comma")
        await app.sees("parallel")
        while app.app.screen.query_one(RowsPane).current != "app.theme":
            await app.press("down")
        await app.press("enter")
        await app.sees("Theme")
        await app.type("paper")
        await app.press("enter")
        await app.sees("For whom?")
        await app.press("m")
        await app.until(lambda: app.app.theme == "paper", "the theme")
    assert settings.load(project).settings.app.theme == "paper"
