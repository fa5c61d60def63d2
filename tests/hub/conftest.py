"""One hub for all tests, as its own process; every test has a space of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowide.space.keys import grant_token
from tests.hub.client import Person

_names = itertools.count(1)


class RunningHub:
    """A hub that runs, and the command line of its own machine."""

    def __init__(self, process: subprocess.Popen[str], base: str, database: str, log: Path) -> None:
        self.process = process
        self.base = base
        self.database = database
        self.log = log

    def person(self, space: str, handle: str, role: str | None = None) -> Person:
        """A member with a token; the space is made with the first one."""
        return Person(self.base, space, token_of(self.database, space, handle, role))


def token_of(database: str, space: str, handle: str, role: str | None = None) -> str:
    """A token from the hub's own machine."""
    return grant_token(database, space, handle, role=role, device="test").token


@contextlib.contextmanager
def running_hub(database: str, *options: str, env: dict[str, str] | None = None) -> Iterator[RunningHub]:
    """A hub as a process, on a free port."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "hub.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "flowide", "serve", "--database", database, "--port", "0", *options],
                stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **(env or {})},
            )  # fmt: skip
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith("serving at "), log.read_text()
            yield RunningHub(process, said.removeprefix("serving at ").strip(), database, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="session")
def hub() -> Iterator[RunningHub]:
    """The hub of most tests. Its files are in memory where that is possible: each test makes a space."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="flowide-hub-", dir=memory) as folder,
        running_hub(folder) as running,
    ):
        yield running


@pytest.fixture
def space() -> str:
    """A name that no other test uses."""
    return f"space-{os.getpid()}-{next(_names)}"


@pytest.fixture
def ana(hub: RunningHub, space: str) -> Person:
    """The first owner."""
    return hub.person(space, "ana")


@pytest.fixture
def joined(hub: RunningHub, ana: Person) -> Callable[..., Person]:
    """Makes a member by an invitation of ana's."""

    def join(handle: str, role: str = "editor") -> Person:
        code = ana.do("member.invite", role=role)["code"]
        answer = ana.http("POST", "/v1/join", {"code": code, "handle": handle, "device": "laptop"})
        assert answer.status == 200, answer.body
        return Person(hub.base, ana.space, answer.json["token"])

    return join


@pytest.fixture
def doc(ana: Person) -> str:
    """Id of an artifact `doc.md` at version 1, free."""
    made: str = ana.do("artifact.create", path="doc.md", kind="document", text="one\n")["artifact"]
    return made
