"""`flowide conflicts`: two texts want to be the next version, and a person decides what becomes of mine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, print_json, print_text, workspace_command

if TYPE_CHECKING:
    from flowide.project.conflicts import Card
    from flowide.project.resolving import Resolved

_REF = click.argument("ref", metavar="CONFLICT|PATH")


@click.group(
    invoke_without_command=True,
    epilog="\b\nExample:\n  flowide conflicts list\n  flowide conflicts show last\n"
    "  flowide conflicts resolve last merge",
)
@workspace_command
def conflicts(at: Place) -> None:
    """Files that were changed on disk while somebody edits them, or from an older version.

    Without a command: list them.
    A conflict is named by its id, the start of it, the path of its artifact, or `last`. Theirs is what stands;
    mine waits until you say what becomes of it.
    """
    if click.get_current_context().invoked_subcommand is None:
        _list(False, at)


@conflicts.command("list", epilog="\b\nExample:\n  flowide conflicts list --json")
@click.option("--all", "everything", is_flag=True, help="Settled ones too.")
@workspace_command
def list_(everything: bool, at: Place) -> None:
    """List the conflicts that wait for an answer, newest first."""
    _list(everything, at)


def _list(everything: bool, at: Place) -> None:
    async def work(desk: Desk) -> None:
        from flowide.project import conflicts as c

        found = await desk.folder.conflicts(desk.space)
        if everything:
            found = await c.cards(desk.space, status=None)
        desk.print_rows(
            ["CONFLICT", "PATH", "MINE", "THEIRS", "BASE", "SINCE", "ANSWER"],
            [
                [
                    each.id,
                    each.path,
                    _mine(each),
                    _theirs(each),
                    each.base,
                    each.ts,
                    each.answer or each.status,
                ]
                for each in found
            ],
            found,
            none="No conflicts: files and artifacts are in step.",
        )

    at.run(work)


@conflicts.command(
    epilog="\b\nExamples:\n  flowide conflicts show last\n"
    "  flowide conflicts show src/cache.py --side theirs > theirs.py\n"
    "  flowide conflicts show src/cache.py --side merged"
)
@_REF
@click.option(
    "--side",
    type=click.Choice(["base", "mine", "theirs", "merged"]),
    help="Print this text instead of what both sides changed.",
)
@workspace_command
def show(ref: str, side: str | None, at: Place) -> None:
    """Show what either side changed since the version that mine is made from."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.errors import NotFound
        from flowide.project import conflicts as c
        from flowide.project.diffs import unified
        from flowide.project.resolving import sides

        card = await c.find_card(desk.space, ref)
        texts = await sides(desk.folder, desk.space, card)
        mine = b"" if texts.mine is None else texts.mine
        if side is not None:
            if side in {"mine", "merged"} and texts.mine is None:
                raise NotFound(f"nothing was written in {card.path}", hint="There is only theirs.")
            chosen = {"base": texts.base, "mine": mine, "theirs": texts.theirs}
            print_text(chosen[side] if side in chosen else _merged(card, texts.base, mine, texts.theirs))
            return
        base_name = f"{card.path}@{card.base}"
        by_mine = "" if texts.mine is None else unified(texts.base, mine, base_name, f"mine ({_mine(card)})")
        by_theirs = unified(texts.base, texts.theirs, base_name, f"theirs ({_theirs(card)})")
        if desk.json:
            described: dict[str, Any] = msgspec.to_builtins(card)
            print_json(described | {"mine_diff": by_mine, "theirs_diff": by_theirs, "choices": c.CHOICES})
            return
        print_text((by_theirs + (by_mine or "Nothing of mine was written.\n")).encode())
        if card.status == "open":
            from flowide.cli.desk import say

            say(f"\nDecide with `flowide conflicts resolve {card.id} CHOICE`:")
            for name, meaning in c.CHOICES.items():
                say(f"  {name:<10} {meaning}")

    at.run(work)


@conflicts.command(
    epilog="\b\nExamples:\n  flowide conflicts resolve last\n"
    '  flowide conflicts resolve src/cache.py merge --save -m "both fixes"'
)
@_REF
@click.argument("choice", default="variation", metavar="[variation|merge|draft|discard]")
@click.option("--save", is_flag=True, help="With merge: save at once when nothing is left to decide.")
@click.option("-m", "--note", default="", help="Why; kept with the answer, and with the version of --save.")
@workspace_command
def resolve(ref: str, choice: str, save: bool, note: str, at: Place) -> None:
    """Say what becomes of my text; theirs stands in any case.

    \b
    variation  keep it as a variation, to compare, blend or accept later (the default)
    merge      put its changes on top of theirs, in a draft under the lock
    draft      keep it as a draft
    discard    let it go
    """

    async def work(desk: Desk) -> None:
        import msgspec

        made = await desk.folder.resolve(desk.space, ref, choice, save=save, note=note)
        desk.tell(said(made), msgspec.to_builtins(made))
        if save and made.conflicts:
            from flowide.errors import Conflict

            raise Conflict(
                f"{made.path}: {_left(made.conflicts)}, so nothing was saved",
                hint=f"Go on with: flowide edit {made.path} --fence {made.fence}",
                path=made.path,
                artifact=made.artifact,
                fence=made.fence,
                version=made.version,
            )

    at.run(work)


def said(made: Resolved) -> str:
    """What came of an answer, in one line."""
    now = f"{made.path} is at version {made.version}"
    if made.nothing:
        return f"{now}; nothing of mine was written, so nothing had to be kept"
    if made.kept is not None:
        return f"{now}; my bytes are kept in {made.kept}"
    if made.set is not None:
        return f"{now}; my text is variation {made.number} of {made.set[:13]} (see `flowide variations show`)"
    if made.fence is not None:
        left = _left(made.conflicts) if made.conflicts else "both sides are in it"
        return (
            f"{now}; the merged text is your draft under fence {made.fence}, {left}: "
            f"flowide edit {made.path} --fence {made.fence}"
        )
    if made.choice == "draft":
        return f"{now}; my text is kept: flowide draft show {made.draft}"
    return f"{now}; " + ("both sides are in it" if made.choice == "merge" else "my text is let go")


def _mine(card: Card) -> str:
    return "the file" if card.shape == "disk" else f"{card.holder}'s text"


def _theirs(card: Card) -> str:
    return "the file" if card.theirs else "the newest version"


def _merged(card: Card, base: bytes, mine: bytes, theirs: bytes) -> bytes:
    from flowide.project.merging import merge

    return merge(base, mine, theirs, mine_name=_mine(card), theirs_name="theirs").data


def _left(places: int) -> str:
    return "1 place is left to decide" if places == 1 else f"{places} places are left to decide"
