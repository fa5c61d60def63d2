"""Finds a `sleep` by how long it sleeps: a confined program may live in a namespace of its own, with other ids."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

_numbers = itertools.count(1)


def unique() -> int:
    """Seconds, long enough for any test, that no other `sleep` on this machine was told."""
    return 1_000_000 + os.getpid() * 100 + next(_numbers) % 100


def sleeping(seconds: int) -> list[int]:
    """Ids of the processes `sleep <seconds>`, as they are called here."""
    wanted = f"sleep\0{seconds}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == wanted:
                found.append(int(process.name))
        except OSError:
            continue
    return found
