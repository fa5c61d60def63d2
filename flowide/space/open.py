"""Opening a space by its place."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.actors import Actor
from flowide.domain.policy import Policy
from flowide.settings import load
from flowide.space.api import Space
from flowide.space.local import LocalSpace
from flowide.space.policy import policy_of


async def open_space(
    target: Path | str,
    *,
    actor: Actor,
    client: str | None = None,
    policy: Policy | None = None,
    folder: Path | None = None,
) -> Space:
    """Open the workspace database at `target`, made when it is not there, or the space of a hub at its address.

    `client` is this process's UUID; None makes a new one. `policy` is what the rules allow; None = what the
    settings of the database's project say; a hub has its own. `folder` holds the replica of a hub's space; None = the
    user's own data folder.

    Raises:
        StorageFailed: The file cannot be used.
        BadInput: The settings are wrong.
        AuthFailed: This device has not joined the hub's space, or its token was revoked.
        Offline: The hub cannot be reached, and there is no replica yet.
    """
    if isinstance(target, str) and "://" in target:
        from flowide.space.remote.opening import open_remote

        return await open_remote(target, actor=actor, client=client, folder=folder)
    from flowide.store.sqlite import SqliteStore

    path = Path(target)
    if policy is None:
        policy = policy_of(load(path.parent.parent if path.parent.name == ".flowide" else None).settings)
    return LocalSpace(SqliteStore(path), actor, client=client, policy=policy)
