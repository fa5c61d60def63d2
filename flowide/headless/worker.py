"""A worker at work: the lines of the runs it drives, and one line for each that ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from flowide.errors import FlowError
from flowide.flows.api import RunResult
from flowide.flows.surroundings import Surroundings
from flowide.flows.worker import Seat, Terms, Worker
from flowide.headless import envelope, progress
from flowide.headless.envelope import Line
from flowide.headless.printer import Printer
from flowide.headless.run import cancel_when_closed, say, this_task
from flowide.headless.stream import RunStream
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space


class Ended(Struct, frozen=True):
    """What became of a run while this worker drove it."""

    run: str
    flow: str
    status: str
    exit_code: int


class Told:
    """Prints the runs of a worker: lines of JSON on stdout, or progress on stderr and the ends on stdout."""

    def __init__(self, printer: Printer, *, as_json: bool, quiet: bool, project: str | None) -> None:
        self._printer, self._json, self._quiet = printer, as_json, quiet
        self._project = project
        self.ended: list[Ended] = []

    @asynccontextmanager
    async def __call__(self, seat: Seat) -> AsyncIterator[_Teller]:
        """Tell a run while it is driven."""
        run = seat.run
        short = run.id[:13]

        async def sink(line: Line) -> None:
            if self._json:
                await self._printer.write(envelope.encode(line))
            said = progress.tell(line)
            if said is not None and (not self._quiet or line["type"] == "warning"):
                say(f"{short} {said}")

        stream = RunStream(seat.space, run.id, sink)
        await stream.start(resumed=True, after=seat.since)
        teller = _Teller(stream)
        try:
            yield teller
        finally:
            await stream.finish()
            end = teller.end()
            self.ended.append(Ended(run.id, run.flow, end["status"], end["exit_code"]))
            if self._json:
                await stream.last({"run": run.id, **end}, project=self._project)
            else:
                why = f": {end['error']['message']}" if end["error"] else ""
                await self._printer.write(f"{run.id} {run.flow} {end['status']}{why}\n".encode())


class _Teller:
    """Implements `flowide.flows.worker.Teller`."""

    def __init__(self, stream: RunStream) -> None:
        self._stream = stream
        self._result: RunResult | None = None
        self._error: FlowError | None = None

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        """Not shown."""

    def warning(self, message: str) -> None:
        """Passed on."""
        self._stream.warning(message)

    def ended(self, result: RunResult | None, error: FlowError | None) -> None:
        """Kept for the last line."""
        self._result, self._error = result, error

    def end(self) -> dict[str, Any]:
        """As `run.finished` tells it; a worker that is stopped gives the run back."""
        result, error = self._result, self._error
        if result is not None:
            return {
                "status": result.status,
                "exit_code": result.exit_code,
                "error": result.error,
                "outputs": result.outputs,
                "totals": result.totals,
            }
        status, code = ("failed", error.exit_code) if error is not None else ("queued", 143)
        told = None if error is None else error.to_dict()
        return {"status": status, "exit_code": code, "error": told, "outputs": {}, "totals": {}}


async def work(
    space: Space,
    folder: ProjectFolder,
    around: Surroundings,
    terms: Terms,
    *,
    as_json: bool,
    quiet: bool,
    project: str | None,
) -> list[Ended]:
    """Drive runs of the queue until cancelled or the terms are met; what became of each."""
    printer = Printer(sys.stdout.buffer)
    told = Told(printer, as_json=as_json, quiet=quiet, project=project)
    watch = asyncio.create_task(cancel_when_closed(printer, this_task()))
    try:
        await Worker(space, folder, around, told, terms).work()
    finally:
        watch.cancel()
        await printer.close()
    return told.ended
