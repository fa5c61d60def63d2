"""Finds processes without help of programs that a small system does not have.

A `sleep` is found by how long it sleeps: a confined program may live in a namespace of its own, with other ids.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

_numbers = itertools.count(1)


def unique() -> int:
    """Seconds, long enough for any test, that no other `sleep` on this machine was told."""
    return 1_000_000 + os.getpid() * 100 + next(_numbers) % 100


def sleeping(seconds: int | str) -> list[int]:
    """Ids of the processes `sleep <seconds>`, as they are called here."""
    return [process for process, line in _lines() if line == f"sleep {seconds} "]


def running(word: str) -> list[int]:
    """Ids of the other processes with this in their command line."""
    return [process for process, line in _lines() if word in line and process != os.getpid()]


def children(of: int, name: str) -> list[int]:
    """Ids of the processes that one has started, those with this name."""
    return [process for process, _ in _lines() if _stat(process)[:2] == (name, of)]


def lives(process: int) -> bool:
    """Whether it runs; a dead one that nobody has waited for does not."""
    return _stat(process)[2] not in {"", "Z"}


def _stat(process: int) -> tuple[str, int, str]:
    """Name, parent and state; empty when there is no such process."""
    try:
        before, _, after = Path(f"/proc/{process}/stat").read_text().rpartition(")")
    except OSError:
        return "", 0, ""
    state, parent = after.split()[:2]
    return before.partition("(")[2], int(parent), state


def _lines() -> Iterator[tuple[int, str]]:
    """Each process with its command line, whose words end with a space."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        yield int(process.name), line.replace(b"\0", b" ").decode(errors="replace")
