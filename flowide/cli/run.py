"""`flowide run`: a flow, from start or from where it stopped."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, read_stdin, say, workspace_command
from flowide.errors import BadInput

if TYPE_CHECKING:
    from flowide.flows.api import Budget, RunRequest
    from flowide.headless.run import Driven, Output, Show
    from flowide.settings import Settings


@click.command(
    epilog="\b\nExamples:\n"
    "  flowide run variations --brief 'Make eviction cheap' --set path=src/cache.py --set n=4\n"
    "  flowide run variations --headless --on-gate approve --json --brief @task.md --set path=cache.py\n"
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
@click.option("--budget", metavar="AMOUNTS", help="2.50usd, 200000tok, 20m, or several with commas.")
@click.option("--lock-timeout", type=click.FloatRange(0), metavar="S", help="Seconds to wait for a lock.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds for the whole run."
)
@click.option("--parallel", type=click.IntRange(1, 64), metavar="K", help="Model calls in flight; default 4.")
@click.option("--trust", is_flag=True, help="Let commands of the project's flows run.")
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
    if flow is None and options["resume"] is None:
        raise BadInput("which flow?", hint="For example: flowide run variations …; flowide flows lists them.")
    brief = _brief(options["brief"])
    inputs = _inputs(options["given"])

    async def work(desk: Desk) -> None:
        code = await _run(desk, at, flow, brief, inputs, options)
        if code:
            raise click.exceptions.Exit(code)

    at.run(work)


async def _run(
    desk: Desk, at: Place, flow: str | None, brief: str, inputs: dict[str, Any], options: dict[str, Any]
) -> int:
    from flowide import settings
    from flowide.cli.around import surroundings
    from flowide.headless.run import Show, drive
    from flowide.space.queries import OneRun

    loaded = settings.load(desk.folder.root)
    around = surroundings(desk.folder.root, loaded=loaded)
    output: Output = options["output"] or ("jsonl" if desk.json else "text")
    asks = (
        not options["headless"] and options["on_gate"] is None and sys.stdin.isatty() and sys.stderr.isatty()
    )
    file = options["output_file"]
    show = Show(output=output, deltas=options["deltas"], quiet=options["quiet"], file=file)
    resume: str | None = None
    if options["resume"] is not None:
        view = await desk.space.read(OneRun(options["resume"]))
        resume, flow = view.run.id, view.run.flow
    assert flow is not None
    request = _request(
        flow, brief, inputs, options, loaded.settings, trusted=loaded.settings.trusts(desk.folder.root)
    )
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
        await _ask(desk, driven.run)
        resume = driven.run
    if options["output_dir"] is not None:
        await _write_all(desk, options["output_dir"], driven)
    _tell_end(desk, driven, show)
    return driven.exit_code


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
        budget=_budget(options["budget"], settings),
        lock_timeout_s=settings.lock.timeout_s
        if options["lock_timeout"] is None
        else options["lock_timeout"],
        timeout_s=options["timeout"],
        trust=options["trust"] or trusted,
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


_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(usd|\$|tok|tokens|s|m|min|h)", re.IGNORECASE)


def _budget(given: str | None, settings: Settings) -> Budget:
    from flowide.flows.api import Budget

    default = settings.budget
    values: dict[str, int | None] = {
        "cost_micros": None if default.cost_usd is None else round(default.cost_usd * 1e6),
        "tokens": default.tokens,
        "seconds": None if default.minutes is None else round(default.minutes * 60),
    }
    if given is not None:
        values = dict.fromkeys(values)
        for part in given.split(","):
            match = _AMOUNT.fullmatch(part.strip())
            if match is None:
                raise BadInput(
                    f"--budget {part.strip()[:50]!r} is no amount", hint="For example: 2.50usd,200000tok,20m"
                )
            amount, unit = float(match[1]), match[2].casefold()
            if unit in {"usd", "$"}:
                values["cost_micros"] = round(amount * 1e6)
            elif unit.startswith("tok"):
                values["tokens"] = int(amount)
            else:
                values["seconds"] = round(amount * {"s": 1, "h": 3600}.get(unit, 60))
    return Budget(**values)


async def _ask(desk: Desk, run: str) -> None:
    """Put the run's open gate to the person at the terminal."""
    from flowide.cli.asking import read_line
    from flowide.domain.commands import AnswerGate
    from flowide.space.queries import Gates

    for gate in await desk.space.read(Gates(run=run)):
        if gate.kind == "choose":
            say("  a number; '4 but with the helper of 2'; 'more 3 with fewer locks'; 'reject: reason'")
        options = f" ({', '.join(gate.options)})" if gate.options else ""
        answer = ""
        while not answer:
            answer = (await read_line(f"{options.strip()}> ".lstrip())).strip()
        word, _, reason = answer.partition(":")
        if word.strip() in {"reject", "approve"} and reason.strip():
            await desk.space.execute(AnswerGate(gate=gate.id, answer=word.strip(), reason=reason.strip()))
        else:
            await desk.space.execute(AnswerGate(gate=gate.id, answer=answer))


async def _write_all(desk: Desk, folder: Path, driven: Driven) -> None:
    """Every variation of the run as a file, and what is known about them as `variations.json`."""
    from flowide.cli.variations import write_files

    set = None if driven.result is None else driven.result.outputs.get("set")
    if set:
        await write_files(desk, set, folder)


def _tell_end(desk: Desk, driven: Driven, show: Show) -> None:
    """What a person wants to know at the end, on stderr."""
    if driven.exit_code == 141:
        return
    if driven.error is not None:
        say(f"error: {driven.error['message']}" if driven.exit_code != 3 else driven.error["message"])
        if driven.error.get("hint"):
            say(driven.error["hint"])
    result = driven.result
    if result is not None and result.resume_command:
        say(f"resume with: {result.resume_command}")
    elif driven.exit_code > 128 and driven.run:
        say(f"resume with: flowide run --resume {driven.run}")
    elif result is not None and not show.quiet and result.status == "completed" and "path" in result.outputs:
        say(f"{result.outputs['path']} is version {result.outputs['version']}")
