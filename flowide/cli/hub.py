"""What the commands about a hub have in common: its database, and reaching a space there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flowide.errors import BadInput

if TYPE_CHECKING:
    from flowide.cli.desk import Place
    from flowide.space.api import Space

F = TypeVar("F", bound=Callable[..., Any])
Work = Callable[["Space"], Awaitable[None]]


def needs_server() -> None:
    """Raise BadInput when the libraries of a hub are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn", "websockets", "limits") if find_spec(name) is None]
    if missing:
        raise BadInput(
            f"serving needs libraries that are not installed: {', '.join(missing)}",
            hint="Install them with `pip install 'flowide[server]'`.",
        )


def default_database(given: str | None) -> str:
    """The database of a hub: the one that was named, or the folder `hub` beside the user's settings."""
    from flowide.settings import user_folder

    return given if given is not None else str(user_folder() / "hub")


def on_hub(command: F) -> F:
    """Add `--database`, for work on the hub's own machine."""
    return click.option(
        "--database",
        metavar="PLACE",
        help="On the hub's own machine: its database, as for `flowide serve`, with --space.",
    )(command)


def with_space(at: Place, database: str | None, work: Work) -> None:
    """Do work in a space on a hub: through the network, or on the hub's own machine in its database."""
    if database is None:
        at.run(lambda desk: work(desk.space))
    else:
        asyncio.run(_beside(at, database, work))


async def _beside(at: Place, database: str, work: Work) -> None:
    from flowide.domain.actors import SYSTEM
    from flowide.domain.policy import Policy
    from flowide.space.local import LocalSpace
    from flowide.store.by_url import open_store

    if at.space is None:
        raise BadInput("which space of the database is not said", hint="Add --space NAME.")
    space = LocalSpace(open_store(database, at.space), SYSTEM, policy=Policy(members=True))
    try:
        await work(space)
    finally:
        await space.close()
