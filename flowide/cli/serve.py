"""`flowide serve`: the hub."""

from __future__ import annotations

import click


@click.command(
    "serve",
    epilog="\b\nExamples:\n  flowide token create --space shop --as ana      # once: the first owner's token\n"
    "  flowide serve\n"
    "  flowide serve --database postgresql:///flowide --host 0.0.0.0 --behind-proxy",
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=7420,
    show_default=True,
    metavar="PORT",
    help="Port to listen at; 0 takes any free one.",
)
@click.option(
    "--database",
    metavar="PLACE",
    help="Folder of SQLite files (default: `hub` beside the user's settings), one file ending in .db, "
    "or postgresql://…",
)
@click.option("--tls-cert", metavar="FILE", help="Certificate chain (PEM).")
@click.option("--tls-key", metavar="FILE", help="Its private key (PEM).")
@click.option(
    "--behind-proxy", is_flag=True, help="A proxy in front does TLS; its X-Forwarded-For is believed."
)
@click.option(
    "--allow-host", "hosts", multiple=True, metavar="NAME", help="A name that the hub is called by."
)
@click.option("--allow-origin", "origins", multiple=True, metavar="URL", help="A web page that may call it.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Least level of the JSON lines on stderr.",
)
def serve(
    host: str,
    port: int,
    database: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    behind_proxy: bool,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    log_level: str,
) -> None:
    """Serve spaces to several people and machines.

    Prints the address on stdout once it can be called, and logs JSON lines on stderr. SIGTERM or ctrl+c tells all
    who are connected, and ends within two seconds.
    """
    import asyncio

    from msgspec.structs import replace

    from flowide.cli.hub import default_database, needs_server
    from flowide.settings import load
    from flowide.space.policy import policy_of

    needs_server()
    from flowide.hub.guard import LOOPBACK
    from flowide.hub.journal import Journal
    from flowide.hub.manner import Manner
    from flowide.hub.serve import Place, check_place
    from flowide.hub.serve import serve as serve_hub

    settings = load(None).settings
    place = Place(host, port, tls_cert, tls_key, behind_proxy)
    check_place(place)
    names: frozenset[str] | None = None
    if hosts:
        names = frozenset(name.casefold() for name in hosts) | LOOPBACK
    elif host in LOOPBACK and not behind_proxy:
        names = LOOPBACK
    asyncio.run(
        serve_hub(
            default_database(database),
            place,
            policy=replace(policy_of(settings), people=settings.hub.people, agents=settings.hub.agents),
            manner=Manner(
                hosts=names,
                origins=frozenset(origins),
                failures=settings.hub.wrong_tokens,
                streams=settings.hub.streams,
                connections=None if behind_proxy else settings.hub.connections,
                hub_ms=settings.stream.hub_ms,
                hub_bytes=settings.stream.hub_bytes,
            ),
            journal=Journal(log_level),
            ready=lambda url: click.echo(f"serving at {url}"),
        )
    )
