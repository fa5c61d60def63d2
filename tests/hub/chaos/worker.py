"""One client of the programme: as the worker of one machine's programme, over a line that breaks."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.ids import uuid7
from flowide.errors import FlowError, Offline, StorageFailed
from flowide.space import queries as q
from flowide.space.remote import line, link, reach, sending
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from tests.space.torture.worker import Worker

STILL_S = 90.0
"""Seconds without any change after which a client is stuck, also on a machine that is busy with other things."""


class RemoteWorker(Worker):
    """Asks again, with the same id, for as long as the hub is away."""

    space: RemoteSpace  # type: ignore[assignment] # the same door
    PAUSE_S = 0.05
    """Before it asks again."""

    async def send(self, command: c.Command[Any]) -> Any:
        id = uuid7()
        self.tell(k="call", id=id, cmd=command.wire_name(), args=msgspec.to_builtins(command))
        while True:
            try:
                reply = await self.space.execute(command, id=id)
            except (Offline, StorageFailed):
                await asyncio.sleep(self.PAUSE_S)
            except FlowError as refused:
                if refused.data.get("decided") is False:
                    await asyncio.sleep(refused.data.get("retry_ms", 50) / 1000)
                    continue
                self.tell(k="ret", id=id, seq=refused.data["seq"], err=refused.to_dict())
                return None
            else:
                here = isinstance(command, c.AppendDraft) and self.is_here(command)
                ok = msgspec.to_builtins(reply.ok)
                self.tell(k="local" if here else "ret", id=id, seq=reply.seq, ok=ok)
                return reply.ok

    def is_here(self, command: c.AppendDraft) -> bool:
        """Whether the text is kept on this machine, because the hub is away."""
        kept = self.space.core.outbox.text(command.artifact, command.fence)
        return kept is not None and kept.dirty


async def main(url: str, name: str, folder: str, journal: str, seed: int) -> None:
    """Work until the file `stop` appears beside the journal; then until nothing waits any more."""
    link.LONGEST_S, reach.GRACE_S, line.PROBE_S = 0.5, 0.2, 0.7
    sending.DOUBT_S, sending.PATIENCE_S = 1.0, 2.0
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stop = Path(journal).with_name("stop")
    seat = Seat(url, name, os.environ["CHAOS_TOKEN"])
    while True:
        try:
            opened = await open_remote(url, actor=Actor(name), folder=Path(folder), seat=seat)
            break
        except Offline:
            await asyncio.sleep(0.1)
    opened.core.tell = lambda line: None
    artifacts = [row.id for row in await opened.read(q.Artifacts())]
    await RemoteWorker(opened, file, seed).run(artifacts, stop.exists)  # type: ignore[arg-type]
    await settled(opened, name)
    await opened.close()


async def settled(space: RemoteSpace, name: str) -> None:
    """Until nothing waits any more. How long that takes says something about the machine; standing still does not.

    Raises:
        AssertionError: Nothing has changed for long.
    """
    before: tuple[object, ...] = ()
    since = time.monotonic()
    while space.state != "online" or space.standing.waiting or space.core.outbox.dirty(name):
        now = (space.standing, len(space.core.outbox.dirty(name)), space.core.seq)
        if now != before:
            before, since = now, time.monotonic()
        assert time.monotonic() - since < STILL_S, f"{name} stands still: {now}"
        await asyncio.sleep(0.05)
    await space.head()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])))
