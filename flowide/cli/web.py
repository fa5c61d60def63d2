"""`flowide web`: the terminal app in a browser."""

from __future__ import annotations

import click

from flowide.cli.desk import say


@click.command(
    epilog="\b\nExamples:\n  flowide web\n  flowide web ~/src/shop --port 9000\n"
    "  ssh -L 8765:localhost:8765 there flowide web src/shop"
)
@click.argument("path", required=False)
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--as", "handle", metavar="HANDLE", help="Who acts; by default the git or login user.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True)
@click.option(
    "--public-url", metavar="URL", help="Address that browsers see, when there is a proxy with TLS in front."
)
@click.option(
    "--allow-others", is_flag=True, help="Listen beyond this machine: whoever has the address acts as you."
)
@click.option("--open", "open_", is_flag=True, help="Open it in the browser of this machine.")
def web(
    *,
    path: str | None,
    project: str | None,
    handle: str | None,
    host: str,
    port: int,
    public_url: str | None,
    allow_others: bool,
    open_: bool,
) -> None:
    """Serve the terminal app to a browser on this machine.

    Each tab is an app of its own; it ends with the tab, and gives its locks back. The address that is printed has a
    secret in it: who has it reads and changes the project, and has agents and commands run, as you.
    """
    import os
    import shlex
    import sys

    from flowide.cli.around import acting, project_root
    from flowide.errors import BadInput

    root = project_root(path or project).resolve()
    if not root.is_dir():
        raise BadInput(f"{root} is no folder", hint="Name the folder of a project, or see flowide --help.")
    try:
        from flowide.tui.web import FlowServer, child_environment, is_loopback
    except ModuleNotFoundError as error:
        raise BadInput(
            f"the app in a browser needs {error.name}, which is not installed",
            hint="Install it with: pip install 'flowide[web]'",
        ) from error
    if not is_loopback(host) and not allow_others:
        raise BadInput(
            f"{host} can be reached by others, and whoever opens the address acts as you",
            hint="Leave --host out and use `ssh -L`, or say --allow-others, best behind a proxy with TLS.",
        )
    _check_free(host, port)
    command = [sys.executable, "-m", "flowide", "open", str(root), "--as", acting(handle, root).id]
    server = FlowServer(shlex.join(command), host=host, port=port, title=root.name, public_url=public_url)
    os.environ.update(child_environment())
    for name in ("TMUX", "NO_COLOR", "VTE_VERSION"):
        os.environ.pop(name, None)
    say(
        f"FlowIDE on {root}, for browsers on {'any machine' if not is_loopback(host) else 'this machine only'}:"
    )
    click.echo(f"  {server.address}")
    say("Who has this address acts as you. Ctrl+c ends it.")
    if open_:
        click.launch(server.address)
    server.serve()


def _check_free(host: str, port: int) -> None:
    """Raise BadInput unless one can listen there."""
    import socket

    from flowide.errors import BadInput

    try:
        family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        raise BadInput(
            f"{host} port {port} cannot be used: {error.strerror}", hint="Choose another one with --port."
        ) from error
