"""`flowide token`: which devices may act for whom."""

from __future__ import annotations

import click


@click.group("token")
def token() -> None:
    """Tokens: create, list, revoke."""


@token.command(
    "create", epilog="\b\nExample:\n  flowide token create --database /srv/flowide --space shop --as ana"
)
@click.option("--database", metavar="PLACE", help="Of the hub, as for `flowide serve`.")
@click.option("--space", "space", required=True, metavar="NAME", help="The space; made when there is none.")
@click.option(
    "--as", "handle", required=True, metavar="HANDLE", help="Whose token it is; a new member is added."
)
@click.option(
    "--role",
    type=click.Choice(["owner", "editor", "viewer"]),
    help="Role of a new member; an owner when not given.",
)
@click.option("--device", metavar="NAME", help="Name of the device; by default that of this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(
    database: str | None, space: str, handle: str, role: str | None, device: str | None, as_json: bool
) -> None:
    """Make a token on the hub's own machine, and the space with it when there is none.

    The token is shown once; the hub keeps its SHA-256 only. Whoever can write to the database needs no other right.
    """
    import socket

    from flowide.cli.desk import print_json, say
    from flowide.cli.hub import default_database
    from flowide.space.keys import grant_token

    made = grant_token(
        default_database(database),
        space,
        handle.removeprefix("@"),
        role=role,
        device=device or socket.gethostname(),
    )
    if as_json:
        print_json(made)
    else:
        say(f"{made.member} is {made.role} of {made.space}; this is shown once:")
        click.echo(made.token)
