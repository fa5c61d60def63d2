"""Clients as processes: killed at every point of the outbox, and several that see each other's work."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space import queries as q
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from tests.space.remote.conftest import Opener
from tests.space.remote.served import Served

ROOT = Path(__file__).parents[3]

DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote
from flowide.space.remote.line import Line
from flowide.space.remote.sending import Sender
from flowide.space.remote.outbox import Outbox

def die(kind, name, *, before):
    really = getattr(kind, name)
    def dying(self, *args, **named):
        if before: os.kill(os.getpid(), signal.SIGKILL)
        found = really(self, *args, **named)
        if asyncio.iscoroutine(found):
            async def wait():
                await found
                os.kill(os.getpid(), signal.SIGKILL)
            return wait()
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(kind, name, dying)

async def main(url, token, folder, thread, point):
    space = await open_remote(url, actor=Actor("ana"), folder=Path(folder), seat=Seat(url, "ana", token))
    kind, name, when = point.split()
    die({"Outbox": Outbox, "Line": Line, "Sender": Sender}[kind], name, before=when == "before")
    await space.execute(c.PostMessage(thread=thread, text="precious"))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(*sys.argv[1:]))
"""

POINTS = [
    "Outbox put before",
    "Outbox put after",
    "Line send before",
    "Line send after",
    "Sender take before",
    "Sender take after",
    "Outbox answered before",
    "Outbox answered after",
]


@pytest.mark.parametrize("point", POINTS)
async def test_a_client_that_is_killed_anywhere_has_said_it_once(
    hub: Served, name: str, opened: Opener, tmp_path: Path, point: str
) -> None:
    rod = await opened("rod")
    thread = c.OpenThread(title="talk")
    await rod.execute(thread)
    seat = hub.seat(name, "ana")
    folder = tmp_path / "ana" / ".flowide"

    died = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DIE, seat.url, seat.token, str(folder), thread.thread, point],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    ana = await again(seat, folder)

    wanted = [] if point == "Outbox put before" else ["precious"]
    view = await ana.read(q.ThreadMessages(thread.thread))
    assert [each.text for each in view.messages] == wanted
    assert ana.standing.waiting == 0
    await ana.close()


async def again(seat: Seat, folder: Path) -> RemoteSpace:
    return await open_remote(seat.url, actor=Actor("ana"), folder=folder, seat=seat)


WORK = """
import asyncio, json, sys, time
from pathlib import Path
from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote

async def main(url, token, person, agent, folder):
    space = await open_remote(url, actor=Actor(person), folder=Path(folder), seat=Seat(url, person, token))
    me = agent or person
    if agent: space = space.acting_as(Actor(agent, "agent"))
    print(json.dumps({"ready": me}), flush=True)
    loop = asyncio.get_running_loop()
    async def follow():
        async for event in space.events(await space.head(), follow=True):
            if event.type.startswith("artifact."):
                print(json.dumps({"saw": event.data["path"], "t": time.monotonic()}), flush=True)
    following = asyncio.create_task(follow())
    await loop.run_in_executor(None, sys.stdin.readline)
    await space.execute(c.CreateArtifact(path=f"{me}.md", text=me))
    print(json.dumps({"did": f"{me}.md", "t": time.monotonic()}), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    following.cancel()
    await space.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_people_and_two_agents_see_each_others_work_at_once(
    hub: Served, name: str, tmp_path: Path
) -> None:
    seats = {handle: hub.seat(name, handle) for handle in ("ana", "rod")}
    crew = {"ana": "", "rod": "", "edwin": "ana", "mara": "rod"}
    processes = {}
    for who, person in crew.items():
        seat = seats[person or who]
        processes[who] = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORK, seat.url, seat.token, seat.handle, who if person else "", str(tmp_path / who),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            for process in processes.values():
                assert b"ready" in await _line(process)
            for process in processes.values():
                _write(process, b"go\n")
            did: dict[str, float] = {}
            saw: dict[str, list[float]] = {}
            for process in processes.values():
                for _ in range(5):
                    said = json.loads(await _line(process))
                    if "did" in said:
                        did[said["did"]] = said["t"]
                    else:
                        saw.setdefault(said["saw"], []).append(said["t"])
            for process in processes.values():
                _write(process, b"end\n")
                assert await process.wait() == 0
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.kill()
                await process.wait()

    assert {path: len(times) for path, times in saw.items()} == {f"{who}.md": 4 for who in crew}
    assert max(max(times) - did[path] for path, times in saw.items()) < 5.0  # mostly some hundredths


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


def _write(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
