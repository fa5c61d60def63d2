"""A bank of bugs, each of which some test has to notice: `python -m tests.space.mutants [NAME …]`.

Each is put into a copy of the package, and the tests named with it are run there. Exit 1 when one goes unnoticed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = Path(__file__).with_suffix(".toml")
BUDGET_S = 300


@dataclass(frozen=True)
class Mutant:
    """One bug: in `file`, `right` becomes `wrong`; one of `tests` fails, where some are named."""

    file: str
    right: str
    wrong: str
    tests: str = ""


def bank(file: Path = OURS) -> dict[str, Mutant]:
    """All bugs in a file, by name."""
    return {name: Mutant(**fields) for name, fields in tomllib.loads(file.read_text()).items()}


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """A copy of the package with its tests."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("flowide", "tests", "benchmarks", "themes", "flows", "pyproject.toml"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        yield copy


def unnoticed(name: str, mutant: Mutant, copy: Path) -> str | None:
    """Why a bug was not caught; None when it was."""
    run = ["pytest", "-x", "-q", "-p", "no:cacheprovider", mutant.tests]
    return unnoticed_by(run, name, mutant, copy)


def unnoticed_by(run: list[str], name: str, mutant: Mutant, copy: Path, *, says: str = "") -> str | None:
    """Why a bug was not caught by a Python module with these arguments, which `says` so; None when it was."""
    file = copy / "flowide" / mutant.file
    sound = file.read_text()
    if sound.count(mutant.right) < 1:
        return f"{name}: {mutant.file} no longer holds what is to be changed"
    wrong = sound.replace(mutant.right, mutant.wrong, 1)
    file.write_text(
        wrong.replace(
            "from __future__ import annotations\n",
            "from __future__ import annotations\n\nimport contextlib\n",
            1,
        )
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", *run], cwd=copy, capture_output=True, check=False, timeout=BUDGET_S,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None  # a test that hangs has noticed, too
    finally:
        file.write_text(sound)
    if done.returncode == 1 and says in done.stdout.decode():
        return None
    return f"{name}: {' '.join(run)} ended with {done.returncode}"


def main(names: list[str]) -> int:
    """0 when all were noticed."""
    missed = []
    with copied() as copy:
        for name, mutant in bank().items():
            if names and name not in names:
                continue
            why = unnoticed(name, mutant, copy)
            print(f"{'MISSED ' if why else 'noticed'}  {why or name}", flush=True)
            missed += [why] if why else []
    print(f"{len(missed)} of {len(names) or len(bank())} bugs went unnoticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
