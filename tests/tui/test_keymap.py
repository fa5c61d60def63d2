"""A person's own keys: read from a file, told clearly when wrong, bound and shown everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowide.errors import BadInput
from flowide.tui import commands, keymap
from tests.tui.conftest import app_on


@pytest.fixture(autouse=True)
def table_keys() -> Iterator[None]:
    yield
    commands.use_keys({})


def load(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    return keymap.load(path)


def test_without_a_file_the_keys_are_the_tables(tmp_path: Path) -> None:
    assert keymap.load(tmp_path / "keys.toml") == {}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("^k", "ctrl+k"),
        ("ctrl+K", "ctrl+k"),
        ("?", "question_mark"),
        ("esc", "escape"),
        ("shift+tab", "shift+tab"),
        ("⌫", "backspace"),
        ("F5", "f5"),
        ("Z", "Z"),
        ("space, u", "space,u"),
        ("", keymap.NO_KEY),
    ],
)
def test_keys_are_written_as_people_write_them(tmp_path: Path, written: str, key: str) -> None:
    assert load(tmp_path, f'[keys]\n"grid.base" = "{written}"\n"grid.pick" = ""\n"grid.undo" = ""\n'
                f'"grid.back" = "9"\n"app.help" = ""\n"grid.pin" = ""\n')["grid.base"] == key  # fmt: skip


def test_ids_need_no_quotes(tmp_path: Path) -> None:
    assert load(tmp_path, '[keys]\ngrid.pick = "u"\n') == {"grid.pick": "u"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[keys]\n"grid.pik" = "z"\n', 2, "there is no command grid.pik"),
        ('[keys]\n\n"grid.pick" = "hyper+z"\n', 3, "there is no key 'hyper+z'"),
        ('[keys]\n"grid.pick" = 3\n', 2, "are a text"),
        ('[keys]\n"grid.pick" = "b"\n', 2, "b is 'Base of the mix' already (grid.base)"),
        ('[keys]\n"grid.pick" = "^o"\n', 2, "^o is 'Go to' already (app.go)".replace("^o", "ctrl+o")),
        ('[keys]\n"app.palette" = "p"\n', 2, "works while a text is typed"),
        ('[keys]\n"grid.pick" = "down"\n', 2, "down moves in every list"),
        ('[other]\nx = 1\n', 1, "there is no section [other]"),
        ('[keys\n', 1, "Expected"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, text)
    assert f"keys.toml:{line}:" in caught.value.message
    assert said in caught.value.message
    assert caught.value.hint


def test_two_commands_may_swap_their_keys(tmp_path: Path) -> None:
    assert load(tmp_path, '[keys]\n"grid.base" = "s"\n"grid.short" = "b"\n') == {
        "grid.base": "s",
        "grid.short": "b",
    }


def test_the_file_that_is_offered_has_every_command_and_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, keymap.template()) == {}
    for command in commands.COMMANDS:
        assert f'"{command.id}"' in keymap.template()


def test_every_key_of_the_table_could_be_written_in_the_file(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in keymap.template().split("\n") if '" = "' in line]
    written = "[keys]\n" + "\n".join(line for line in lines if '= ""' not in line)
    for id, keys in load(tmp_path, written).items():
        assert keys == commands.by_id(id).key


async def test_own_keys_work_and_are_what_is_shown(project: Path) -> None:
    own = {"files.find": "ctrl+t", "artifact.edit": "z", "space.search": keymap.NO_KEY}
    async with app_on(project, keys=own) as app:
        await app.press("ctrl+t")
        await app.type("plan")
        await app.sees("FOUND")
        await app.press("enter")
        await app.sees("Because.")
        assert "z edit" in app.screen()
        assert "^t find file" in app.screen()
        assert "^f search" not in app.screen()
        await app.press("e", "ctrl+f")
        assert "you are editing" not in app.screen()
        await app.press("z")
        await app.sees("you are editing")


async def test_letters_in_texts_are_letters_although_they_are_keys_now(project: Path) -> None:
    async with app_on(project, keys={"artifact.lock": "l", "space.search": "s"}) as app:
        await app.press("slash")
        await app.type("shopls")
        await app.until(lambda: app.workspace.files.box.value == "shopls", "the letters in the field")
