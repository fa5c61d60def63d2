"""The command line, in this process or as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowide.cli.main import run
from tests.project_with_agents import make_project

FLOWIDE = [sys.executable, "-m", "flowide"]


class Said:
    """What a command line did."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code, self.out, self.err = code, out.decode(), err.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Here:
    """Runs command lines in this process, in the project."""

    def __init__(
        self, root: Path, captured: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.root, self._captured, self._monkeypatch = root, captured, monkeypatch

    def __call__(self, *args: str, input: bytes = b"") -> Said:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input)))
        code = run(args)
        out, err = self._captured.readouterr()
        return Said(code, out, err)


class Apart:
    """Runs command lines as processes of their own, in the project."""

    def __init__(self, root: Path, compiled: Path) -> None:
        self.root = root
        self.env = {"PYTHONPYCACHEPREFIX": str(compiled), "PYTHONDONTWRITEBYTECODE": ""}

    def __call__(
        self, *args: str, input: bytes = b"", env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> Said:
        done = subprocess.run(
            [*FLOWIDE, *args],
            cwd=cwd or self.root,
            env=os.environ | self.env | (env or {}),
            input=input,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *args: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*FLOWIDE, *args],
            cwd=self.root,
            env=os.environ | self.env | (env or {}),
            stdin=options.get("stdin", subprocess.DEVNULL),
            stdout=options.get("stdout", subprocess.PIPE),
            stderr=options.get("stderr", subprocess.PIPE),
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with agents; the current folder."""
    root = make_project(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def flowide(
    project: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Here:
    return Here(project, capfdbinary, monkeypatch)


@pytest.fixture
def apart(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Apart:
    """Its processes share compiled modules, also where none are written beside the sources."""
    return Apart(project, tmp_path_factory.getbasetemp().parent / "compiled")
