"""Drives one run and tells its story: as text, as one JSON object, or as JSON lines."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from flowide.domain.ids import uuid7
from flowide.errors import FlowError
from flowide.flows.api import RunRequest, RunResult
from flowide.flows.engine import Surroundings
from flowide.headless import envelope, progress
from flowide.headless.envelope import Line
from flowide.headless.printer import Printer
from flowide.headless.stream import RunStream
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space

Output = Literal["text", "json", "jsonl", "none"]


class Show(Struct, frozen=True, kw_only=True):
    """How a run is shown."""

    output: Output = "text"
    deltas: bool = False
    """Also what agents write while they write it; `jsonl` only."""
    quiet: bool = False
    """No progress on stderr."""
    file: Path | None = None
    """Where the resulting text goes instead of stdout."""
    project: str | None = None
    """The project as it was given on the command line; None = it was not."""
    headline: bool = True
    """The line that names the run."""
    trace: bool = False
    """Where an unexpected error comes from, on stderr."""


class Driven(Struct, frozen=True):
    """How a run ended, for the one who started it."""

    run: str | None
    """None = it never began."""
    result: RunResult | None
    exit_code: int
    error: dict[str, Any] | None


async def drive(
    space: Space,
    folder: ProjectFolder,
    request: RunRequest,
    *,
    surroundings: Surroundings,
    show: Show,
    resume: str | None = None,
    interrupted_by: list[int] | None = None,
) -> Driven:
    """Start or resume a run, tell it while it goes, and tell its end.

    A cancelled task ends the run with a checkpoint and is not raised again; `interrupted_by` then holds the
    signal's number, None = the reader of stdout went away.
    """
    printer = Printer(sys.stdout.buffer)
    run = resume or uuid7()
    stream = RunStream(space, run, _sink(printer, show), deltas=show.deltas and show.output == "jsonl")
    watch = asyncio.create_task(cancel_when_closed(printer, this_task()))
    try:
        driven = await _drive(
            space,
            folder,
            request,
            surroundings,
            stream,
            resume,
            [] if interrupted_by is None else interrupted_by,
            trace=show.trace,
        )
        if printer.closed.is_set():
            driven = Driven(driven.run, driven.result, 141, driven.error)
        await _tell_end(stream, printer, show, driven)
        return Driven(driven.run, driven.result, 141, driven.error) if printer.closed.is_set() else driven
    finally:
        watch.cancel()
        await printer.close()


async def _drive(
    space: Space,
    folder: ProjectFolder,
    request: RunRequest,
    surroundings: Surroundings,
    stream: RunStream,
    resume: str | None,
    interrupted_by: list[int],
    *,
    trace: bool,
) -> Driven:
    from flowide.flows import engine

    result: RunResult | None = None
    error: dict[str, Any] | None = None
    code = 1
    try:
        await stream.start(resumed=resume is not None)
        if resume is None:
            result = await engine.start(
                space, folder, request, observer=stream, run_id=stream.run, surroundings=surroundings
            )
        else:
            result = await engine.resume(
                space, folder, resume, request=request, observer=stream, surroundings=surroundings
            )
        code, error = result.exit_code, result.error
    except asyncio.CancelledError:
        this_task().uncancel()
        code = 128 + interrupted_by[0] if interrupted_by else 141
        error = {
            "code": "interrupted",
            "message": "the run was stopped; its state is saved",
            "hint": "",
            "data": {},
        }
    except FlowError as refused:
        error, code = refused.to_dict(), refused.exit_code
    except Exception as bug:  # whatever it is, the stream ends with its last line
        error = _mistake(bug, trace=trace)
    finally:
        await stream.finish()
    began = result is not None or resume is not None or stream.flow is not None
    return Driven(stream.run if began else None, result, code, error)


def _summary(result: RunResult) -> str:
    """What a run without a resulting text has to show."""
    numbers = result.outputs.get("numbers")
    if not numbers:
        return f"run {result.run} {result.status}\n"
    listed = ", ".join(map(str, numbers))
    return f"variations {listed} of set {result.outputs['set']}\n"


def _mistake(bug: Exception, *, trace: bool) -> dict[str, Any]:
    if trace:
        import traceback

        traceback.print_exception(bug)
    said = f"{type(bug).__name__}: {bug}".rstrip(": ")
    return FlowError(f"this is a mistake in FlowIDE: {said}", hint="-v shows where.").to_dict()


async def _tell_end(stream: RunStream, printer: Printer, show: Show, driven: Driven) -> None:
    result = driven.result
    status = result.status if result is not None else "cancelled" if driven.exit_code > 128 else "failed"
    data = {
        "run": driven.run,
        "status": status,
        "exit_code": driven.exit_code,
        "error": driven.error,
        "outputs": {} if result is None else result.outputs,
        "totals": {} if result is None else result.totals,
    }
    text = None if result is None else result.outputs.get("text")
    if show.file is not None and text is not None:
        await asyncio.to_thread(show.file.write_text, text, "utf-8")
    if show.output == "jsonl":
        await stream.last(data, project=show.project)
    elif show.output == "json":
        ended = envelope.run_finished(data, flow=stream.flow, run=driven.run, project=show.project)
        whole = {"v": 1, "run": driven.run, "flow": stream.flow, **ended, "text": text}
        await printer.write(json.dumps(whole, ensure_ascii=False, indent=2, default=str).encode() + b"\n")
    elif show.output == "text" and show.file is None and driven.exit_code == 0 and result is not None:
        await printer.write((_summary(result) if text is None else text).encode())


def _sink(printer: Printer, show: Show) -> Any:
    async def pass_on(line: Line) -> None:
        if show.output == "jsonl":
            await printer.write(envelope.encode(line))
        shown = show.headline or line["type"] != "run.started"
        if (shown and not show.quiet) or line["type"] == "warning":
            said = progress.tell(line)
            if said is not None:
                say(said)

    return pass_on


def say(text: str) -> None:
    """One line on stderr, without control sequences."""
    from flowide.text import one_line

    indent = text[: len(text) - len(text.lstrip())]
    try:
        sys.stderr.write(f"{indent}{one_line(text)}\n")
        sys.stderr.flush()
    except OSError:
        return


async def cancel_when_closed(printer: Printer, task: asyncio.Task[Any]) -> None:
    """Cancel a task when the reader of stdout goes away."""
    await printer.closed.wait()
    task.cancel()


def this_task() -> asyncio.Task[Any]:
    """The task that runs this."""
    task = asyncio.current_task()
    assert task is not None
    return task
