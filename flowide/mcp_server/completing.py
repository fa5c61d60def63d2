"""What an argument of a prompt, or the path in an address, may be."""

from __future__ import annotations

from flowide.mcp_server.session import Session
from flowide.space.queries import Artifacts, Threads

MOST = 100


async def complete(session: Session, argument: str, begun: str) -> list[str]:
    """Values of an argument that begin so, then those that have it somewhere; empty when none are known."""
    if argument == "path":
        known = sorted({*await session.files(), *(row.path for row in await session.space.read(Artifacts()))})
    elif argument == "thread":
        known = ["last", *(each.title for each in await session.space.read(Threads(limit=500)))]
    else:
        return []
    wanted = begun.casefold()
    first = [each for each in known if each.casefold().startswith(wanted)]
    return first + [each for each in known if wanted in each.casefold() and each not in first]
