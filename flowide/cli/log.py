"""`flowide log`: the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, print_json, workspace_command

if TYPE_CHECKING:
    from flowide.domain.events import Event


@click.command(
    epilog="\b\nExamples:\n  flowide log --since 120\n  flowide log --artifact src/cache.py --json"
)
@click.option("--since", type=click.IntRange(0), default=0, metavar="SEQ", help="Only events after this one.")
@click.option("--artifact", "ref", metavar="PATH|ID", help="Only events about this artifact.")
@click.option("-n", "--last", type=click.IntRange(1), metavar="N", help="Only the last N of them.")
@workspace_command
def log(since: int, ref: str | None, last: int | None, at: Place) -> None:
    """Print who did what: one line an event, oldest first."""

    async def work(desk: Desk) -> None:
        from collections import deque

        from flowide.project.story import tell
        from flowide.space.queries import Artifacts
        from flowide.text import one_line

        about = None if ref is None else (await desk.ever(ref)).id
        paths = {row.id: row.path for row in await desk.space.read(Artifacts(deleted=True))}
        kept: deque[Event] = deque(maxlen=last)
        drafts: set[str] = set()
        async for event in desk.space.events(since):
            if about is None or _concerns(event, about, drafts):
                kept.append(event)
                if last is None and not desk.json:
                    kept.clear()
                    click.echo(_line(event, one_line(tell(event, paths))))
        if desk.json:
            import msgspec

            print_json([msgspec.to_builtins(event) | {"what": tell(event, paths)} for event in kept])
            return
        for event in kept:
            click.echo(_line(event, one_line(tell(event, paths))))

    at.run(work)


def _concerns(event: Event, artifact: str, drafts: set[str]) -> bool:
    """Whether an event is about an artifact; `drafts` collects ids, since discarding one names just that."""
    if event.data.get("artifact") == artifact:
        if "draft" in event.data:
            drafts.add(event.data["draft"])
        return True
    return event.data.get("draft") in drafts


def _line(event: Event, what: str) -> str:
    return f"{event.seq:>6}  {event.ts}  {_actor(event.actor):<12}  {what}"


def _actor(actor: dict[str, Any]) -> str:
    from flowide.text import one_line

    name = one_line(str(actor["id"]))
    return f"{name} (AI)" if actor["kind"] == "agent" else name
