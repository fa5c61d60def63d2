"""`flowide search`: full text."""

from __future__ import annotations

import click

from flowide.cli.desk import Desk, Place, workspace_command


@click.command(epilog='\b\nExample:\n  flowide search "least recently used"')
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@workspace_command
def search(text: str, limit: int, at: Place) -> None:
    """Find all the words in the newest versions of artifacts and in variations, best first."""

    async def work(desk: Desk) -> None:
        from flowide.errors import BadInput
        from flowide.space.queries import Search

        if not text.strip():
            raise BadInput("there is nothing to search for", hint="Give one or more words.")
        hits = await desk.space.read(Search(text, limit))
        desk.print_rows(
            ["KIND", "WHERE", "TEXT"],
            [[hit.kind, hit.title, hit.excerpt] for hit in hits],
            hits,
            none=f"Nothing holds {text!r}.",
        )

    at.run(work)
