"""`flowide draft`: one text that outlived its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, print_json, print_text, workspace_command

if TYPE_CHECKING:
    from flowide.domain.rows import Draft

_ID = click.argument("ref", metavar="DRAFT")


@click.group(epilog="\b\nExample:\n  flowide draft show last --diff")
def draft() -> None:
    """Show, adopt or discard a draft, named by its id, the start of it, or `last`."""


@draft.command(epilog="\b\nExample:\n  flowide draft show last --diff")
@_ID
@click.option("--diff", is_flag=True, help="How it differs from the newest version.")
@workspace_command
def show(ref: str, diff: bool, at: Place) -> None:
    """Print a draft, byte for byte; a terminal gets it without control sequences."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.project.diffs import unified
        from flowide.space.queries import Content, DraftContent, FindArtifact

        found = await _draft(desk, ref, ended=True)
        data = await desk.space.read(DraftContent(found.id))
        row = await desk.space.read(FindArtifact(found.artifact))
        head = await desk.space.read(Content(row.id))
        changes = unified(head, data, f"{row.path}@{row.version}", f"draft {found.id}")
        if desk.json:
            text = data.decode("utf-8", "replace")
            print_json(msgspec.to_builtins(found) | {"path": row.path, "text": text, "diff": changes})
        else:
            print_text(changes.encode() if diff else data)

    at.run(work)


@draft.command(epilog="\b\nExample:\n  flowide draft adopt last && flowide edit src/cache.py --fence 4")
@_ID
@workspace_command
def adopt(ref: str, at: Place) -> None:
    """Take the lock and go on with a draft; prints the fence, and the version it was written on."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import AdoptDraft
        from flowide.space.queries import FindArtifact

        found = await _draft(desk, ref)
        row = await desk.space.read(FindArtifact(found.artifact))
        fence = (await desk.space.execute(AdoptDraft(draft=found.id, ttl_ms=desk.ttl_ms))).ok.fence
        desk.tell(
            f"fence {fence} version {found.base}  (go on with: flowide edit {row.path} --fence {fence})",
            {"artifact": row.id, "path": row.path, "draft": found.id, "fence": fence, "version": found.base},
        )

    at.run(work)


@draft.command(epilog="\b\nExample:\n  flowide draft discard 3f2a")
@_ID
@workspace_command
def discard(ref: str, at: Place) -> None:
    """Let a draft go."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import DiscardDraft

        found = await _draft(desk, ref)
        await desk.space.execute(DiscardDraft(draft=found.id))
        desk.tell(f"draft {found.id} is discarded", {"draft": found.id, "artifact": found.artifact})

    at.run(work)


async def _draft(desk: Desk, ref: str, *, ended: bool = False) -> Draft:
    from flowide.errors import NotFound
    from flowide.space.queries import Drafts

    kept = await desk.space.read(Drafts(ended=ended and ref != "last"))
    if ref == "last" and kept:
        return kept[0]
    found = [each for each in kept if ref and each.id.startswith(ref)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{len(found)} drafts start with {ref}", hint="Give more of the id.")
    raise NotFound(f"there is no draft {ref[:100]}", hint="List them with `flowide drafts`.")
