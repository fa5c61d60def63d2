"""What the programmes that play random histories share: what they are asked, and how they close."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from tests.postgres import Server

MOST_TOLD = 50
"""Violations that are printed."""
LONGEST = 1000
"""Characters of each."""


@dataclass
class Report:
    """What one or several histories came to."""

    histories: int = 0
    operations: int = 0
    answered: int = 0
    saves: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.histories += other.histories
        self.operations += other.operations
        self.answered += other.answered
        self.saves += other.saves
        self.faults += other.faults
        self.refusals += other.refusals
        self.violations += other.violations


def parser(module: str, *, histories: int, seconds: float) -> argparse.ArgumentParser:
    """The options that all of them take, with these defaults."""
    found = argparse.ArgumentParser(prog=f"python -m {module}")
    found.add_argument("--histories", type=int, default=histories)
    found.add_argument("--seconds", type=float, default=seconds)
    found.add_argument("--seed", type=int, default=1)
    return found


def add_database(options: argparse.ArgumentParser) -> None:
    """The option of those that can play on a server of their own: see `server_of`."""
    options.add_argument(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="postgres starts a server, and harms it, too",
    )


@contextmanager
def server_of(database: str) -> Iterator[Server | None]:
    """A PostgreSQL as long as the programme runs; None when it plays on SQLite."""
    server = Server() if database == "postgres" else None
    try:
        yield server
    finally:
        if server is not None:
            server.close()


def close(total: Report, pace: str = "") -> NoReturn:
    """Print what it came to, and exit 1 when a promise was broken; `pace` is told beside the histories."""
    print(f"histories   {total.histories}{pace}")
    print(f"operations  {total.operations}, {total.answered} answered, {total.saves} saves")
    print(f"faults      {', '.join(f'{count} {kind}' for kind, count in sorted(total.faults.items()))}")
    print(f"refusals    {', '.join(f'{count} {code}' for code, count in sorted(total.refusals.items()))}")
    print(f"violations  {len(total.violations)}")
    for broken in total.violations[:MOST_TOLD]:
        print(f"  {broken[:LONGEST]}")
    sys.exit(1 if total.violations else 0)
