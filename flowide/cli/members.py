"""`flowide members` and `flowide invite`: who takes part in a space on a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Place, print_json, print_table, say, workspace_command
from flowide.cli.hub import on_hub, with_space

if TYPE_CHECKING:
    from flowide.space.api import Space

_ROLES = click.Choice(["viewer", "editor", "owner"])


@click.command(
    epilog="\b\nExamples:\n  flowide invite --space shop                      # an editor\n"
    "  flowide invite --space shop --role viewer\n"
    "  flowide invite --space shop --agent --for ana    # an agent with a token of its own",
)
@click.option("--role", type=_ROLES, default="editor", show_default=True, help="What they may do.")
@click.option("--agent", is_flag=True, help="Invite an agent, which works for a person.")
@click.option("--for", "person", metavar="HANDLE", help="Who the agent works for; by default you.")
@click.option(
    "--handle",
    "who",
    metavar="HANDLE",
    help="Only this handle may join: also a former member, or one's second device.",
)
@on_hub
@workspace_command
def invite(
    role: str, agent: bool, person: str | None, who: str | None, database: str | None, at: Place
) -> None:
    """Make a code with which one person or agent may join the space, within 24 hours.

    The code is shown once and kept nowhere; give it to them in private. Owners invite anybody, editors their own
    agents.
    """

    async def work(space: Space) -> None:
        from flowide.domain.commands import InviteMember
        from flowide.space.keys import digest_of, new_code

        code = new_code()
        asked: dict[str, Any] = {"role": "agent" if agent else role, "kind": "agent" if agent else "human"}
        reply = await space.execute(
            InviteMember(**asked, for_=_bare(person), handle=_bare(who), digest=digest_of(code))
        )
        url = getattr(getattr(space, "seat", None), "url", f"https://HUB/{at.space}")
        if at.json:
            print_json(
                {"code": code, **asked, "expires": reply.ok.expires, "invite": reply.ok.invite, "url": url}
            )
            return
        say(f"good for one, until {reply.ok.expires[:16].replace('T', ' ')} UTC; they run:")
        click.echo(f"flowide join {url} {code}")

    with_space(at, database, work)


@click.group(
    invoke_without_command=True,
    epilog="\b\nExamples:\n  flowide members --space shop\n  flowide members role rod owner --space shop",
)
@on_hub
@workspace_command
def members(database: str | None, at: Place) -> None:
    """Members of a space on a hub. Without a command: list them."""
    if click.get_current_context().invoked_subcommand is None:
        _list(database, at)


@members.command("list", epilog="\b\nExample:\n  flowide members list --space shop --json")
@on_hub
@workspace_command
def list_(database: str | None, at: Place) -> None:
    """List members by handle."""
    _list(database, at)


def _list(database: str | None, at: Place) -> None:
    async def work(space: Space) -> None:
        from flowide.space.queries import Members

        found = await space.read(Members())
        if at.json:
            print_json(found)
        elif found:
            print_table(
                ["HANDLE", "KIND", "ROLE", "FOR", "SINCE"],
                [
                    [
                        f"@{each.id}",
                        each.kind,
                        each.role,
                        f"@{each.for_}" if each.for_ else None,
                        each.ts[:16].replace("T", " "),
                    ]
                    for each in found
                ],
            )
        else:
            say("A local space has no members; they come with a hub.")

    with_space(at, database, work)


@members.command(epilog="\b\nExample:\n  flowide members role rod owner --space shop")
@click.argument("member")
@click.argument("role", type=_ROLES)
@on_hub
@workspace_command
def role(member: str, role: Any, database: str | None, at: Place) -> None:
    """Give MEMBER another role: viewer, editor or owner. The last owner stays one."""

    async def work(space: Space) -> None:
        from flowide.domain.commands import ChangeRole

        await space.execute(ChangeRole(member=_bare(member) or "", role=role))
        if at.json:
            print_json({"member": _bare(member), "role": role})
        else:
            click.echo(f"@{_bare(member)} is {role}")

    with_space(at, database, work)


@members.command(epilog="\b\nExample:\n  flowide members remove rod --reason 'has left' --space shop")
@click.argument("member")
@click.option("--reason", metavar="TEXT", default="", help="Why; kept in the log.")
@on_hub
@workspace_command
def remove(member: str, reason: str, database: str | None, at: Place) -> None:
    """End the membership of MEMBER, with all their tokens and agents. What they wrote stays."""

    async def work(space: Space) -> None:
        from flowide.domain.commands import RemoveMember

        await space.execute(RemoveMember(member=_bare(member) or "", reason=reason))
        if at.json:
            print_json({"member": _bare(member), "status": "removed"})
        else:
            click.echo(f"@{_bare(member)} takes part no longer")

    with_space(at, database, work)


def _bare(handle: str | None) -> str | None:
    return None if handle is None else handle.removeprefix("@")
