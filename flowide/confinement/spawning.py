"""Starts a program under a keeper: confined, bounded, and gone with all its children when it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from flowide.confinement.methods import DEVICES, confinement, kept_in, python

_LONGEST_END_S = 15.0
_KEEPER = "from flowide.confinement.keeper import main; main()"
_MARK = "FLOWIDE_KEPT"
Ended = Literal["exit", "stopped", "processes", "memory", "lost"]
"""`lost`: the keeper itself was killed."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a program and all its children may use."""

    processes: int = 512
    memory: int = 4 * 1024**3
    """Bytes of all of them together (Linux), and of the data of each."""
    file_size: int = 1024**3
    """Bytes of a file that is written."""


class Guarded:
    """A program that runs under a keeper. `stdin`, `stdout` and `stderr` are the program's."""

    def __init__(self, keeper: asyncio.subprocess.Process, lifeline: int, report: int, mark: str) -> None:
        """`mark` is in the environment of all that it keeps."""
        self._mark = mark
        self._keeper, self._report = keeper, report
        self._lifeline: int | None = lifeline
        self._ended: Ended | None = None
        self._code: int | None = None

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """None unless it was asked for."""
        return self._keeper.stdin

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """None unless it was asked for."""
        return self._keeper.stdout

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        """None unless it was asked for."""
        return self._keeper.stderr

    @property
    def keeper(self) -> int:
        """Id of the keeper's process."""
        return self._keeper.pid

    @property
    def running(self) -> bool:
        """Whether the keeper has not ended yet."""
        return self._keeper.returncode is None

    @property
    def ended(self) -> Ended | None:
        """How it ended; None while it runs."""
        return self._ended

    @property
    def code(self) -> int | None:
        """The program's exit code, negative for a signal; None while it runs."""
        return self._code

    async def wait(self) -> int:
        """Wait until the program has ended, and all that it left running with it; its exit code."""
        # The library's own wait() also waits until its output was read.
        while self._keeper.returncode is None:  # noqa: ASYNC110 - nothing tells it earlier
            await asyncio.sleep(0.01)
        await self.end()
        assert self._code is not None
        return self._code

    async def end(self) -> None:
        """Kill the program and every process below it, unless it has ended. Its output can still be read."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_END_S):
                while self._keeper.returncode is None:  # noqa: ASYNC110 - as in wait
                    await asyncio.sleep(0.005)
        if self._keeper.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._keeper.kill()
        self._read_report()
        if self._ended == "lost":  # somebody killed the keeper, and nobody has adopted what it kept
            await asyncio.to_thread(_kill_marked, self._mark)

    async def close(self) -> None:
        """End it, and let go of its pipes; may be called twice."""
        await self.end()
        transport: Any = getattr(self._keeper, "_transport", None)
        if transport is not None:
            transport.close()
        await self._keeper.wait()

    def _read_report(self) -> None:
        if self._ended is not None:
            return
        try:
            told = json.loads(os.read(self._report, 4096) or b"{}")
        except (OSError, ValueError):
            told = {}
        os.close(self._report)
        self._ended, self._code = told.get("ended", "lost"), told.get("code", -signal.SIGKILL)


async def spawn(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    writable: Sequence[Path | str] | None,
    limits: Limits | None = None,
    stdin: int | None = asyncio.subprocess.DEVNULL,
    stdout: int | None = asyncio.subprocess.PIPE,
    stderr: int | None = asyncio.subprocess.STDOUT,
    buffer: int = 2**16,
) -> Guarded:
    """Start a program that can write only to `writable` (where the system can see to that); None = anywhere.

    Raises:
        OSError: The keeper could not be started. A program that cannot be started ends with 127.
    """
    limits = limits or Limits()
    method = "none" if writable is None else (await asyncio.to_thread(confinement)).method
    places = _real(writable or ())
    lifeline, ours = os.pipe()
    report, theirs = os.pipe()
    os.set_blocking(report, False)
    mark = uuid.uuid4().hex
    spec = {
        "argv": kept_in(method, argv, places),
        "landlock": [*places, *DEVICES] if method == "landlock" else None,
        "lifeline": lifeline,
        "report": theirs,
        "processes": limits.processes,
        "memory": limits.memory,
        # Not RLIMIT_AS: V8 and the JVM reserve far more address space than they use.
        "rlimits": {
            "RLIMIT_DATA": limits.memory,
            "RLIMIT_FSIZE": limits.file_size,
            "RLIMIT_CORE": 0,
        },
    }
    try:
        keeper = await asyncio.create_subprocess_exec(
            *python(),
            _KEEPER,
            json.dumps(spec),
            cwd=cwd,
            env={**env, _MARK: mark},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            limit=buffer,
            start_new_session=True,
            pass_fds=(lifeline, theirs),
        )
    except BaseException:
        os.close(ours)
        os.close(report)
        raise
    finally:
        os.close(lifeline)
        os.close(theirs)
    return Guarded(keeper, ours, report, mark)


def _real(paths: Sequence[Path | str]) -> list[str]:
    return [os.path.realpath(path) for path in paths]


def _kill_marked(mark: str) -> None:
    """Kill every process with the mark in its environment (Linux), also those that are born meanwhile."""
    wanted = f"{_MARK}={mark}".encode()
    until = time.monotonic() + _LONGEST_END_S
    while time.monotonic() < until:
        found = False
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, ValueError):
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    found = True
                    os.kill(int(process.name), signal.SIGKILL)
        if not found:
            return
        time.sleep(0.02)
