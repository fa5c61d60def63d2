"""One process of the programme: sends random commands, and writes down each call before and each answer after.

The journal is written with plain `write` calls, so that it survives the process being killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.ids import uuid7
from flowide.errors import FlowError, StorageFailed
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.store.by_url import open_store

TTL_MS = 700
PART = 40
"""Bytes of one part of a draft."""


def draft_text(artifact: str, fence: int, size: int) -> str:
    """What every worker writes under a fence, so that any prefix can be told from anything else."""
    unit = f"{artifact}/{fence}: words nobody may lose. "
    return (unit * (size // len(unit) + 1))[:size]


class Worker:
    """Sends commands until it is killed or asked to stop."""

    def __init__(self, space: LocalSpace, journal: int, seed: int) -> None:
        self.space = space
        self.journal = journal
        self.random = random.Random(seed)
        self.fences: dict[str, int] = {}
        """What this process believes to hold; may be out of date."""
        self.tickets: dict[str, str] = {}
        self.have: dict[tuple[str, int], int] = {}
        self.saves = 0

    async def run(self, artifacts: list[str], until: Callable[[], bool]) -> None:
        moves = [self.acquire] * 6 + [self.save] * 6 + [self.write] * 4 + [self.renew] * 2
        moves += [self.release, self.release, self.force, self.cancel, self.transfer, self.adopt, self.stale]
        while not until():
            await self.random.choice(moves)(self.random.choice(artifacts))
            if self.random.random() < 0.5:
                await asyncio.sleep(self.random.random() * 0.05)

    # --- moves --------------------------------------------------------------------------------------

    async def acquire(self, artifact: str) -> None:
        wait = self.random.random() < 0.6
        ok = await self.send(c.AcquireLock(artifact=artifact, wait=wait, ttl_ms=TTL_MS, purpose="torture"))
        if ok is not None and ok.fence is not None:
            self.fences[artifact] = ok.fence
            for _ in range(self.random.choice([0, 1, 1, 3])):
                await self.write(artifact)
            if self.random.random() < 0.7:
                await self.save(artifact)
        elif ok is not None:
            self.tickets[artifact] = ok.ticket
            await self.see_grant(artifact)

    async def see_grant(self, artifact: str) -> None:
        """Renew the ticket, and look whether it has won."""
        ticket = self.tickets.get(artifact)
        if ticket is None:
            return
        await self.send(c.RenewLock(artifact=artifact, ticket=ticket))
        [state] = await self.space.read(q.Locks(artifact))
        if state.lock.ticket == ticket and state.lock.state != "free":
            self.fences[artifact] = state.lock.fence
        if all(waiting.id != ticket for waiting in state.queue):
            del self.tickets[artifact]

    async def save(self, artifact: str) -> None:
        await self.see_grant(artifact)
        fence = self.fences.get(artifact)
        if fence is None:
            return
        base = (await self.space.read(q.FindArtifact(artifact))).version
        self.saves += 1
        ok = await self.send(
            c.SaveArtifact(
                artifact=artifact,
                fence=fence,
                base=base,
                text=f"{self.space.actor.id} {self.space.client} {self.saves}\n" * 20,
                then=self.random.choice(["keep", "release", "release"]),
            )
        )
        self.have.pop((artifact, fence), None)
        if ok is None or ok.fence is None:
            self.fences.pop(artifact, None)

    async def write(self, artifact: str) -> None:
        fence = self.fences.get(artifact)
        if fence is None:
            return
        have = self.have.get((artifact, fence), 0)
        text = draft_text(artifact, fence, have + PART)[have:]
        ok = await self.send(c.AppendDraft(artifact=artifact, fence=fence, off=have, text=text))
        if ok is None:
            self.fences.pop(artifact, None)
        else:
            self.have[artifact, fence] = ok.have

    async def renew(self, artifact: str) -> None:
        fence = self.fences.get(artifact)
        if (
            fence is not None
            and await self.send(c.RenewLock(artifact=artifact, fence=fence, active=True)) is None
        ):
            self.fences.pop(artifact, None)

    async def release(self, artifact: str) -> None:
        fence = self.fences.pop(artifact, None)
        if fence is not None:
            await self.send(c.ReleaseLock(artifact=artifact, fence=fence))

    async def force(self, artifact: str) -> None:
        if self.random.random() < 0.3:
            ok = await self.send(c.ForceLock(artifact=artifact, reason="torture", take=True, ttl_ms=TTL_MS))
            if ok is not None:
                self.fences[artifact] = ok.fence

    async def cancel(self, artifact: str) -> None:
        ticket = self.tickets.pop(artifact, None)
        if ticket is not None:
            await self.send(c.CancelTicket(ticket=ticket))

    async def transfer(self, artifact: str) -> None:
        fence = self.fences.pop(artifact, None)
        if fence is not None:
            to = f"w{self.random.randrange(8)}"
            await self.send(c.TransferLock(artifact=artifact, fence=fence, to=to, with_draft=False))

    async def adopt(self, artifact: str) -> None:
        drafts = await self.space.read(q.Drafts(artifact))
        if drafts:
            draft = self.random.choice(drafts)
            ok = await self.send(c.AdoptDraft(draft=draft.id, ttl_ms=TTL_MS))
            if ok is not None:
                # Gives the text back at once: its words are another fence's.
                await self.send(c.ReleaseLock(artifact=artifact, fence=ok.fence))

    async def stale(self, artifact: str) -> None:
        """What a process that slept for long would send."""
        version = (await self.space.read(q.FindArtifact(artifact))).version
        await self.send(
            c.SaveArtifact(artifact=artifact, fence=self.random.randrange(1, 5), base=version, text="stale\n")
        )

    # --- sending ------------------------------------------------------------------------------------

    async def send(self, command: c.Command[Any]) -> Any:
        """Send a command until it is decided; None = refused."""
        id = uuid7()
        self.tell(k="call", id=id, cmd=command.wire_name(), args=msgspec.to_builtins(command))
        while True:
            try:
                reply = await self.space.execute(command, id=id)
            except StorageFailed as error:
                self.tell(k="storage", id=id, message=error.message)
                await asyncio.sleep(0.05)
            except FlowError as refused:
                self.tell(k="ret", id=id, seq=refused.data["seq"], err=refused.to_dict())
                return None
            else:
                self.tell(k="ret", id=id, seq=reply.seq, ok=msgspec.to_builtins(reply.ok))
                return reply.ok

    def tell(self, **entry: Any) -> None:
        entry |= {"t": time.monotonic_ns(), "actor": self.space.actor.id, "client": self.space.client}
        os.write(self.journal, json.dumps(entry).encode() + b"\n")


async def main(database: str, space_name: str, name: str, journal: str, seed: int) -> None:
    """Work until the file `stop` appears beside the journal."""
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stop = Path(journal).with_name("stop")
    space = LocalSpace(open_store(database, space_name), Actor(name))
    artifacts = [row.id for row in await space.read(q.Artifacts())]
    await Worker(space, file, seed).run(artifacts, stop.exists)
    await space.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])))
