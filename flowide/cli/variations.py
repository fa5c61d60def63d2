"""`flowide variations`: look at variations, compare them, mark them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowide.cli import mixing
from flowide.cli.desk import Desk, Place, print_json, print_table, print_text, workspace_command

if TYPE_CHECKING:
    from flowide.space.queries import SetView, VariationView


@click.group(epilog="\b\nExample:\n  flowide variations blend last --base 4 --take 2:LRUCache._evict")
def variations() -> None:
    """Sets of variations. SET is the id of a set, the start of it, or `last`."""


variations.add_command(mixing.blend)
variations.add_command(mixing.more)
variations.add_command(mixing.accept)


@variations.command("list", epilog="\b\nExample:\n  flowide variations list last --json")
@click.argument("set_ref", metavar="[SET]", required=False)
@workspace_command
def list_(set_ref: str | None, at: Place) -> None:
    """List all sets, or the variations of SET with checks, scores and marks."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import OneVariationSet, VariationSets

        if set_ref is None:
            sets = await desk.space.read(VariationSets())
            desk.print_rows(
                ("SET", "TITLE", "VARIATIONS", "ROUNDS", "BRIEF"),
                [(each.id, each.title, each.count, each.round, each.brief[:60]) for each in sets],
                sets,
                none="no variations yet; make some: flowide run variations",
            )
            return
        view = await desk.space.read(OneVariationSet(set_ref))
        desk.print_rows(
            ("NO", "ROUND", "BY", "MODEL", "BYTES", "CHECKS", "SCORE", "MARKS"),
            [table_row(each) for each in view.variations],
            [described(each) for each in view.variations],
            none="the set is empty",
        )

    at.run(work)


@variations.command(epilog="\b\nExample:\n  flowide variations show last 4 > four.py")
@click.argument("set_ref", metavar="SET")
@click.argument("number", type=click.IntRange(0))
@workspace_command
def show(set_ref: str, number: int, at: Place) -> None:
    """Print variation NUMBER byte for byte (0 is what the set starts from); with --json all about it."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import OneVariationSet, VariationText

        view = await desk.space.read(OneVariationSet(set_ref))
        text = await desk.space.read(VariationText(view.set.id, number))
        if not desk.json:
            print_text(text.encode())
            return
        found = next((each for each in view.variations if each.variation.number == number), None)
        about = {"number": 0} if found is None else described(found)
        print_json({"set": view.set.id, **about, "text": text})

    at.run(work)


@variations.command(
    epilog="\b\nExamples:\n  flowide variations compare last\n  flowide variations compare last 2 4"
)
@click.argument("set_ref", metavar="SET")
@click.argument("numbers", type=click.IntRange(0), nargs=-1)
@workspace_command
def compare(set_ref: str, numbers: tuple[int, ...], at: Place) -> None:
    """Compare piece by piece: the same letter is the same text. Two NUMBERS: their line difference."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import OneVariationSet, VariationText

        view = await desk.space.read(OneVariationSet(set_ref))
        wanted = list(numbers) or [each.variation.number for each in view.variations]
        texts = [(await desk.space.read(VariationText(view.set.id, number))).encode() for number in wanted]
        path = view.set.path or "text"
        if len(wanted) == 2:
            _print_difference(desk, path, wanted, texts)
        else:
            _print_table(desk, path, wanted, texts)

    at.run(work)


def _print_difference(desk: Desk, path: str, numbers: list[int], texts: list[bytes]) -> None:
    from flowide.project.diffs import counts, unified

    a, b = texts
    changes = unified(a, b, f"{path}@variation-{numbers[0]}", f"{path}@variation-{numbers[1]}")
    if desk.json:
        removed, added = counts(a, b)
        print_json({"a": numbers[0], "b": numbers[1], "removed": removed, "added": added, "diff": changes})
    else:
        print_text(changes.encode())


def _print_table(desk: Desk, path: str, numbers: list[int], texts: list[bytes]) -> None:
    from flowide.errors import BadInput
    from flowide.pieces import compare as by_piece
    from flowide.pieces import language_of

    language = language_of(path)
    if language is None:
        raise BadInput(f"pieces of {path} are not known", hint="Compare two by lines: … compare SET 1 2")
    table = by_piece(texts, language)
    if desk.json:
        print_json({"numbers": numbers, "pieces": table})
        return
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rows = [
        (each.name, *("·" if group is None else letters[group % 26] for group in each.groups))
        for each in table
    ]
    print_table(("PIECE", *map(str, numbers)), rows)


