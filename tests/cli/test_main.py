"""The root of the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

import flowide as package
from flowide.cli.commands import COMMANDS, SECTIONS
from flowide.cli.main import root
from flowide.errors import BY_CODE
from flowide.exit_codes import EXIT_CODES
from tests.cli.conftest import Apart, Here

HEAVY = ("litellm", "mcp", "acp", "textual")


def test_every_command_is_in_one_section_of_the_help() -> None:
    listed = [name for commands in SECTIONS.values() for name in commands]

    assert len(listed) == len(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(flowide: Here, name: str) -> None:
    said = flowide(name, "--help")

    assert said.code == 0
    assert "Example" in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_has_help_with_an_example(flowide: Here, name: str) -> None:
    import click

    command = root.get_command(click.Context(root), name)
    for each in command.commands if isinstance(command, click.Group) else ():
        said = flowide(name, each, "--help")
        assert said.code == 0
        assert "Example" in said.out, (name, each)


def test_every_errors_exit_code_is_in_the_table() -> None:
    assert {error.exit_code for error in BY_CODE.values()} <= set(EXIT_CODES)


def test_the_version_is_told(apart: Apart) -> None:
    said = apart("--version")

    assert (said.code, said.out) == (0, f"flowide {package.__version__}\n")


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["run", "--help"],
        ["doctor"],
        ["flows"],
        ["agents"],
        ["runs"],
        [
            "run",
            "variations",
            "--headless",
            "--brief",
            "x",
            "--set",
            "path=src/shop.py",
            "--on-gate",
            "approve",
        ],
    ],
    ids=lambda args: " ".join(args[:3]),
)
def test_no_command_imports_what_it_does_not_need(apart: Apart, args: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['flowide', *{args!r}]\n"
        "from flowide.__main__ import _run\n"
        "assert _run(sys.argv[1:]) == 0\n"
        "sys.stderr.write('\\nLOADED ' + ' '.join(sorted(m.split('.')[0] for m in sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=apart.root, capture_output=True, text=True, check=True
    )

    loaded = set(done.stderr.rsplit("LOADED ", 1)[1].split())
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["run"],
        ["run", "nope"],
        ["run", "variations", "--budget", "much"],
        ["run", "variations", "--set", "n"],
        ["run", "variations", "--brief", "@missing.md", "--set", "path=x"],
        ["gate", "answer", "nope", "yes"],
        ["variations", "show", "nope", "1"],
        ["artifact", "show", "../outside"],
        ["lock", "acquire", "missing.py"],
        ["--project", "missing"],
        ["flows", "show", "nope"],
    ],
    ids=" ".join,
)
def test_bad_input_is_one_clear_message_and_exit_2(flowide: Here, args: list[str]) -> None:
    said = flowide(*args)

    assert said.code == 2, said
    assert said.err.startswith(("error: ", "Usage")) or "error: " in said.err
    assert "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) <= 3


def test_a_typo_is_put_right(flowide: Here) -> None:
    assert "Did you mean variations?" in flowide("variatons").err


def test_a_refusal_with_json_is_an_object_on_stdout(flowide: Here) -> None:
    said = flowide("variations", "list", "nope", "--json")

    assert said.code == 2
    assert said.json["code"] == "not_found"
    assert set(said.json) == {"code", "message", "hint", "data"}


def test_v_shows_where_an_error_comes_from(flowide: Here) -> None:
    assert "Traceback" in flowide("variations", "list", "nope", "-v").err


def test_a_reader_that_goes_away_ends_a_listing_quietly(apart: Apart) -> None:
    process = apart.begin("events")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    code = process.wait(30)
    assert code in {0, 141}
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[limits]\nparallel = 'x'\n", "config.toml:2:12: [limits] parallel"),
        ("[limits]\nparalel = 2\n", "config.toml:2:1: there is no setting [limits] paralel"),
        ("[limit]\nparallel = 2\n", "config.toml:1:2: there is no setting [limit]"),
        ("[limits\n", "config.toml:1:"),
        ("[trust]\nprojects = ['/']\n", "a project cannot trust itself"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(flowide: Here, text: str, said: str) -> None:
    (flowide.root / ".flowide" / "config.toml").write_text(text)

    told = flowide("run", "variations", "--brief", "x", "--set", "path=src/shop.py", "--headless")

    assert told.code == 2
    assert said in told.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_completes(apart: Apart, shell: str) -> None:
    said = apart("completion", shell)

    assert said.code == 0
    assert "_FLOWIDE_COMPLETE" in said.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("va", ["plain,variations"]),
        ("lock a", ["plain,acquire"]),
        ("lock acquire --pu", ["plain,--purpose"]),
        ("artifact show src", ["file,src"]),
        ("completion z", ["plain,zsh"]),
    ],
)
def test_completion_knows_commands_options_and_files(apart: Apart, words: str, offered: list[str]) -> None:
    at = str(len(words.split()))

    said = apart(
        env={"_FLOWIDE_COMPLETE": "bash_complete", "COMP_WORDS": f"flowide {words}", "COMP_CWORD": at}
    )

    assert said.out.split() == offered


def test_a_group_without_a_command_shows_its_help_and_is_a_usage_error(flowide: Here) -> None:
    said = flowide("lock")

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Usage: flowide lock")
    assert "acquire" in said.err
