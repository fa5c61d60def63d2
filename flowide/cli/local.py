"""`flowide local`: a tiny real model on loopback."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from flowide.agents import local as engine


@click.command()
@click.option(
    "--port", default=engine.DEFAULT_PORT, show_default=True, help="Port on loopback; 0 = any free one."
)
@click.option("--model", type=click.Path(path_type=Path), help="A GGUF file instead of the packaged model.")
def local(port: int, model: Path | None) -> None:
    """Serve a tiny real model on this machine, for trying FlowIDE without an account.

    \b
    Example:
      flowide local &
      OPENAI_API_BASE=http://127.0.0.1:8737/v1 OPENAI_API_KEY=none \\
        flowide run variations --agents openai/smollm2 --set path=notes.md \\
        --brief "A short note on caching"
    """
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with engine.LocalModel(model, port=port) as served:
        click.echo(f"{served.model.name} answers at {served.url} (stop with ctrl+c)")
        click.echo(f"  export OPENAI_API_BASE={served.url} OPENAI_API_KEY=none")
        click.echo(f"  flowide agents test openai/{engine.ALIAS}")
        click.echo("It is small: fluent, shallow, good for trying things out.")
        signal.sigwait(signals)
