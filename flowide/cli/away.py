"""What a command says about the hub its space is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.cli.desk import say, warn

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder
    from flowide.space.api import Space


async def prepare(folder: ProjectFolder, space: Space) -> None:
    """Tell when the hub is away, and bring the folder's files to what others saved meanwhile."""
    from flowide.space.remote.space import RemoteSpace

    if not isinstance(space, RemoteSpace):
        return
    space.core.tell = warn
    line = space.standing.line()
    if line:
        warn(f"{line}; what is shown is what this machine has")
    place = f"followed:{folder.root}"
    if space.core.outbox.note(place) == str(space.core.seq):
        return
    from flowide.project.following import follow_now
    from flowide.project.reconnecting import offer

    seq = space.core.seq
    for change in [*await follow_now(folder, space), *await offer(space)]:
        if change.message:
            warn(change.message)
    space.core.outbox.put_note(place, str(seq))


def tell(space: Space) -> None:
    """What waits to be sent, and what the hub refused of what had waited."""
    from flowide.space.remote.space import RemoteSpace

    if not isinstance(space, RemoteSpace):
        return
    standing = space.standing
    if standing.waiting:
        count = f"{standing.waiting} command{'s' if standing.waiting > 1 else ''}"
        say(f"{count} will be sent when the hub is there again")
    for each in space.core.outbox.refused(space.seat.handle):
        warn(f"{each.cmd} was refused when the hub was there again: {each.error['message']}")
