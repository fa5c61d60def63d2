"""Start-up: `flowide --version`, `--help` and a scripted `run --headless`, against `python -c pass`.

The package is laid out as its wheel installs it: compiled, with its data and a console script, ahead of any other
flowide on the path. A run counts without its work: what passes from `run.started` to `run.finished` is taken off.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import perf_counter

from benchmarks import Row, in_turns, row

HEAVY = ("litellm", "mcp", "acp", "textual")
ROOT = Path(__file__).parents[1]
SCRIPT = """\
#!{python}
import sys
from flowide.__main__ import main
if __name__ == '__main__':
    sys.exit(main())
"""
AGENT = "---\nhandle: ada\nrole: drafter\nbackend: scripted\nscript: ada.yaml\n---\nYou are ada.\n"
REPLIES = {"replies": [{"on": "vary", "texts": ["```python\nx = 1\n```\n", "```python\nx = 2\n```\n"]}]}
RUN = (
    *("run", "variations", "--headless", "--json", "--brief", "x", "--on-gate", "approve"),
    *("--set", "n=2", "--set", "path=a.py", "--agents", "ada"),
)


class Installed:
    """FlowIDE as a wheel installs it, and a project with a scripted agent."""

    def __init__(self, place: Path) -> None:
        self._site = place / "site"
        shutil.copytree(
            ROOT / "flowide", self._site / "flowide", ignore=shutil.ignore_patterns("__pycache__")
        )
        for data in ("themes", "flows"):
            shutil.copytree(ROOT / data, self._site / "flowide" / "data" / data)
        compileall.compile_dir(self._site, quiet=1)
        self.script = place / "flowide"
        self.script.write_text(SCRIPT.format(python=sys.executable))
        self.script.chmod(0o755)
        self.project = place / "project"
        agents = self.project / ".flowide" / "agents"
        agents.mkdir(parents=True)
        (agents / "ada.md").write_text(AGENT)
        (agents / "ada.yaml").write_text(json.dumps(REPLIES))
        (self.project / "a.py").write_text("x = 0\n")
        kept = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
        self.env = {name: os.environ[name] for name in kept if name in os.environ}
        self.env |= {"PYTHONPATH": str(self._site), "HOME": str(place), "FLOWIDE_HOME": str(place / "home")}
        self.env |= {"FLOWIDE_ME_HANDLE": "ana", "FLOWIDE_SCRIPTED_PACE": "0"}

    def call(self, *command: str) -> str:
        """What a process prints, in the project."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def flowide(self, *arguments: str) -> str:
        """What a command line prints."""
        return self.call(str(self.script), *arguments)

    def run_without_its_work(self) -> float:
        """Seconds of a headless run outside of its first and last event."""
        start = perf_counter()
        lines = self.flowide(*RUN).splitlines()
        taken = perf_counter() - start
        first, last = (datetime.fromisoformat(json.loads(lines[at])["ts"]) for at in (0, -1))
        return taken - (last - first).total_seconds()

    def heavy_modules(self, *arguments: str) -> list[str]:
        """Which of the slow libraries a command line loads."""
        code = (
            f"import sys; sys.argv = ['flowide', *{arguments!r}]\n"
            "import os, atexit\n"
            "@atexit.register\n"
            "def tell(): os.write(2, ' '.join(m for m in sys.modules if '.' not in m).encode())\n"
            "from flowide.__main__ import main; main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = done.stderr.split()
        assert "sys" in loaded, done.stderr
        return [name for name in HEAVY if name in loaded]


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark."""
    rounds = 15 if quick else 60
    with tempfile.TemporaryDirectory() as place:
        here = Installed(Path(place))
        starts: list[float] = []

        actions = (
            lambda: here.call(sys.executable, "-c", "pass"),
            lambda: here.flowide("--version"),
            lambda: here.flowide("--help"),
            lambda: starts.append(here.run_without_its_work()),
        )
        bare, version, root_help, whole = in_turns(*actions, rounds=rounds)
        start = statistics.median(starts[1:])
        rows = [_row("flowide --version", version, bare, 1.5), _row("flowide --help", root_help, bare, 5)]
        rows.append(_row("flowide run --headless, without its work", start, bare, 12))
        rows.append(_row("flowide run --headless, whole", whole, bare, 12, plus=whole - start))
        rows.append(_heavy(here, [["--version"], ["--help"], RUN]))
        return rows


def _row(name: str, seconds: float, bare: float, at_most: float, *, plus: float = 0.0) -> Row:
    goal = f"≤ {at_most:g} × python -c pass" + (" plus its work" if plus else "")
    return row(name, seconds * 1e3, "ms", bare * 1e3, goal=goal, at_most=at_most, plus=plus * 1e3)


def _heavy(here: Installed, commands: Sequence[Sequence[str]]) -> Row:
    loaded = {name for command in commands for name in here.heavy_modules(*command)}
    goal = f"none of {', '.join(HEAVY)}"
    return row("slow libraries that these load", len(loaded), "libraries", 0, goal=goal, at_most=1)
