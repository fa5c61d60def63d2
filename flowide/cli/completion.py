"""`flowide completion`."""

from __future__ import annotations

import click


@click.command(epilog='\b\nExample:\n  eval "$(flowide completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from flowide.cli.main import COMPLETE, root

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(root, {}, "flowide", COMPLETE).source())
