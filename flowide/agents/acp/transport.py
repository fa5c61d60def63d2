"""The wire to an agent: one JSON message a line. What is no message is passed over, never a crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

MAX_LINE = 64 * 1024 * 1024
"""Bytes of one message."""


MOST_WAITING = 500
PAUSE_S = 0.01


class Wire:
    """A transport of the library's kind over the pipes of a process. Sending never raises: the end is told once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()
        self.noise: list[str] = []
        """The first lines that were no messages, for saying what went wrong."""
        self.ended = asyncio.Event()
        """Set when no message can come any more."""
        self.why_ended = ""
        self.filter: Callable[[dict[str, Any]], bool] = lambda _: True
        """Which messages are passed on."""
        self.backlog: Callable[[], int] = lambda: 0
        """How much of what came nobody has looked at yet; when it is much, nothing more is read."""

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message; when nobody reads it any more, it is lost."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        async with self._turn:
            try:
                self._writer.write(data)
                await self._writer.drain()
            except (OSError, RuntimeError):
                self._over("it closed its input")

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        while True:
            while self.backlog() > MOST_WAITING:  # noqa: ASYNC110 - a queue tells nobody that it has room
                await asyncio.sleep(PAUSE_S)
            line = await self._line()
            if line is None:
                return None
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                self._note(line)
                continue
            if isinstance(message, dict) and self.filter(message):
                return message
            if not isinstance(message, dict):
                self._note(line)

    async def close(self) -> None:
        """Send nothing any more."""
        self._writer.close()

    async def _line(self) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while True:
            try:
                part = await self._reader.readuntil(b"\n")
                return b"".join([*parts, part])
            except asyncio.LimitOverrunError as long:
                part = await self._reader.readexactly(long.consumed)
                parts.append(part)
                size += len(part)
                if size > MAX_LINE:
                    self._over(f"it sent a message of more than {MAX_LINE // 2**20} MiB")
                    return None
            except asyncio.IncompleteReadError as end:
                if end.partial or parts:
                    self._over("it ended in the middle of a message")
                else:
                    self._over("it closed its output")
                return None
            except OSError as error:
                self._over(f"its output cannot be read: {error.strerror}")
                return None

    def _note(self, line: bytes) -> None:
        if len(self.noise) < 5 and line.strip():
            self.noise.append(line[:300].decode("utf-8", "replace").strip())

    def _over(self, why: str) -> None:
        self.why_ended = self.why_ended or why
        self.ended.set()
