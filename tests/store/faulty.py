"""A process that saves versions while its disk fails; run by the tests of faults.

`python -m tests.store.faulty DATABASE SAVES [LARGEST_FILE]` prints a JSON object: what was acknowledged, and what was
said of the rest. A save whose answer is a storage failure is sent again with the same id, up to three times.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path
from typing import Any

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.ids import uuid7
from flowide.errors import StorageFailed
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore


async def send(space: LocalSpace, command: c.Command[Any], said: list[str]) -> Any:
    """The answer; None when the store failed each time."""
    id = uuid7()
    for _ in range(3):
        try:
            return (await space.execute(command, id=id)).ok
        except StorageFailed as error:
            said.append(f"{error.message} | {error.hint}")
    return None


async def main(database: Path, saves: int, largest: int) -> dict[str, Any]:
    said: list[str] = []
    space = LocalSpace(SqliteStore(database), Actor("ana"))
    doc = (await send(space, c.CreateArtifact(path="doc.md", text="0"), said)).artifact
    fence = (await send(space, c.AcquireLock(artifact=doc, ttl_ms=86_400_000), said)).fence
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    acknowledged = [1]
    for at in range(saves + 1):
        if at == saves:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        text = f"{at} " * 2000
        save = c.SaveArtifact(artifact=doc, fence=fence, base=acknowledged[-1], text=text, then="keep")
        saved = await send(space, save, said)
        if saved is not None:
            acknowledged.append(saved.version)
    head = await space.head()
    await space.close()
    return {"acknowledged": acknowledged, "said": said, "head": head}


if __name__ == "__main__":
    limit = int(sys.argv[3]) if sys.argv[3:] else resource.RLIM_INFINITY
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), limit))))
