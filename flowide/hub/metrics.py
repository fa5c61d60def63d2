"""What a hub counts, as Prometheus reads it. Names of spaces and people are not in it."""

from __future__ import annotations

import time
from collections import Counter

from flowide import __version__
from flowide.hub.journal import Journal

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""Seconds."""


class Metrics:
    """Counters since the start."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._started = time.time()
        self.commands: Counter[str] = Counter()
        """By `ok` or the code of the refusal."""
        self.byes: Counter[str] = Counter()
        """Streams that the hub closed, by why."""
        self.auth_failures = 0
        self.faults = 0
        """Errors that nobody foresaw."""
        self.events_sent = 0
        """To all streams together."""
        self._slower = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def fault(self, error: str) -> None:
        """Something went wrong that nobody foresaw."""
        self.faults += 1
        self._journal.write("error", "fault", error=error[:500])

    def command(self, result: str, seconds: float) -> None:
        """A command was decided, or refused before."""
        self.commands[result] += 1
        self._seconds += seconds
        at = next((at for at, bound in enumerate(_BOUNDS) if seconds <= bound), len(_BOUNDS))
        self._slower[at] += 1

    def text(self, *, spaces: int, streams: int) -> str:
        """The exposition format, version 0.0.4."""
        lines = [
            *_head("info", "gauge", "The program."),
            f'flowide_hub_info{{version="{__version__}"}} 1',
            *_head("start_time_seconds", "gauge", "When it began, Unix time."),
            f"flowide_hub_start_time_seconds {self._started:.3f}",
            *_head("spaces_open", "gauge", "Spaces that are open."),
            f"flowide_hub_spaces_open {spaces}",
            *_head("streams", "gauge", "Clients that are connected."),
            f"flowide_hub_streams {streams}",
            *_head("commands_total", "counter", "Commands, by `ok` or the code of the refusal."),
            *_counted("commands_total", "result", self.commands),
            *_head("byes_total", "counter", "Streams closed by the hub, by why."),
            *_counted("byes_total", "code", self.byes),
            *_head("auth_failures_total", "counter", "Requests with a wrong token or code."),
            f"flowide_hub_auth_failures_total {self.auth_failures}",
            *_head("faults_total", "counter", "Errors that nobody foresaw."),
            f"flowide_hub_faults_total {self.faults}",
            *_head("events_sent_total", "counter", "Events sent, to all streams together."),
            f"flowide_hub_events_sent_total {self.events_sent}",
            *_head("command_seconds", "histogram", "From the call to its answer."),
            *self._histogram(),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        lines, total = [], 0
        for bound, count in zip([*map(str, _BOUNDS), "+Inf"], self._slower, strict=True):
            total += count
            lines.append(f'flowide_hub_command_seconds_bucket{{le="{bound}"}} {total}')
        return [
            *lines,
            f"flowide_hub_command_seconds_sum {self._seconds:.6f}",
            f"flowide_hub_command_seconds_count {total}",
        ]


def _head(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP flowide_hub_{name} {about}", f"# TYPE flowide_hub_{name} {kind}"]


def _counted(name: str, label: str, counts: Counter[str]) -> list[str]:
    return [f'flowide_hub_{name}{{{label}="{value}"}} {count}' for value, count in sorted(counts.items())]
