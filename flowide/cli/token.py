"""`flowide token`: which devices may act for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Place, print_json, print_table, say, workspace_command
from flowide.cli.hub import default_database, on_hub, with_space

if TYPE_CHECKING:
    from flowide.space.api import Space


@click.group("token", epilog="\b\nExample:\n  flowide token list --space shop")
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


@token.command("list", epilog="\b\nExample:\n  flowide token list --space shop --member ana")
@click.option("--member", metavar="HANDLE", help="Only this member's.")
@on_hub
@workspace_command
def list_(member: str | None, database: str | None, at: Place) -> None:
    """List the devices that may act for members. A token itself is nowhere to be read."""

    async def work(space: Space) -> None:
        from flowide.space.queries import Tokens

        found = await space.read(Tokens(None if member is None else member.removeprefix("@")))
        if at.json:
            print_json(found)
        elif found:
            print_table(
                ["ID", "MEMBER", "DEVICE", "STATE", "SINCE"],
                [
                    [
                        each.id,
                        f"@{each.member}",
                        each.device,
                        "revoked" if each.revoked else "good",
                        each.since[:16].replace("T", " "),
                    ]
                    for each in found
                ],
            )
        else:
            say("There are no tokens.")

    with_space(at, database, work)


@token.command(epilog="\b\nExample:\n  flowide token revoke 0192f1c2-… --space shop")
@click.argument("token_id", metavar="ID")
@on_hub
@workspace_command
def revoke(token_id: str, database: str | None, at: Place) -> None:
    """End the token with this ID, as of a device that was lost: it is cut off at once."""

    async def work(space: Space) -> None:
        from flowide.domain.commands import RevokeToken

        await space.execute(RevokeToken(token=token_id))
        if at.json:
            print_json({"token": token_id, "revoked": True})
        else:
            click.echo("revoked")

    with_space(at, database, work)
