"""`flowide run`: a flow, from start or from where it stopped."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from flowide.cli.desk import Desk, Place, read_stdin, say, workspace_command
from flowide.errors import BadInput, FlowError
from flowide.patterns import lazy

if TYPE_CHECKING:
    from flowide.flows.api import Budget, RunRequest
    from flowide.flows.surroundings import Surroundings
    from flowide.headless.run import Driven, Output, Show
    from flowide.settings import Settings


@click.command(
    epilog="\b\nExamples:\n"
    "  flowide run variations --brief 'Make eviction cheap' --set path=src/cache.py --set n=4\n"
    "  flowide run variations --headless --on-gate approve --json --brief @task.md --set path=cache.py\n"
    "  flowide run variations --set path=cache.py --manifest\n"
    "  flowide run --resume last --headless"
)
@click.argument("flow", required=False)
@click.option(
    "--headless", is_flag=True, help="Never ask; stop at a gate (exit 3) unless --on-gate says more."
)
@click.option("--brief", metavar="TEXT|@FILE|-", help="What is wanted; - reads stdin.")
@click.option(
    "--set", "given", metavar="KEY=VALUE", multiple=True, help="An input; again for more lines of a list."
)
@click.option("--agents", metavar="A,B", help="Handles or model names.")
@click.option("--model", metavar="MODEL", help="Instead of the model of every agent.")
@click.option(
    "--on-gate",
    type=click.Choice(["stop", "approve", "reject"]),
    help="What answers gates; by default a person, without a terminal stop.",
)
@click.option(
    "--budget",
    metavar="AMOUNTS",
    help="2.50usd, 200000tok, 20m, 40turns, each also with /agent; several with commas.",
)
@click.option("--lock-timeout", type=click.FloatRange(0), metavar="S", help="Seconds to wait for a lock.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds for the whole run."
)
@click.option("--parallel", type=click.IntRange(1, 64), metavar="K", help="Model calls in flight; default 4.")
@click.option(
    "--allow",
    metavar="TOOL",
    multiple=True,
    help="A tool agents may use without asking: git/git_status, git, '*'; again for more.",
)
@click.option("--trust", is_flag=True, help="Let the project's commands and tool servers run.")
@click.option("--queue", is_flag=True, help="Leave the run to `flowide worker`; its id is printed.")
@click.option(
    "--manifest",
    is_flag=True,
    help="Only show what the agents would be told first; nothing is sent or written.",
)
@click.option("--resume", metavar="RUN|last", help="Go on with a run that stopped.")
@click.option(
    "-o", "--output-file", type=click.Path(path_type=Path, dir_okay=False), help="The resulting text."
)
@click.option(
    "--output-dir", type=click.Path(path_type=Path, file_okay=False), help="All variations as files."
)
@click.option("--output", type=click.Choice(["text", "json", "jsonl"]), help="What stdout is; default text.")
@click.option("--deltas", is_flag=True, help="With jsonl also what agents write, while they do.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@workspace_command
def run(flow: str | None, at: Place, **options: Any) -> None:
    """Run a flow by name or file. Its result is printed on stdout, progress on stderr.

    On a terminal its gates are asked here; with --headless, or without a terminal, nothing is asked.
    """
    output: Output = options["output"] or ("jsonl" if at.json else "text")
    rehearsed = options["manifest"]
    at.client = at.client or str(uuid4())  # what the person holds in a shell is held elsewhere
    began: list[bool] = []

    async def work(desk: Desk) -> None:
        code = await _run(desk, at, flow, brief, inputs, options, output=output, began=began)
        if code:
            raise click.exceptions.Exit(code)

    try:
        if flow is None and options["resume"] is None:
            hint = "For example: flowide run variations …; flowide flows lists them."
            raise BadInput("which flow?", hint=hint)
        if rehearsed and (options["resume"] or options["queue"]):
            raise BadInput("--manifest is about a new run", hint="Leave out --resume and --queue.")
        brief = _brief(options["brief"])
        inputs = _inputs(options["given"])
        _check_writable(options["output_file"], options["output_dir"])
        at.run(work)
    except FlowError as error:
        if not began and not rehearsed:
            _tell_refusal(error, output)
        raise


def _tell_refusal(error: FlowError, output: Output) -> None:
    """The one line, or object, of a run that could not even be looked at."""
    from datetime import UTC, datetime

    from flowide.headless import envelope

    told = {"status": "failed", "exit_code": error.exit_code, "error": error.to_dict()}
    data = envelope.run_finished(told, flow=None, run=None)
    if output == "jsonl":
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = envelope.line("run.finished", data, seq=0, ts=now, run=None)
        click.echo(envelope.encode(line), nl=False)
    elif output == "json":
        click.echo(json.dumps({"v": 1, "run": None, "flow": None, **data}, ensure_ascii=False, indent=2))


def _check_writable(file: Path | None, folder: Path | None) -> None:
    """Raise BadInput when the results could not be written at the end."""
    for option, place in (("-o", file), ("--output-dir", folder)):
        if place is None:
            continue
        near = next(each for each in (place, *place.absolute().parents) if each.exists())
        wrong_kind = near.is_dir() != (near != place or option == "--output-dir")
        missing = option == "-o" and near not in (place, place.absolute().parent)
        if wrong_kind or missing or not os.access(near, os.W_OK):
            raise BadInput(f"{option} {place} cannot be written", hint="Choose another place.")


async def _run(
    desk: Desk,
    at: Place,
    flow: str | None,
    brief: str,
    inputs: dict[str, Any],
    options: dict[str, Any],
    *,
    output: Output,
    began: list[bool],
) -> int:
    from flowide import settings
    from flowide.cli.around import surroundings
    from flowide.cli.run_asking import ask_gates, ask_inputs
    from flowide.headless.run import Show, drive
    from flowide.space.queries import OneRun

    loaded = settings.load(desk.folder.root)
    around = surroundings(desk.folder.root, loaded=loaded)
    somebody = not options["headless"] and sys.stdin.isatty() and sys.stderr.isatty()
    asks = somebody and options["on_gate"] is None
    file = options["output_file"]
    show = Show(
        output=output,
        deltas=options["deltas"],
        quiet=options["quiet"],
        file=file,
        project=at.project,
        trace=bool(click.get_current_context().meta.get("flowide.verbose")),
    )
    resume: str | None = None
    if options["resume"] is not None:
        view = await desk.space.read(OneRun(options["resume"]))
        resume, flow = view.run.id, view.run.flow
    assert flow is not None
    if somebody and resume is None:
        brief, inputs = await ask_inputs(desk, flow, brief, inputs, around.user_flows)
    request = _request(
        flow, brief, inputs, options, loaded.settings, trusted=loaded.settings.trusts(desk.folder.root)
    )
    if options["resume"] is not None:
        request = _resumed(request, view.run.options, options)
    if options["manifest"]:
        from flowide.cli.rehearsing import show_calls

        await show_calls(desk, request, around)
        return 0
    if options["queue"]:
        await _queue(desk, request, resume, around)
        return 0
    began.append(True)
    while True:
        driven = await drive(
            desk.space,
            desk.folder,
            request,
            surroundings=around,
            show=show,
            resume=resume,
            interrupted_by=at.caught,
        )
        if driven.exit_code != 3 or not asks or driven.run is None:
            break
        await ask_gates(desk, driven.run)
        resume = driven.run
    if options["output_dir"] is not None:
        await _write_all(desk, options["output_dir"], driven)
    _tell_end(at, driven, show)
    return driven.exit_code


async def _queue(desk: Desk, request: RunRequest, run: str | None, around: Surroundings) -> None:
    """Leave a new run, or one that has stopped, to the workers."""
    from flowide.flows import engine

    if run is None:
        run = await engine.enqueue(desk.space, desk.folder, request, surroundings=around)
    else:
        await engine.requeue(desk.space, run)
    desk.tell(run, {"run": run, "flow": request.flow, "status": "queued"})
    say("a worker drives it: flowide worker")


def _request(
    flow: str,
    brief: str,
    inputs: dict[str, Any],
    options: dict[str, Any],
    settings: Settings,
    *,
    trusted: bool,
) -> RunRequest:
    from flowide.flows.api import RunRequest

    chosen = [each.strip().removeprefix("@") for each in (options["agents"] or "").split(",") if each.strip()]
    return RunRequest(
        flow=flow,
        brief=brief,
        inputs=inputs,
        agents=chosen,
        model=options["model"],
        on_gate=options["on_gate"] or "stop",
        parallel=options["parallel"] or settings.limits.parallel,
        budget=_budget(options["budget"]),
        lock_timeout_s=settings.lock.timeout_s
        if options["lock_timeout"] is None
        else options["lock_timeout"],
        timeout_s=options["timeout"],
        trust=options["trust"] or trusted,
        allow=[each for given in options["allow"] for each in given.split(",") if each.strip()],
    )


def _brief(given: str | None) -> str:
    if given is None:
        return ""
    if given == "-":
        data, source = read_stdin(), "stdin"
    elif given.startswith("@"):
        source = given[1:]
        try:
            data = Path(source).read_bytes()
        except (OSError, ValueError) as error:
            raise BadInput(f"--brief {given}: {error}", hint="Name a file that can be read.") from None
    else:
        return given
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadInput(f"the brief in {source} is not UTF-8: {error.reason} at byte {error.start}") from None


def _inputs(given: tuple[str, ...]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise BadInput(f"--set {each[:100]!r} is no key=value", hint="For example: --set n=4")
        inputs[name] = f"{inputs[name]}\n{value}" if name in inputs else value
    return inputs


def _resumed(request: RunRequest, stored: dict[str, Any], options: dict[str, Any]) -> RunRequest:
    """What is not said anew stays as it was said when the run began."""
    import msgspec

    from flowide.flows.api import RunRequest

    before = msgspec.convert(stored, RunRequest)
    kept = {
        "parallel": "parallel",
        "budget": "budget",
        "lock_timeout": "lock_timeout_s",
        "timeout": "timeout_s",
        "on_gate": "on_gate",
    }
    fields = {field: getattr(before, field) for option, field in kept.items() if options[option] is None}
    if fields.get("on_gate") == "wait":  # it began in the app, where people were
        fields["on_gate"] = "stop"
    return msgspec.structs.replace(request, **fields)


_AMOUNT = lazy(r"(\d+(?:\.\d+)?)\s*(usd|\$|tok|tokens|s|m|min|h|turns?)(\s*/\s*agent)?", re.IGNORECASE)


def _budget(given: str | None) -> Budget:
    from flowide.flows.api import Budget

    values: dict[str, int] = {}
    for part in [] if given is None else given.split(","):
        match = _AMOUNT.fullmatch(part.strip())
        if match is None:
            raise BadInput(
                f"--budget {part.strip()[:50]!r} is no amount",
                hint="For example: 2.50usd,200000tok,20m,40turns,9turns/agent",
            )
        amount, unit = float(match[1]), match[2].casefold()
        if unit in {"usd", "$"}:
            field, value = "cost_micros", amount * 1e6
        elif unit.startswith("tok"):
            field, value = "tokens", amount
        elif unit.startswith("turn"):
            field, value = "turns", amount
        else:
            field, value = "seconds", amount * {"s": 1, "h": 3600}.get(unit, 60)
        values[f"agent_{field}" if match[3] else field] = round(value)
    return Budget(**values)


async def _write_all(desk: Desk, folder: Path, driven: Driven) -> None:
    """Every variation of the run as a file, and what is known about them as `variations.json`."""
    from flowide.cli.variations import write_files

    set = None if driven.result is None else driven.result.outputs.get("set")
    if set:
        await write_files(desk, set, folder)


def _tell_end(at: Place, driven: Driven, show: Show) -> None:
    """What a person wants to know at the end, on stderr."""
    from flowide.headless.envelope import resume_command

    if driven.exit_code == 141:
        return
    if driven.error is not None:
        say(f"error: {driven.error['message']}" if driven.exit_code != 3 else driven.error["message"])
        if driven.error.get("hint"):
            say(driven.error["hint"])
    result = driven.result
    resumable = result.resume_command is not None if result is not None else driven.exit_code > 128
    if resumable and driven.run:
        say(f"resume with: {resume_command(None, driven.run, at.project)}")
    elif result is not None and not show.quiet and result.status == "completed" and "path" in result.outputs:
        say(f"{result.outputs['path']} is version {result.outputs['version']}")
