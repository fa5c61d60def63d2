"""A program that is started under a keeper writes where it may, stays within its limits, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowide.confinement.methods import Confinement, Method, _found, _holds, confinement
from flowide.confinement.spawning import Guarded, Limits, spawn
from tests.sleeping import running, sleeping

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a keeper adopt every descendant")


async def started(script: str, folder: Path, limits: Limits | None = None) -> Guarded:
    return await spawn(
        ["/bin/sh", "-c", script], cwd=folder, env=dict(os.environ), writable=[folder], limits=limits
    )


async def done(script: str, folder: Path, limits: Limits | None = None) -> tuple[Guarded, str]:
    """The program after its end, and what it printed."""
    program = await started(script, folder, limits)
    try:
        assert program.stdout is not None
        async with asyncio.timeout(60):
            output = await program.stdout.read()
            await program.wait()
    finally:
        await program.close()
    return program, output.decode()


def gone(word: str) -> bool:
    until = time.monotonic() + 10
    while running(word):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(not confinement().works, reason="this system cannot confine")
async def test_writes_outside_are_refused_however_they_are_made(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "there").write_text("kept")
    (inside / "link").symlink_to(outside)
    (inside / "mine").write_text("mine")

    program, _ = await done(
        f"echo x > {outside}/new; true > {outside}/there; rm {outside}/there; mkdir {outside}/folder; "
        f"ln -s / {outside}/l; mv mine {outside}/moved; echo x > link/new; ln {outside}/there hard && echo x > hard; "
        f"chmod 777 made 2>/dev/null; echo fine > made; exit 0",
        inside,
    )

    assert program.code == 0
    assert (inside / "made").read_text() == "fine\n"
    assert [each.name for each in outside.iterdir()] == ["there"]
    assert (outside / "there").read_text() == "kept"


async def test_the_exit_code_and_output_are_the_program_s(tmp_path: Path) -> None:
    program, output = await done("echo out; echo err >&2; exit 7", tmp_path)

    assert (program.code, program.ended, output) == (7, "exit", "out\nerr\n")


async def test_a_program_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    program = await spawn(["no-such-program"], cwd=tmp_path, env=dict(os.environ), writable=[tmp_path])
    assert program.stdout is not None
    output = await program.stdout.read()
    await program.wait()
    await program.close()

    assert program.code != 0
    assert b"no-such-program" in output


@linux
async def test_a_daemon_that_left_its_parents_is_gone_when_the_program_ends(tmp_path: Path) -> None:
    mark = f"60{os.getpid()}.25"
    script = (
        f"(setsid sh -c 'trap \"\" TERM HUP; env -i sleep {mark} & sleep {mark}' >/dev/null 2>&1 &) ; exit 0"
    )

    program, _ = await done(script, tmp_path)

    assert program.ended == "exit"
    assert gone(mark)


@linux
async def test_nothing_is_left_when_it_is_ended(tmp_path: Path) -> None:
    mark = f"61{os.getpid()}.25"
    program = await started(f"trap '' TERM; (setsid sleep {mark} &); sleep {mark}; sleep {mark}", tmp_path)
    while not running(mark):
        await asyncio.sleep(0.01)

    await program.end()
    await program.close()

    assert (program.ended, program.code) == ("stopped", -signal.SIGKILL)
    assert gone(mark)


_STARTER = """
import asyncio, os, sys
from pathlib import Path
from flowide.confinement.spawning import spawn

async def main():
    await spawn(["/bin/sh", "-c", sys.argv[1]], cwd=Path(sys.argv[2]), env=dict(os.environ), writable=[sys.argv[2]])
    await asyncio.sleep(300)

asyncio.run(main())
"""


@linux
def test_nothing_is_left_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    mark = f"62{os.getpid()}.25"
    script = f"(setsid sleep {mark} &); sleep {mark}"
    starter = subprocess.Popen([sys.executable, "-c", _STARTER, script, str(tmp_path)])
    until = time.monotonic() + 60
    while len(sleeping(mark)) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)

    starter.kill()
    starter.wait()

    assert gone(mark)


@linux
async def test_a_fork_bomb_is_stopped(tmp_path: Path) -> None:
    mark = f"63{os.getpid()}.25"

    program, _ = await done(f"while :; do sleep {mark} & done", tmp_path, Limits(processes=30))

    assert program.ended == "processes"
    assert gone(mark)


@linux
async def test_children_together_stay_within_the_memory(tmp_path: Path) -> None:
    eat = "import time; x = bytearray(60 << 20); time.sleep(60)"

    program, _ = await done(
        f"for n in 1 2 3 4; do {sys.executable} -S -c '{eat}' & done; wait",
        tmp_path,
        Limits(memory=150 << 20),
    )

    assert program.ended == "memory"


@linux
async def test_nothing_is_left_when_the_keeper_itself_is_killed(tmp_path: Path) -> None:
    mark = f"65{os.getpid()}.25"
    program = await started(f"(setsid sleep {mark} &); sleep {mark}", tmp_path)
    while len(sleeping(mark)) < 2:
        await asyncio.sleep(0.01)

    os.kill(program.keeper, signal.SIGKILL)
    await program.wait()
    await program.close()

    assert program.ended == "lost"
    assert gone(mark)


async def test_a_file_does_not_grow_without_end(tmp_path: Path) -> None:
    await done("yes > big", tmp_path, Limits(file_size=1 << 20))

    assert (tmp_path / "big").stat().st_size <= 1 << 20


async def test_a_start_that_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    mark = f"64{os.getpid()}.25"
    for pause in (0, 0, 0, 0.001, 0.005):
        starting = asyncio.create_task(started(f"sleep {mark}", tmp_path))
        await asyncio.sleep(pause)
        starting.cancel()
        try:
            program = await starting
        except asyncio.CancelledError:
            continue
        await program.close()

    assert gone(mark)


def test_a_method_that_the_system_lacks_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert not _holds("bubblewrap")


@pytest.mark.parametrize("method", ["bubblewrap", "landlock"])
def test_a_method_counts_once_a_trial_has_shown_that_it_holds(method: Method) -> None:
    found = _found(method)

    assert found == (Confinement(method) if _holds(method) else Confinement("none", found.why))
    assert found.works or found.why


def test_somebody_who_turns_it_off_is_told_so() -> None:
    assert "FLOWIDE_CONFINEMENT=none" in _found("none").told()
    assert "can be auto" in _found("nonsense").told()
