"""How soon an event is with all watchers of a space, against a bare WebSocket fan-out.

From the answer to the writer until the last of the watchers has the event. The baseline is `websockets.broadcast` of a
text of the same size in a process of its own: no database, no log, no roles. Both are spoken to by the same client,
which reads from all watchers in one process, in turns.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path
from uuid import uuid4

from benchmarks import Row, row
from benchmarks._hub import Line, connect, hub, process
from flowide.domain.ids import uuid7

ROUNDS = 60
WARM = 10
PACE_S = 0.03


async def _until_all(watchers: list[Line], before: list[int], answered: float) -> float:
    """Seconds from the answer until the last watcher has one frame more."""
    last = max(range(len(watchers)), key=lambda at: watchers[at].frames <= before[at])
    while watchers[last].frames <= before[last]:
        await asyncio.sleep(0)
        last = max(range(len(watchers)), key=lambda at: watchers[at].frames <= before[at])
    return max(watcher.last_at for watcher in watchers) - answered


async def in_turns(ours_at: tuple[str, str], theirs_at: str, count: int) -> tuple[float, float]:
    """Median seconds to so many watchers, here and there."""
    ours = [await connect(*ours_at) for _ in range(count + 1)]
    theirs = [await connect(theirs_at) for _ in range(count + 1)]
    for line in ours:
        await line.ask({"type": "ask", "call": {"id": "q", "cmd": "Artifacts"}}, b'{"type":"res"')
    await asyncio.sleep(0.5)
    client = str(uuid4())
    size = 0
    mine: list[float] = []
    others: list[float] = []
    for at in range(WARM + ROUNDS):
        call = {"id": uuid7(), "cmd": "thread.open", "args": {"thread": uuid7(), "title": f"thread {at}"}}
        before = [line.frames for line in ours[1:]]
        event = ours[1].frame_that_starts(b'{"type":"ev"')
        await ours[0].ask({"type": "cmds", "client": client, "cmds": [call]}, b'{"type":"res"')
        mine.append(await _until_all(ours[1:], before, ours[0].found_at))
        size = len(await event)
        await asyncio.sleep(PACE_S)

        text = b'{"type":"ev","' + b"x" * max(0, size - 16) + b'"}'
        before = [line.frames for line in theirs[1:]]
        answered = theirs[0].frame_that_starts(b'{"type":"res"')
        theirs[0].send(text)
        await answered
        others.append(await _until_all(theirs[1:], before, theirs[0].found_at))
        await asyncio.sleep(PACE_S)
    for line in [*ours, *theirs]:
        line.close()
    return statistics.median(mine[WARM:]), statistics.median(others[WARM:])


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark; not `quick` goes up to 1,000 watchers."""
    rows = []
    for count in (10, 100) if quick else (10, 100, 1000):
        with (
            tempfile.TemporaryDirectory() as place,
            hub(str(Path(place) / "hub")) as ours,
            process("-m", "benchmarks._small_server", "fanout") as theirs,
        ):
            mine, bare = asyncio.run(in_turns(ours, theirs, count))
        rows.append(
            row(
                f"event to {count} watchers, the last one",
                mine * 1e3,
                "ms",
                bare * 1e3,
                goal="≤ 2 × a bare WebSocket fan-out",
                at_most=2,
            )
        )
    return rows
