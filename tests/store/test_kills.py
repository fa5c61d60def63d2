"""A process that is killed at any write of acquire, draft, save and release leaves a sound workspace, and all it
was told is in there. Takes minutes: `pytest -m slow tests/store/test_kills.py`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore
from tests.store.conftest import ANA

ROOT = Path(__file__).parents[2]

CYCLES = """
import asyncio, sys
from pathlib import Path
from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore

async def main():
    space = LocalSpace(SqliteStore(Path(sys.argv[1])), Actor("ana"))
    made = (await space.execute(c.CreateArtifact(id="doc", path="doc.md", text="0"))).ok
    for at in range(1, 6):
        fence = (await space.execute(c.AcquireLock(artifact="doc"))).ok.fence
        await space.execute(c.AppendDraft(artifact="doc", fence=fence, off=0, text=f"words {at}"))
        save = c.SaveArtifact(artifact="doc", fence=fence, base=at, text=f"text {at}", then="keep")
        saved = await space.execute(save)
        print(f'{{"version": {saved.ok.version}, "seq": {saved.seq}}}', flush=True)
        await space.execute(c.ReleaseLock(artifact="doc", fence=fence))

asyncio.run(main())
"""


def killed_at(database: Path, call: str, at: int) -> list[dict[str, int]]:
    """What a process was told that was killed at its `at`-th system call of a kind; it has ended by itself later."""
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={at}",
         sys.executable, "-c", CYCLES, str(database)],
        capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(("call", "points"), [("pwrite64", range(1, 140, 3)), ("fdatasync", range(1, 24))])
async def test_a_kill_at_any_write_loses_nothing_that_was_told(
    tmp_path: Path, call: str, points: range
) -> None:
    for at in points:
        database = tmp_path / f"{call}-{at}.db"
        SqliteStore(database).close()
        told = killed_at(database, call, at)

        space = LocalSpace(SqliteStore(database), ANA)
        assert await space.read(q.Verify()) == [], f"{call} {at}"
        saved = {e.seq: e.data["version"] async for e in space.events() if e.type == "artifact.saved"}
        for each in told:
            assert saved.get(each["seq"]) == each["version"], f"{call} {at}"
        assert sorted(saved.values()) == list(range(2, len(saved) + 2))
        await space.close()
