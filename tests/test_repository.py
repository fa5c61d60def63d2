"""The repository as a stranger finds it: dependencies, lock files, CI, and no loose ends."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import flowide

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def extra(name: str) -> list[str]:
    """What an extra asks for; the extras of this project that it names are opened."""
    asked: list[str] = []
    for each in PROJECT["optional-dependencies"][name]:
        needed = Requirement(each)
        asked += (
            [own for of in sorted(needed.extras) for own in extra(of)] if needed.name == "flowide" else [each]
        )
    return asked


LOCKS = {
    "requirements.lock": PROJECT["dependencies"],
    "requirements-dev.lock": [*PROJECT["dependencies"], *extra("dev")],
}


def pinned(lock: str) -> dict[str, Version]:
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


def readme_command(number: int) -> str:
    """The n-th code block of the README."""
    blocks = re.split(r"^```\w*\n", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    return str(blocks[2 * number - 1]).strip()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked_to_a_version_that_fits(lock: str) -> None:
    versions = pinned(lock)
    wrong = [
        each
        for each in map(Requirement, LOCKS[lock])
        if (found := versions.get(canonicalize_name(each.name))) is None or found not in each.specifier
    ]

    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_that_is_locked_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]

    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_index_and_no_machine(lock: str) -> None:
    assert re.findall(r"https?://|file:|--index|--find-links|(?<![\w.-])/\w", (ROOT / lock).read_text()) == []


def test_both_lock_files_agree() -> None:
    use, work = (pinned(lock) for lock in LOCKS)

    assert use.items() <= work.items()


def test_known_malicious_versions_are_excluded() -> None:
    [litellm] = [each for each in map(Requirement, PROJECT["dependencies"]) if each.name == "litellm"]

    assert Version("1.82.7") not in litellm.specifier
    assert Version("1.82.8") not in litellm.specifier


def test_the_first_command_of_the_readme_runs_the_main_job_and_the_second_the_tests() -> None:
    main, tests = readme_command(1), readme_command(2)

    assert main.endswith("flowide demo --headless")
    assert ".venv/bin/pytest" in tests
    for command in (main, tests):
        assert command.startswith("python3 -m venv .venv && ")
        assert "\n" not in command


def test_ci_runs_the_commands_of_the_readme_and_all_checks() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
    for part in ("readme 1", "readme 2", "ruff check", "ruff format --check", "mypy", "lint-imports"):
        assert part in script, part


def test_the_extras_that_the_program_speaks_of_exist() -> None:
    spoken = {
        extra
        for file in (ROOT / "flowide").rglob("*.py")
        for extra in re.findall(r"flowide\[([a-z]+)\]", file.read_text())
    }

    assert spoken <= set(PROJECT["optional-dependencies"])
    assert set(PROJECT["optional-dependencies"]) >= {
        "server",
        "postgres",
        "images",
        "web",
        "local",
        "keyring",
        "dev",
    }


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    assert "## Unreleased" in text or f"## {flowide.__version__}" in text


def code() -> list[Path]:
    return [file for folder in ("flowide", "tests", "benchmarks") for file in (ROOT / folder).rglob("*.py")]


def test_no_code_is_put_off() -> None:
    marks = re.compile(r"#.*\b(?:TODO|FIXME|XXX|HACK|[Ff]or now)\b")

    assert [file.name for file in code() if file != Path(__file__) and marks.search(file.read_text())] == []


def test_no_complaint_of_a_linter_is_silenced_without_code_and_reason() -> None:
    bare = re.compile(r"# noqa(?!: [A-Z]+\d+)|# type: ignore(?!\[)|# fmt: off|# pragma: no cover")

    assert [file.name for file in code() if file != Path(__file__) and bare.search(file.read_text())] == []


def test_every_python_folder_of_the_package_says_what_it_is() -> None:
    silent = []
    for folder in {file.parent for file in (ROOT / "flowide").rglob("*.py")}:
        if "demo" in folder.relative_to(ROOT / "flowide").parts:
            continue
        init = folder / "__init__.py"
        if not init.exists() or not init.read_text().startswith('"""'):
            silent.append(str(folder.relative_to(ROOT)))

    assert silent == []
