"""`flowide variations blend | more | accept`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, print_json, say, warn, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import SetView


@click.command(
    epilog="\b\nExamples:\n  flowide variations blend last --base 4 --take 2:LRUCache._evict\n"
    "  flowide variations blend last '4 but with the helper of number 2'"
)
@click.argument("set_ref", metavar="SET")
@click.argument("sentence", required=False)
@click.option("--base", type=click.IntRange(1), metavar="NUMBER", help="The variation to start from.")
@click.option(
    "--take", "takes", metavar="NUMBER:PIECE", multiple=True, help="A piece of another one; repeatable."
)
@click.option("--dry-run", is_flag=True, help="Print the blend and keep nothing.")
@click.option("--agents", metavar="A,B", default="", help="Who makes picks of a sentence that is not plain.")
@click.option("--model", metavar="MODEL", help="Instead of the model of every agent.")
@workspace_command
def blend(
    *,
    set_ref: str,
    sentence: str | None,
    base: int | None,
    takes: tuple[str, ...],
    dry_run: bool,
    agents: str,
    model: str | None,
    at: Place,
) -> None:
    """Put pieces of other variations into one, by code; the blend is a new variation of SET.

    SENTENCE says it in words. What can only mean one thing is understood here; of anything else an agent makes
    picks, which are shown before they are spliced.
    """

    async def work(desk: Desk) -> None:
        from flowide.errors import BadInput
        from flowide.flows import blending
        from flowide.flows.choosing import read_answer
        from flowide.space.queries import OneVariationSet

        view = await desk.space.read(OneVariationSet(set_ref))
        if sentence is not None and (base is not None or takes):
            raise BadInput("give either a sentence or --base and --take", hint="See --help for both.")
        said = (
            sentence if sentence is not None else f"{base} with {', '.join(takes)}" if base and takes else ""
        )
        choice = read_answer(said, await blending.pieces_of(desk.space, view)) if said else None
        if choice is None and sentence and not dry_run:
            await _by_agent(desk, at, view, sentence, agents=agents, model=model)
            return
        if choice is None or choice.base is None or not choice.takes:
            more = " An agent can tell what it picks, without --dry-run." if sentence and dry_run else ""
            raise BadInput(
                f"{said!r} names no base with pieces of others" if said else "what shall be blended?",
                hint=f"For example: --base 4 --take 2:LRUCache._evict.{more}",
            )
        if dry_run:
            made = await blending.preview(desk.space, view, choice.base, choice.takes)
            for warning in made.warnings:
                warn(warning)
            if desk.json:
                print_json(made)
            else:
                click.echo(made.text, nl=False)
            return
        blended = await blending.blend(desk.space, view.set.id, choice.base, choice.takes)
        for warning in blended.warnings:
            warn(warning)
        parts = [f"{number}:{piece}" for number, piece in choice.takes]
        _tell_blend(desk, view.set.id, blended.number, choice.base, parts, blended.warnings)

    at.run(work)


def _tell_blend(
    desk: Desk, set: str, number: int, base: int, takes: list[str], warnings: list[str], **more: str
) -> None:
    told = {"set": set, "number": number, "base": base, "takes": takes, "warnings": warnings}
    made_of = f"{base} with {', '.join(takes)}" if takes else "taken as it stands"
    desk.tell(f"variation {number}: {made_of}", told | more)


async def _by_agent(
    desk: Desk, at: Place, view: SetView, sentence: str, *, agents: str, model: str | None
) -> None:
    """Have an agent tell what a sentence picks, and splice that: a run, so that it is in the log with its cost."""
    from flowide.cli.around import surroundings
    from flowide.flows.api import RunRequest
    from flowide.headless.run import Show, drive
    from flowide.space.queries import OneRun

    names = [each.strip().removeprefix("@") for each in agents.split(",") if each.strip()]
    driven = await drive(
        desk.space,
        desk.folder,
        RunRequest(flow="blend", brief=sentence, inputs={"set": view.set.id}, agents=names, model=model),
        surroundings=surroundings(desk.folder.root),
        show=Show(output="none", quiet=True),
        interrupted_by=at.caught,
    )
    if driven.error is not None or driven.run is None:
        say(f"error: {(driven.error or {}).get('message', 'the blend was not made')}")
        say((driven.error or {}).get("hint", ""))
        raise click.exceptions.Exit(driven.exit_code or 1)
    steps = (await desk.space.read(OneRun(driven.run))).steps
    made = next(each.result["result"] for each in steps if each.key == "blend")
    _tell_blend(desk, made["set"], made["number"], made["base"], made["takes"], [], run=driven.run)


@click.command(
    epilog="\b\nExample:\n  flowide variations shortlist last 2 4 && flowide variations more last 3 'fewer locks'"
)
@click.argument("set_ref", metavar="SET")
@click.argument("n", type=click.IntRange(1, 10), default=3)
@click.argument("wish", default="")
@click.option("--agents", metavar="A,B", default="", help="Handles or model names.")
@click.option("--model", metavar="MODEL", help="Instead of the model of every agent.")
@workspace_command
def more(*, set_ref: str, n: int, wish: str, agents: str, model: str | None, at: Place) -> None:
    """Have agents write N more (default 3), with the short list and all notes before their eyes.

    When the run that made SET waits for a choice, it goes on; otherwise this is a run of its own.
    """

    async def work(desk: Desk) -> None:
        from flowide.cli.around import surroundings
        from flowide.domain.commands import AnswerGate
        from flowide.flows.api import RunRequest
        from flowide.headless.run import Show, drive
        from flowide.space.queries import Gates, OneVariationSet

        view = await desk.space.read(OneVariationSet(set_ref))
        around = surroundings(desk.folder.root)
        show = Show(output="jsonl" if desk.json else "text")
        gate = _choosing(await desk.space.read(Gates()), view.set.id)
        if gate is not None:
            await desk.space.execute(AnswerGate(gate=gate.id, answer=f"more {n} {wish}".strip()))
        names = [each.strip().removeprefix("@") for each in agents.split(",") if each.strip()]
        driven = await drive(
            desk.space,
            desk.folder,
            RunRequest(
                flow="more",
                brief=wish,
                inputs={} if gate is not None else {"set": view.set.id, "n": n},
                agents=names,
                model=model,
            ),
            surroundings=around,
            show=show,
            resume=None if gate is None else gate.run,
            interrupted_by=at.caught,
        )
        if driven.error is not None and driven.exit_code != 3:
            say(f"error: {driven.error['message']}")
            say(driven.error.get("hint", ""))
        waits = gate is not None and driven.exit_code == 3
        if driven.exit_code and not waits:  # that it waits for a choice again is what was to be expected
            raise click.exceptions.Exit(driven.exit_code)

    at.run(work)


def _choosing(gates: list[rows.Gate], set: str) -> rows.Gate | None:
    """The open gate at which this set is chosen from."""
    return next((each for each in gates if each.kind == "choose" and each.context.get("set") == set), None)


@click.command(epilog="\b\nExample:\n  flowide variations accept last 4 -m 'constant-time eviction'")
@click.argument("set_ref", metavar="SET")
@click.argument("number", type=click.IntRange(1))
@click.option("-m", "--note", default="", metavar="TEXT", help="Why; kept with the version.")
@click.option("--path", metavar="PATH", help="Where to, when it is not the file of the set.")
@click.option(
    "--base",
    type=click.IntRange(1),
    metavar="V",
    help="The version it goes on top of; by default the one the set started from.",
)
@click.option(
    "--wait", type=click.FloatRange(0), default=30.0, metavar="S", help="Seconds to wait for the lock."
)
@workspace_command
def accept(
    *, set_ref: str, number: int, note: str, path: str | None, base: int | None, wait: float, at: Place
) -> None:
    """Save variation NUMBER as the next version of its file, under the lock.

    Exit 9 when the file has moved on since the set was made; --base says which version you have seen.
    """

    async def work(desk: Desk) -> None:
        from flowide.flows.accepting import accept as save
        from flowide.space.queries import FindArtifact, OneVariationSet

        view = await desk.space.read(OneVariationSet(set_ref))
        if number not in [each.variation.number for each in view.variations]:
            from flowide.errors import NotFound

            raise NotFound(f"there is no variation {number}", hint="List them: flowide variations list SET.")
        saved = await save(
            desk.space,
            desk.folder,
            view.set.id,
            number,
            path=path,
            note=note,
            base=base,
            lock_timeout_s=wait,
        )
        row = await desk.space.read(FindArtifact(saved.artifact))
        desk.tell(
            f"{row.path} is version {saved.version}: variation {number}",
            {
                "artifact": saved.artifact,
                "path": row.path,
                "version": saved.version,
                "set": view.set.id,
                "number": number,
            },
        )

    at.run(work)
