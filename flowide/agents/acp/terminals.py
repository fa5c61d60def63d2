"""Commands that an agent has FlowIDE run for it, confined like the agent itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from flowide.confinement.spawning import Guarded, Limits, spawn

MAX_OUTPUT = 1024 * 1024
"""Bytes that are kept of a command's output, the last ones, unless the agent wants less."""
MOST = 32
"""Commands of one agent at the same time."""


class TooMany(Exception):
    """The agent runs as many commands as it may."""


class Shown(Struct, frozen=True):
    """What a terminal shows."""

    output: str
    cut: bool
    code: int | None
    """Exit code, negative for a signal; None while the command runs."""


class Terminals:
    """The commands of one turn."""

    def __init__(
        self, folder: Path, writable: Sequence[Path | str] | None, env: Mapping[str, str], limits: Limits
    ):
        self._folder, self._writable, self._env, self._limits = folder, writable, env, limits
        self._running: dict[str, _Terminal] = {}
        self._count = 0

    async def create(
        self, command: str, args: Sequence[str], env: Mapping[str, str], cwd: str | None, limit: int | None
    ) -> str:
        """Start a command; the terminal's id.

        Raises:
            TooMany: End another one first.
            OSError: It cannot be started.
        """
        if len(self._running) >= MOST:
            raise TooMany(f"at most {MOST} terminals at a time")
        argv = [command, *args] if args else ["/bin/sh", "-c", command]
        program = await spawn(
            argv,
            cwd=self._place(cwd),
            env={**self._env, **env},
            writable=self._writable,
            limits=self._limits,
        )
        self._count += 1
        id = f"terminal-{self._count}"
        self._running[id] = _Terminal(program, command, min(limit or MAX_OUTPUT, MAX_OUTPUT))
        return id

    def _place(self, cwd: str | None) -> Path:
        return Path(cwd) if cwd and os.path.isdir(cwd) else self._folder

    def command(self, id: str) -> str:
        """What runs, or ran, in a terminal; empty when there is none."""
        found = self._running.get(id)
        return "" if found is None else found.command

    def shown(self, id: str) -> Shown | None:
        """What a terminal shows now; None when there is none."""
        found = self._running.get(id)
        return None if found is None else found.shown()

    async def wait(self, id: str) -> Shown | None:
        """What a terminal shows when its command has ended."""
        found = self._running.get(id)
        if found is None:
            return None
        await found.program.wait()
        await asyncio.wait({found.reading}, timeout=1)
        return found.shown()

    async def kill(self, id: str) -> bool:
        """End a command with all its children; whether there is such a terminal."""
        found = self._running.get(id)
        if found is not None:
            await found.program.end()
        return found is not None

    async def release(self, id: str) -> bool:
        """End a command and forget its terminal."""
        found = self._running.pop(id, None)
        if found is not None:
            await found.close()
        return found is not None

    async def close(self) -> None:
        """End all of them."""
        for id in list(self._running):
            await self.release(id)


class _Terminal:
    def __init__(self, program: Guarded, command: str, limit: int) -> None:
        self.program, self.command, self._limit = program, command, limit
        self._data = bytearray()
        self._cut = False
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        stream = self.program.stdout
        assert stream is not None
        while part := await stream.read(65536):
            self._data += part
            if len(self._data) > self._limit:
                del self._data[: -self._limit]
                self._cut = True

    def shown(self) -> Shown:
        # Cut at a character, as the protocol wants it.
        text = bytes(self._data).decode("utf-8", "ignore" if self._cut else "replace")
        return Shown(text, self._cut, self.program.code)

    async def close(self) -> None:
        await self.program.end()
        await asyncio.wait({self.reading}, timeout=1)
        self.reading.cancel()
        await self.program.close()
