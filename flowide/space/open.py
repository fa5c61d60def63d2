"""Opening a space by its place."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.actors import Actor
from flowide.errors import BadInput
from flowide.space.api import Space
from flowide.space.local import LocalSpace


async def open_space(target: Path | str, *, actor: Actor, client: str | None = None) -> Space:
    """Open the workspace database at `target`, made when it is not there.

    `client` is this process's UUID; None makes a new one.

    Raises:
        StorageFailed: The file cannot be used.
    """
    if isinstance(target, str) and "://" in target:
        raise BadInput(f"{target} is a hub, and this version opens local workspaces only")
    from flowide.store.sqlite import SqliteStore

    return LocalSpace(SqliteStore(Path(target)), actor, client=client)
