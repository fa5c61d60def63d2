"""`flowide database`: what somebody who looks after a hub does with its database."""

from __future__ import annotations

import click

_PLACE = click.option("--database", metavar="PLACE", help="Of the hub, as for `flowide serve`.")


@click.group("database", epilog="\b\nExample:\n  flowide database list")
def database() -> None:
    """The database of a hub: prepare, list, verify, backup."""


@database.command(
    "prepare",
    epilog="\b\nExample:\n  flowide database prepare --database postgresql://owner@db/flowide --role hub",
)
@_PLACE
@click.option(
    "--role", metavar="ROLE", help="PostgreSQL role that hubs connect with; it gets the rights they need."
)
def prepare(database: str | None, role: str | None) -> None:
    """Make the tables or bring them to this version, and give the role of hubs its rights.

    For PostgreSQL, connect as the owner of the tables. Rights given before are given again.
    """
    from flowide.cli.desk import say
    from flowide.cli.hub import default_database
    from flowide.store.by_url import prepare as prepare_database

    count = prepare_database(default_database(database), role)
    say(
        f"ready: {count} {'space' if count == 1 else 'spaces'}"
        + (f", and {role} may serve them" if role else "")
    )


@database.command("list", epilog="\b\nExample:\n  flowide database list")
@_PLACE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(database: str | None, as_json: bool) -> None:
    """List the spaces of a database."""
    from flowide.cli.desk import print_json
    from flowide.cli.hub import default_database
    from flowide.store.by_url import spaces

    names = spaces(default_database(database))
    if as_json:
        print_json(names)
    else:
        for name in names:
            click.echo(name)


@database.command(
    "backup", epilog="\b\nExample:\n  flowide database backup /backup/today --database /var/lib/flowide"
)
@click.argument("folder", type=click.Path(file_okay=False))
@_PLACE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backup(folder: str, database: str | None, as_json: bool) -> None:
    """Copy all spaces into FOLDER while the hub runs, each as of one moment. For SQLite; PostgreSQL has pg_dump.

    To restore: stop the hub, put the copies in place of the files (and remove -wal and -shm), start it.
    """
    from pathlib import Path

    from flowide.cli.desk import print_json
    from flowide.cli.hub import default_database
    from flowide.store.backup import back_up

    made = [str(file) for file in back_up(default_database(database), Path(folder))]
    if as_json:
        print_json(made)
    else:
        for file in made:
            click.echo(file)


@database.command(
    "verify", epilog="\b\nExample:\n  flowide database verify shop --database postgresql:///flowide"
)
@click.argument("space")
@_PLACE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(space: str, database: str | None, as_json: bool) -> None:
    """Check a space of a hub where its database is, as after a restored backup: chain, contents, tables.

    Exit 10 when something is wrong; the first bad seq is named.
    """
    from flowide.cli.desk import print_json
    from flowide.cli.hub import default_database
    from flowide.errors import StorageFailed
    from flowide.space.verify import problems
    from flowide.store.by_url import open_store

    store = open_store(default_database(database), space)
    try:
        with store.read() as view:
            found, head = problems(view, store), store.position().seq
    finally:
        store.close()
    bad = next((each.seq for each in found if each.seq is not None), None)
    if as_json:
        print_json({"ok": not found, "head": head, "first_bad_seq": bad, "problems": found})
    elif not found:
        click.echo(f"sound: {head} events, their chain, contents and tables")
    if found:
        where = "" if bad is None else f" at seq {bad}"
        raise StorageFailed(
            f"the space {space} is damaged{where}: {found[0].what}",
            hint="Copy the database before anything else; `--json` lists all that is wrong.",
            seq=bad,
        )
