"""Every test has a home of its own, no keys and no network, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from flowide.confinement.methods import VARIABLE as CONFINEMENT

if TYPE_CHECKING:
    from tests.postgres import Server

# How long an example takes says something about the machine, not about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_FOREIGN = ("_API_KEY", "_API_BASE", "_BASE_URL", "_AUTH_TOKEN", "_PROXY", "_proxy")
_CONFIGURED = {
    "CI", "CLICOLOR", "CLICOLOR_FORCE", "COLORFGBG", "COLORTERM", "COLUMNS", "EDITOR", "FORCE_COLOR", "LINES",
    "NO_COLOR", "PAGER", "PYTEST_ADDOPTS", "PYTHONWARNINGS", "TZ", "VISUAL",
}  # fmt: skip
_NOWHERE = "http://127.0.0.1:9"
"""The discard port: what goes out through this proxy ends at once."""
_MARK = "TESTS_OF_FLOWIDE"
"""In the environment of every process that a test starts, and nowhere else."""
_MEANT_TO_STAY = ("flowide-demo-", "flowide-check-")
"""Temporary folders: the demo is there to be looked at; copies of killed runs are cleared up by the next check."""


def pytest_configure(config: pytest.Config) -> None:
    """A plain environment, also for what is read while tests are collected."""
    signal.signal(
        signal.SIGHUP, signal.SIG_DFL
    )  # `nohup pytest` would have programs ignore a closed terminal
    root = os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    place = Path(tempfile.mkdtemp(prefix="flowide-tests-", dir=root))
    config.add_cleanup(lambda: shutil.rmtree(place, ignore_errors=True))
    for name in list(os.environ):
        foreign = name.endswith(_FOREIGN) or name.startswith(("FLOWIDE_", "GIT_", "XDG_"))
        if name in _CONFIGURED or (foreign and name != CONFINEMENT):
            del os.environ[name]
    (place / "home").mkdir()
    (place / "tmp").mkdir()
    tempfile.tempdir = str(place / "tmp")
    os.environ |= {
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "FLOWIDE_HOME": str(place / "home" / "flowide"),
        "FLOWIDE_ME_HANDLE": "ana",
        "FLOWIDE_SCRIPTED_PACE": "0",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "TZ": "UTC",
        "HTTP_PROXY": _NOWHERE,
        "HTTPS_PROXY": _NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        _MARK: uuid.uuid4().hex,
    }


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: many tests wait, for processes, disks and clocks."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home; the person who acts is ana. What a command sets in the environment ends with the test."""
    home = tmp_path_factory.mktemp("home")
    before = dict(os.environ)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FLOWIDE_HOME", str(home / "flowide"))
    yield home
    for name in os.environ.keys() - before.keys():
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """After all tests there is none of the processes they started, and none of their temporary files."""
    place = Path(tempfile.gettempdir())
    before = set(place.iterdir())
    yield
    deadline = time.monotonic() + 10
    while (processes := _processes_of_tests()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes == []
    left = set(place.iterdir()) - before
    assert [file.name for file in left if not file.name.startswith(_MEANT_TO_STAY)] == []


@pytest.fixture(scope="session")
def postgres(nothing_is_left: None) -> Iterator[Server]:
    """A PostgreSQL that the tests of one worker share; each test makes a space or a database of its own there."""
    from tests.postgres import Server

    server = Server()
    yield server
    server.close()


def _processes_of_tests() -> list[str]:
    """What runs in this session's environment, with the test that started it; Linux only."""
    mark = f"{_MARK}={os.environ[_MARK]}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ = (process / "environ").read_bytes().split(b"\0")
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in environ and int(process.name) != os.getpid():
            test = next((each for each in environ if each.startswith(b"PYTEST_CURRENT_TEST=")), b"")
            found.append(f"{process.name}: {command} started by {test.decode(errors='replace')}")
    return found
