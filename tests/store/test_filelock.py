"""Writers take turns, and a writer that is gone holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flowide.errors import StorageFailed
from flowide.store.filelock import WriterTurn

HOLD = """
import sys, time
from pathlib import Path
from flowide.store.filelock import WriterTurn
turn = WriterTurn(Path(sys.argv[1]))
turn.acquire(timeout_s=5)
print("mine", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turn"


def test_one_writer_at_a_time_among_threads(path: Path) -> None:
    turns = [WriterTurn(path) for _ in range(3)]
    inside, most = 0, 0
    guard = threading.Lock()

    def work(turn: WriterTurn) -> None:
        nonlocal inside, most
        for _ in range(30):
            turn.acquire(timeout_s=30)
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.0005)
            with guard:
                inside -= 1
            turn.release()

    threads = [threading.Thread(target=work, args=(turn,)) for turn in turns for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for turn in turns:
        turn.close()

    assert most == 1


def test_a_turn_that_does_not_come_is_told(path: Path) -> None:
    one, other = WriterTurn(path), WriterTurn(path)
    one.acquire(timeout_s=1)

    with pytest.raises(StorageFailed) as refused:
        other.acquire(timeout_s=0.05)
    assert not other.try_acquire()
    one.release()
    assert other.try_acquire()

    assert "another process" in refused.value.message and "locked" not in refused.value.message
    other.release()
    one.close()
    other.close()


@pytest.mark.parametrize("stopped", [False, True])
def test_the_turn_of_a_killed_process_is_free(path: Path, stopped: bool) -> None:
    root = Path(__file__).parents[2]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"mine\n"
    turn = WriterTurn(path)
    assert not turn.try_acquire()
    if stopped:
        holder.send_signal(signal.SIGSTOP)

    holder.kill()
    holder.communicate()
    turn.acquire(timeout_s=10)

    turn.release()
    turn.close()
