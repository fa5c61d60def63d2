"""Opening a space by its place."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.actors import Actor
from flowide.domain.policy import Policy
from flowide.errors import BadInput
from flowide.settings import load
from flowide.space.api import Space
from flowide.space.local import LocalSpace
from flowide.space.policy import policy_of


async def open_space(
    target: Path | str, *, actor: Actor, client: str | None = None, policy: Policy | None = None
) -> Space:
    """Open the workspace database at `target`, made when it is not there.

    `client` is this process's UUID; None makes a new one. `policy` is what the rules allow; None = what the
    settings of the database's project say.

    Raises:
        StorageFailed: The file cannot be used.
        BadInput: The settings are wrong.
    """
    if isinstance(target, str) and "://" in target:
        raise BadInput(f"{target} is a hub, and this version opens local workspaces only")
    from flowide.store.sqlite import SqliteStore

    path = Path(target)
    if policy is None:
        policy = policy_of(load(path.parent.parent if path.parent.name == ".flowide" else None).settings)
    return LocalSpace(SqliteStore(path), actor, client=client, policy=policy)
