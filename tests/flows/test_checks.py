"""Checks run with the Python that the person means."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from flowide.flows.checks import _with_this_python


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of the PATH, empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["python", "python3"])
def test_a_python_that_is_nowhere_is_the_one_flowide_runs_on(path: Path, name: str) -> None:
    assert _with_this_python(f"{name} -m pytest -q") == f"{shlex.quote(sys.executable)} -m pytest -q"


def test_the_python_of_an_active_environment_is_used(path: Path) -> None:
    (path / "python").write_text("#!/bin/sh\n")
    (path / "python").chmod(0o755)

    assert _with_this_python("python -m pytest -q") == "python -m pytest -q"


@pytest.mark.parametrize("command", ["pytest -q", "pythonic x", "echo python -m x", "python"])
def test_other_commands_stay_as_they_are(path: Path, command: str) -> None:
    assert _with_this_python(command) == command
