"""FlowIDE's end of the model worker: starts the process, sends it calls, hands on what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from typing import IO

import msgspec
from msgspec import structs

from flowide.agents.redact import redact, secrets_in
from flowide.agents.worker.frames import (
    Call,
    Cancel,
    Cancelled,
    Done,
    Failed,
    Fault,
    FromWorker,
    Ready,
    Text,
    Thought,
    pack,
    receive,
)
from flowide.errors import Unavailable
from flowide.text import one_line

START_S = 120.0
"""Seconds that litellm may take to load, on a machine that is busy and has a slow disk."""
CANCEL_S = 5.0
"""Seconds after which a worker that has not confirmed a cancel counts as hung and is killed."""

Said = Text | Thought | Done | Failed


class ModelWorker:
    """One process with litellm for any number of concurrent calls; it is started when it is first needed.

    A worker that died is started again by the next call. Belongs to the event loop that it is first used in.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        """`env` is the whole environment of the process; providers' keys are looked for in it."""
        self._env = env
        self._ids = itertools.count(1)
        self._life: _Life | None = None
        self._starting: asyncio.Task[_Life] | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process; None when none runs."""
        return self._life.process.pid if self._life is not None and self._life.alive else None

    def warm(self) -> None:
        """Begin to start the process while other work goes on; what fails is told by the first call."""
        if self._starting is None or (self._starting.done() and self.pid is None):
            self._starting = asyncio.ensure_future(self._start())
            self._starting.add_done_callback(_retrieve)

    async def ready(self) -> None:
        """Wait until the process takes calls.

        Raises:
            Unavailable: It does not start.
        """
        await self._running()

    async def frames(self, call: Call, *, until: float) -> AsyncIterator[Said]:
        """Make the attempt; the last item is `Done` or `Failed`. The id of the call is given here.

        Closing the iterator stops the attempt. `until` is in the event loop's time.

        Raises:
            TimeoutError: It is `until`.
            Unavailable: The worker does not start.
        """
        async with asyncio.timeout_at(until):
            life = await self._running()
        call = structs.replace(call, id=next(self._ids))
        said = life.begin(call)
        try:
            while True:
                async with asyncio.timeout_at(until):
                    frame = await said.get()
                if frame is None:
                    died = "the model worker died during the call"
                    frame = Failed(call.id, Fault(kind="unavailable", message=died, retry=True))
                yield frame
                if isinstance(frame, Done | Failed):
                    return
        finally:
            life.end(call.id)

    async def close(self) -> None:
        """End the process and with it every call; may be called twice."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._life is not None:
            await self._life.close()
            self._life = None

    async def _running(self) -> _Life:
        self.warm()
        assert self._starting is not None
        return await asyncio.shield(self._starting)

    async def _start(self) -> _Life:
        if self._life is not None:
            await self._life.close()
        life = self._life = _Life(self._env)
        await life.connect()
        return life


def _retrieve(task: asyncio.Task[_Life]) -> None:
    if not task.cancelled():
        task.exception()


class _Life:
    """A process from its start to its end."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._secrets = secrets_in(env)
        self._calls: dict[int, asyncio.Queue[Said | None]] = {}
        self._cancelled: dict[int, asyncio.TimerHandle] = {}
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.alive = True
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self.process = subprocess.Popen(
                    # -P: modules that lie in the current folder are not ours.
                    [
                        sys.executable,
                        "-P",
                        "-m",
                        "flowide.agents.worker",
                        str(theirs.fileno()),
                        str(os.getpid()),
                    ],
                    env=dict(env),
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._log,
                    start_new_session=True,  # ctrl+c in the terminal is ours to handle
                )
        except OSError as error:
            self._socket.close()
            self._log.close()
            raise Unavailable(f"the model worker did not start: {error}") from error

    async def connect(self) -> None:
        try:
            reader, self._writer = await asyncio.open_connection(sock=self._socket)
            decoder = msgspec.json.Decoder(FromWorker)
            try:
                async with asyncio.timeout(START_S):
                    first = await receive(reader, decoder)
            except TimeoutError:
                raise Unavailable(
                    f"the model worker did not start within {START_S:g} s", hint="Is the machine overloaded?"
                ) from None
            if not isinstance(first, Ready):
                raise Unavailable(
                    f"the model worker did not start: {await self._last_words()}",
                    hint="flowide doctor checks the installation.",
                )
        except BaseException:
            await self.close()
            raise
        self._reading = asyncio.create_task(self._read(reader, decoder))

    def begin(self, call: Call) -> asyncio.Queue[Said | None]:
        """Send the call; what comes back is put into the queue, None when the process dies."""
        said: asyncio.Queue[Said | None] = asyncio.Queue()
        if not self.alive:
            said.put_nowait(None)
            return said
        assert self._writer is not None
        self._calls[call.id] = said
        self._writer.write(pack(call))
        return said

    def end(self, call_id: int) -> None:
        """The caller listens no more; an attempt that still runs is stopped."""
        if self._calls.pop(call_id, None) is None or not self.alive:
            return
        assert self._writer is not None
        self._writer.write(pack(Cancel(call_id)))
        hung = asyncio.get_running_loop().call_later(CANCEL_S, self.process.kill)
        self._cancelled[call_id] = hung

    async def close(self) -> None:
        self.alive = False
        for hung in self._cancelled.values():
            hung.cancel()
        self._cancelled.clear()
        self.process.kill()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        else:
            self._socket.close()
        await asyncio.to_thread(self.process.wait)
        self._log.close()

    async def _read(self, reader: asyncio.StreamReader, decoder: msgspec.json.Decoder[FromWorker]) -> None:
        try:
            while (frame := await receive(reader, decoder)) is not None:
                if isinstance(frame, Ready):
                    continue
                if not isinstance(frame, Text | Thought):
                    hung = self._cancelled.pop(frame.id, None)
                    if hung is not None:
                        hung.cancel()
                if isinstance(frame, Cancelled):
                    continue
                said = self._calls.get(frame.id)
                if said is not None:
                    said.put_nowait(frame)
                    if isinstance(frame, Done | Failed):
                        del self._calls[frame.id]
        except ValueError:
            pass  # out of step: as good as dead
        finally:
            self.alive = False
            self.process.kill()
            for said in self._calls.values():
                said.put_nowait(None)
            self._calls.clear()

    async def _last_words(self) -> str:
        """What the process said on its way out: the last line, for an exception its message."""
        status = await asyncio.to_thread(self.process.wait)
        self._log.seek(0)
        lines = [line for line in self._log.read().decode("utf-8", "replace").splitlines() if line.strip()]
        last = lines[-1] if lines else f"it ended with status {status}"
        return one_line(redact(last, self._secrets), 400)
