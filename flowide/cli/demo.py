"""`flowide demo`: see everything once, without keys or network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, print_json, print_table, say

if TYPE_CHECKING:
    from flowide.headless.demo import Story
    from flowide.space.queries import VariationView


@click.command(epilog="\b\nExamples:\n  flowide demo\n  flowide demo --headless --dir ./flowide-demo")
@click.option("--headless", is_flag=True, help="Play the whole story here, to an accepted artifact.")
@click.option(
    "--dir", "folder", metavar="PATH", help="A new folder for it; by default a temporary one, which stays."
)
@click.option(
    "--as", "handle", metavar="HANDLE", default=None, help="Who you are; by default the git or login user."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def demo(headless: bool, folder: str | None, handle: str | None, as_json: bool, quiet: bool) -> None:
    """An example project with scripted agents: variations of a real class, checked by its real tests.

    The agents' answers are prepared; everything else is what it is with models: checks run, pieces are
    spliced, locks are taken, the log is written.
    """
    import tempfile

    from flowide.headless.demo import prepare

    place = Path(folder) if folder is not None else Path(tempfile.mkdtemp(prefix="flowide-demo-"))
    root = prepare(place).root
    if not headless:
        _open(root, handle)
        return
    at = Place(project=str(root), space=None, handle=handle, client=None, as_json=as_json)

    async def work(desk: Desk) -> None:
        from flowide.agents.scripted import PACE_VARIABLE
        from flowide.cli.around import surroundings
        from flowide.headless.demo import play

        if not quiet:
            say(f"example project: {root}")
        around = surroundings(root)
        around.env.setdefault(PACE_VARIABLE, "0")  # nobody watches the answers being written
        story = await play(desk.space, desk.folder, around, quiet=quiet, interrupted_by=at.caught)
        if as_json:
            print_json(_as_json(story))
        else:
            _print(story)

    at.run(work)


def _open(root: Path, handle: str | None) -> None:
    from flowide.cli.open import show_app
    from flowide.headless.demo import BRIEF, CHECKS, TARGET
    from flowide.tui.guide import Guide

    code = show_app(root, handle, guide=Guide(TARGET, BRIEF, CHECKS))
    say(f"the example project stays in {root}")
    if code:
        raise click.exceptions.Exit(code)


def _print(story: Story) -> None:
    [view] = [each for each in story.set.variations if each.variation.number == story.chosen]
    chosen, failed = view.variation, [check.name for check in view.checks if check.status != "passed"]
    checked = f"It failed {', '.join(failed)}" if failed else f"It passed all {len(view.checks)} checks"
    took = [f"{each['piece']} of {each['variation']}" for each in chosen.parents if each.get("piece")]
    base = next((each["variation"] for each in chosen.parents if not each.get("piece")), None)
    click.echo()
    print_table(
        ("NO", "ROUND", "BY", "CHECKS", "OPS/S", "SCORE", "MARKS"),
        [_row(each) for each in story.set.variations],
    )
    calls = story.totals["calls"]
    whole = "whole and sound" if not story.problems else f"NOT sound: {'; '.join(story.problems)}"
    click.echo(f"""
You said “{story.sentence}”: variation {story.chosen} is variation {base} with {", ".join(took)}, put together by code.
{checked} and was accepted under the lock as version {story.version} of
  {story.project}/{story.path}
{_faster(story, base)}
{story.messages} messages about it led to decision D{story.decision["number"]}, which every later prompt holds:
  {story.decision["text"]}
A review sent it back for {len(story.reasons)} reasons and approved version {story.approved}.

{story.events} events in the log, {whole}; {calls} answers of scripted agents; {story.seconds} s.

Where to look:
  cd {story.project}""")
    program = _program()
    places = (
        ("", "the app: the grid of variations, the run, the file"),
        ("variations compare last", "which pieces differ"),
        (f"variations compare last {base} {story.chosen}", "what the blend changed"),
        (f"artifact blame {story.path}", "who wrote which piece"),
        ("thread show last", "the discussion; `thread manifest last` shows what an agent was told"),
        ("reviews show last --diff", "why it was sent back, and what changed"),
        ("log", "the whole story"),
    )
    width = max(len(command) for command, _ in places)
    for command, what in places:
        click.echo(f"  {program} {command:<{width}}  {what}")


def _row(view: VariationView) -> tuple[object, ...]:
    from flowide.cli.variations import table_row

    number, round, by, model, _, checks, score, marks = table_row(view)
    scripted = str(model or "").startswith("scripted/")
    return number, round, f"{by}, scripted" if scripted else by, checks, _speed(view), score, marks


def _speed(view: VariationView) -> int | None:
    """What its benchmark said; None when it said nothing."""
    return next((check.metrics["ops_per_s"] for check in view.checks if "ops_per_s" in check.metrics), None)


def _faster(story: Story, base: int | None) -> str:
    by_number = {each.variation.number: each for each in story.set.variations}
    before, after = (_speed(by_number[number]) for number in (base or story.chosen, story.chosen))
    if not before or not after or after <= before:
        return ""
    return f"It does {after / before:.1f} times as much in a second as variation {base} did.\n"


def _program() -> str:
    """How this program can be called again from another folder."""
    import shutil
    import sys

    called = Path(sys.argv[0])
    return "flowide" if shutil.which("flowide") or called.name != "flowide" else str(called.resolve())


def _as_json(story: Story) -> dict[str, Any]:
    import msgspec

    from flowide.cli.variations import described

    data: dict[str, Any] = msgspec.to_builtins(story)
    data["set"] = story.set.set.id
    data["variations"] = [described(each) for each in story.set.variations]
    return data
