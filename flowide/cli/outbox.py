"""`flowide outbox`: what waits for the hub, and what it refused of what had waited."""

from __future__ import annotations

from typing import Any

import click

from flowide.cli.desk import Desk, Place, workspace_command


@click.command(
    epilog="\b\nExamples:\n  flowide outbox --space shop\n  flowide outbox --json | jq '.refused[].error.message'\n"
    "  flowide outbox --forget"
)
@click.option("--forget", is_flag=True, help="Let go of what was refused, after looking at it.")
@workspace_command
def outbox(forget: bool, at: Place) -> None:
    """How this machine stands with the hub: commands that will be sent, texts that are kept here, what was refused.

    What is said, decided or noted while the hub cannot be reached waits here and is sent in order when it is there
    again. A text that was written under a lock goes back under it, or becomes a draft.
    """

    async def work(desk: Desk) -> None:
        from flowide.space.remote.space import RemoteSpace

        space = desk.space
        if not isinstance(space, RemoteSpace):
            desk.tell(
                "the space is on this machine: nothing waits",
                {"state": "local", "waiting": [], "texts": [], "refused": []},
            )
            return
        box, seat = space.core.outbox, space.seat.handle
        waiting, texts, refused = box.owed(seat), box.dirty(seat), box.refused(seat)
        if forget:
            box.forget_refused([each.id for each in refused])
        if desk.json:
            from flowide.cli.desk import print_json

            print_json(
                {
                    "state": space.state,
                    "since": space.standing.since,
                    "why": space.standing.why,
                    "waiting": [{"id": each.id, "cmd": each.cmd, "args": each.args} for each in waiting],
                    "texts": [
                        {"artifact": each.artifact, "fence": each.fence, "base": each.base, "text": each.text}
                        for each in texts
                    ],
                    "refused": [
                        {"id": each.id, "cmd": each.cmd, "args": each.args, "error": each.error}
                        for each in refused
                    ],
                }
            )
            return
        desk.tell(space.standing.line() or f"online: {space.url}", {})
        rows = [("to be sent", each.cmd, _words(each.args)) for each in waiting]
        rows += [("kept here", f"text under fence {each.fence}", each.text) for each in texts]
        rows += [("refused", each.cmd, f"{each.error['message']}: {_words(each.args)}") for each in refused]
        if rows:
            desk.print_rows(("STATE", "WHAT", "WORDS"), [(a, b, _short(c)) for a, b, c in rows], rows)

    at.run(work)


def _words(args: dict[str, Any]) -> str:
    """What a person would know a command by; of several, the first that says something."""
    for part in args.get("cmds", []):
        words = _words(part["args"])
        if words:
            return words
    found = [
        args[name] for name in ("text", "title", "note", "reason", "decision", "draft") if args.get(name)
    ]
    return str(found[0]) if found else ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
