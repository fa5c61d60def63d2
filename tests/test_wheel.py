"""What is built holds what the program needs, and finds it when it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def build(target: str, source: Path, to: Path) -> Path:
    """The wheel or sdist of a source tree; needs no network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(to)],
        check=True, cwd=source, capture_output=True, timeout=300,
    )  # fmt: skip
    [made] = to.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with just the wheel's files."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def run(installed: Path, cwd: Path, *args: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *args], check=True, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.stdout


@pytest.mark.parametrize("folder", ["themes", "flows"])
def test_data_ships_inside_the_package(wheel: Path, folder: str) -> None:
    shipped = {Path(name).name for name in files(wheel) if name.startswith(f"flowide/data/{folder}/")}

    assert shipped == {file.name for file in (ROOT / folder).iterdir()}


def test_every_file_of_the_package_ships(wheel: Path) -> None:
    ours = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "flowide").rglob("*")
        if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in file.parts)
    }

    assert ours <= files(wheel)


def test_nothing_else_ships(wheel: Path) -> None:
    assert {name.split("/")[0] for name in files(wheel)} == {
        "flowide",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }


def test_an_installed_program_finds_its_flows(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, "-m", "flowide", "flows", "show", "variations")

    assert said == (ROOT / "flows" / "variations.yaml").read_text()


def test_an_installed_program_finds_its_themes(installed: Path, tmp_path: Path) -> None:
    code = "from flowide.tui import theme; print(*theme.names(), theme.__file__, sep='\\n')"

    *names, file = run(installed, tmp_path, "-c", code).splitlines()

    assert Path(file).is_relative_to(installed)
    assert set(names) >= {each.stem for each in (ROOT / "themes").iterdir()}


def test_a_source_archive_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", ROOT, tmp_path / "sdist")) as archive:
        # Python 3.11.2, which Debian has, knows no filters yet.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(tmp_path / "source")
    [source] = (tmp_path / "source").iterdir()

    again = build("wheel", source, tmp_path / "wheel")

    assert files(again) == files(wheel)
    for needed in (
        "requirements.lock",
        "requirements-dev.lock",
        ".ci/run",
        "AGENTS.md",
        "tests/test_wheel.py",
    ):
        assert (source / needed).exists(), needed
