"""`flowide search`: full text."""

from __future__ import annotations

import click

from flowide.cli.desk import Desk, Place, workspace_command


@click.command(epilog='\b\nExample:\n  flowide search "least recently used"')
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--history", is_flag=True, help="Also in older versions.")
@workspace_command
def search(text: str, limit: int, history: bool, at: Place) -> None:
    """Find all the words in artifacts, variations, messages and decisions, best first."""

    async def work(desk: Desk) -> None:
        from flowide.errors import BadInput
        from flowide.space.queries import Search

        if not text.strip():
            raise BadInput("there is nothing to search for", hint="Give one or more words.")
        hits = await desk.space.read(Search(text, limit, history))
        desk.print_rows(
            ["KIND", "WHERE", "TEXT"],
            [[hit.kind, hit.title, hit.excerpt] for hit in hits],
            hits,
            none=f"Nothing holds {text!r}.",
        )

    at.run(work)