@variations.command(epilog="\b\nExample:\n  flowide variations tag last 4 fast readable --remove wordy")
@click.argument("set_ref", metavar="SET")
@click.argument("number", type=click.IntRange(1))
@click.argument("tags", nargs=-1)
@click.option("--remove", metavar="TAG", multiple=True, help="A tag to take away.")
@workspace_command
def tag(*, set_ref: str, number: int, tags: tuple[str, ...], remove: tuple[str, ...], at: Place) -> None:
    """Add TAGS to a variation, or remove some."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import TagVariation

        view = await _view(desk, set_ref, number)
        await desk.space.execute(
            TagVariation(set=view.set.id, number=number, add=list(tags), remove=list(remove))
        )
        words = [f"+{each}" for each in tags] + [f"-{each}" for each in remove]
        desk.tell(
            f"variation {number}: {' '.join(words)}",
            {"set": view.set.id, "number": number, "add": list(tags), "remove": list(remove)},
        )

    at.run(work)


@variations.command(epilog="\b\nExample:\n  flowide variations shortlist last 2 4")
@click.argument("set_ref", metavar="SET")
@click.argument("numbers", type=click.IntRange(1), nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Take them off the short list.")
@workspace_command
def shortlist(set_ref: str, numbers: tuple[int, ...], off: bool, at: Place) -> None:
    """Put variations on the short list: `more` builds on exactly those."""
    from flowide.domain.commands import ShortlistVariation

    _mark(at, set_ref, numbers, ShortlistVariation, "shortlisted", not off)


@variations.command(epilog="\b\nExample:\n  flowide variations reject last 3")
@click.argument("set_ref", metavar="SET")
@click.argument("numbers", type=click.IntRange(1), nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Take them back in.")
@workspace_command
def reject(set_ref: str, numbers: tuple[int, ...], off: bool, at: Place) -> None:
    """Set variations aside; they are kept."""
    from flowide.domain.commands import RejectVariation

    _mark(at, set_ref, numbers, RejectVariation, "rejected", not off)


def _mark(at: Place, set_ref: str, numbers: tuple[int, ...], command: Any, word: str, on: bool) -> None:
    async def work(desk: Desk) -> None:
        view = await _view(desk, set_ref, *numbers)
        await desk.space.batch([command(set=view.set.id, number=number, on=on) for number in numbers])
        listed = ", ".join(map(str, numbers))
        desk.tell(
            f"{'' if on else 'no longer '}{word}: {listed}",
            {"set": view.set.id, "numbers": list(numbers), word: on},
        )

    at.run(work)


@variations.command(epilog="\b\nExample:\n  flowide variations note last 4 'reads best' --score 8")
@click.argument("set_ref", metavar="SET")
@click.argument("number", type=click.IntRange(1))
@click.argument("text")
@click.option("--score", type=click.IntRange(1, 10), help="1 (poor) to 10.")
@workspace_command
def note(set_ref: str, number: int, text: str, score: int | None, at: Place) -> None:
    """Say something about a variation; agents that write more of them read it."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import NoteVariation

        view = await _view(desk, set_ref, number)
        await desk.space.execute(NoteVariation(set=view.set.id, number=number, text=text, score=score))
        desk.tell(
            f"noted on variation {number}: {text}",
            {"set": view.set.id, "number": number, "text": text, "score": score},
        )

    at.run(work)


async def _view(desk: Desk, set_ref: str, *numbers: int) -> SetView:
    """The set, which has these variations."""
    from flowide.errors import NotFound
    from flowide.space.queries import OneVariationSet

    view = await desk.space.read(OneVariationSet(set_ref))
    have = [each.variation.number for each in view.variations]
    for number in numbers:
        if number not in have:
            raise NotFound(
                f"there is no variation {number} in set {view.set.id[:13]}",
                hint=f"There are {', '.join(map(str, have)) or 'none'}.",
            )
    return view


def described(view: VariationView) -> dict[str, Any]:
    """A variation as `--json` prints it."""
    import msgspec

    data: dict[str, Any] = msgspec.to_builtins(view.variation)
    return {**data, "checks": [msgspec.to_builtins(check) for check in view.checks]}


def table_row(view: VariationView) -> tuple[Any, ...]:
    row = view.variation
    failed = [check.name for check in view.checks if check.status != "passed"]
    checks = (
        f"failed: {', '.join(failed)}" if failed else f"{len(view.checks)} passed" if view.checks else None
    )
    scores = [note["score"] for note in row.notes if note["score"] is not None]
    marks = [
        *(["short-listed"] if row.shortlisted else []),
        *(["rejected"] if row.rejected else []),
        *([f"accepted as version {row.accepted}"] if row.accepted else []),
        *row.tags,
    ]
    by = row.actor if row.origin != "blend" else f"{row.actor} (blend)"
    score = scores[-1] if scores else None
    return row.number, row.round, by, row.model, row.size, checks, score, ", ".join(marks)


async def write_files(desk: Desk, set_ref: str, folder: Path) -> None:
    """Write every variation of a set as `<number><suffix>`, its picture as `<number>.png`, and what is known of them
    as `variations.json`.

    Raises:
        StorageFailed: The folder cannot be written.
    """
    import asyncio
    import json

    from flowide.errors import StorageFailed
    from flowide.flows.picturing.kept import named
    from flowide.space.queries import OneVariationSet, VariationText

    view = await desk.space.read(OneVariationSet(set_ref))
    suffix = Path(view.set.path or "").suffix or ".txt"
    about: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    for each in view.variations:
        name = f"{each.variation.number}{suffix}"
        files[name] = (await desk.space.read(VariationText(view.set.id, each.variation.number))).encode()
        picture = named(each)
        shown = {} if picture is None else {"picture": f"{each.variation.number}.{picture[1][6:]}"}
        if picture is not None:
            files[shown["picture"]] = await desk.space.blob(picture[0])
        about.append({"file": name, **shown, **described(each)})
    listed = json.dumps({"set": view.set.id, "variations": about}, indent=2, ensure_ascii=False)
    files["variations.json"] = f"{listed}\n".encode()
    try:
        await asyncio.to_thread(_write, folder, files)
    except OSError as error:
        raise StorageFailed(
            f"{error.filename or folder}: {error.strerror}", hint="Choose another --output-dir."
        ) from error


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
