"""`flowide artifact diff`: how two versions differ."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from flowide.cli.common import files
from flowide.cli.desk import Desk, Place, print_json, print_text, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows


@click.command(
    epilog="\b\nExamples:\n  flowide artifact diff src/cache.py\n"
    "  flowide artifact diff src/cache.py@2 src/cache.py@5 --side-by-side\n"
    "  flowide artifact diff src/cache.py 2 5"
)
@click.argument("a", metavar="PATH[@VERSION]", shell_complete=files)
@click.argument("others", metavar="[VERSION [VERSION] | PATH[@VERSION]]", shell_complete=files, nargs=-1)
@click.option("--version", "versions", type=click.IntRange(1), multiple=True, help="Once or twice.")
@click.option(
    "-y", "--side-by-side", "beside", is_flag=True, help="In two columns, with the words that differ."
)
@click.option(
    "--width",
    type=click.IntRange(20),
    metavar="N",
    help="Columns of --side-by-side; by default the terminal's.",
)
@click.option(
    "-U", "--context", type=click.IntRange(0), default=3, show_default=True, help="Lines around a change."
)
@workspace_command
def diff(
    *,
    a: str,
    others: tuple[str, ...],
    versions: tuple[int, ...],
    beside: bool,
    width: int | None,
    context: int,
    at: Place,
) -> None:
    """Show how two versions differ; by default the newest one and the one before it."""

    async def work(desk: Desk) -> None:
        from flowide.project.diffs import counts, unified
        from flowide.project.kinds import is_text

        b, wanted = _read(others, versions)
        (name_a, before), (name_b, after) = await _sides(desk, a, b, wanted)
        if desk.json:
            added, removed = counts(before, after)
            text = unified(before, after, name_a, name_b, context=context)
            print_json({"a": name_a, "b": name_b, "added": added, "removed": removed, "diff": text})
        elif beside and is_text(before) and is_text(after):
            _print_facing(
                before.decode(), after.decode(), context, width or shutil.get_terminal_size((120, 0)).columns
            )
        else:
            print_text(unified(before, after, name_a, name_b, context=context).encode())

    at.run(work)


def _print_facing(before: str, after: str, context: int, width: int) -> None:
    from flowide.project.comparing import facing, side_by_side
    from flowide.text import printable

    rows = facing(printable(before), printable(after), context=context)
    if sys.stdout.isatty() and not _plain():
        lines = side_by_side(
            rows, width, removed="\x1b[31;9m{}\x1b[0m".format, added="\x1b[32;4m{}\x1b[0m".format
        )
    else:
        lines = side_by_side(rows, width)
    for line in lines:
        click.echo(line, color=True)


def _plain() -> bool:
    import os

    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def _read(others: tuple[str, ...], versions: tuple[int, ...]) -> tuple[str | None, tuple[int, ...]]:
    """What stands behind the first path: another one, or versions."""
    from flowide.errors import BadInput

    if others and all(each.isascii() and each.isdigit() for each in others):
        return None, (*versions, *map(int, others))
    if len(others) > 1:
        raise BadInput(
            f"{len(others) + 1} things cannot be compared", hint="Write PATH 2 5, or PATH@2 OTHER@5."
        )
    return (others[0] if others else None), versions


async def _sides(desk: Desk, a: str, b: str | None, versions: tuple[int, ...]) -> list[tuple[str, bytes]]:
    """Name and bytes of what is compared."""
    from flowide.errors import BadInput
    from flowide.space.queries import Content

    if len(versions) > 2 or (versions and b is not None):
        raise BadInput("one path goes with one or two versions", hint="Write PATH 2 5, or PATH@2 OTHER@5.")
    first, version_a = await _versioned(desk, a)
    if b is not None:
        second, version_b = await _versioned(desk, b)
        chosen = [(first, version_a or first.version), (second, version_b or second.version)]
    elif versions:
        one, other = versions[0], versions[1] if len(versions) == 2 else first.version
        chosen = [(first, one), (first, other)]
    else:
        newest = first.version
        chosen = [(first, version_a or newest - 1), (first, newest)]
    return [
        (f"{row.path}@{number}", await desk.space.read(Content(row.id, number)) if number else b"")
        for row, number in chosen
    ]


async def _versioned(desk: Desk, ref: str) -> tuple[rows.Artifact, int | None]:
    """The artifact of `path@version`; a path may have an @ of its own."""
    from flowide.errors import NotFound

    path, sign, number = ref.rpartition("@")
    if not (sign and path and number.isascii() and number.isdigit() and int(number) > 0):
        return await desk.ever(ref), None
    try:
        return await desk.ever(ref), None
    except NotFound:
        return await desk.ever(path), int(number)
