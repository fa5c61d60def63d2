"""The reference page says what the commands are."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from flowide.cli.commands import COMMANDS
from flowide.cli.main import root
from flowide.cli.reference import page
from flowide.errors import BY_CODE
from flowide.exit_codes import EXIT_CODES
from flowide.settings import known_variables

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
TEXT = PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    assert page() == TEXT, "run: python -m flowide.cli.reference > docs/command-line.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_page_with_an_example(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    names = [name]
    if isinstance(command, click.Group):
        names += [f"{name} {each}" for each in command.commands]
    for each in names:
        heading = f"\n### flowide {each}\n"
        assert heading in TEXT
        section = TEXT.split(heading)[1].split("\n### ")[0]
        assert f"flowide {name}" in section.split("```sh")[-1], each


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_on_the_page(code: int) -> None:
    assert f"\n| {code} | {EXIT_CODES[code]} |\n" in TEXT


@pytest.mark.parametrize("code", BY_CODE)
def test_every_error_code_is_on_the_page(code: str) -> None:
    assert f"\n| `{code}` | {BY_CODE[code].exit_code} | " in TEXT


def test_every_setting_is_on_the_page_with_its_meaning() -> None:
    for section, name, _ in known_variables().values():
        [line] = [line for line in TEXT.splitlines() if line.startswith(f"| `[{section}] {name}` |")]
        assert len(line.split("|")[3].strip()) > 10, line
