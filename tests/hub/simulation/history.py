"""What the clients were told, checked against the log that the hub has in the end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from flowide.domain.events import Event
from tests.hub.chaos.history import RemoteHistory


@dataclass
class SimulatedHistory(RemoteHistory):
    """The checker of the programmes, told directly; and what was posted, exactly once and in order."""

    said: list[dict[str, Any]] = field(default_factory=list)
    """All that the clients wrote down, for the hash of the history."""
    promised: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Numbers of messages of which each client was told that they are posted, or will be."""
    begun: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Messages that each client has begun to post."""
    told_at: int = 0
    """Moment of the newest entry, in thousandths of a nanosecond: no two are told at the same."""

    def take(self, entry: dict[str, Any]) -> None:
        self.said.append(entry)
        if entry["k"] in {"call", "ret", "local", "storage"}:
            super().take(entry)

    def restored(self, backup: list[Event], waiting: dict[str, set[int]], kept: set[tuple[str, int]]) -> None:
        """The hub goes on from a backup: what it was told after it may be lost, and nothing else.

        `waiting` are the messages in outboxes now, `kept` the artifacts and fences of texts that are only on their
        machines.
        """
        head = len(backup)
        there = posted(backup)
        for name in self.promised:
            self.promised[name] &= there[name].keys() | waiting.get(name, set())
        silent = {"draft.append", "lock.renew"}
        for id, call in list(self.calls.items()):
            if call.answered is not None and ((call.seq or 0) > head or call.cmd in silent):
                del self.calls[id]
        for key in set(self.here) - kept:
            del self.here[key]

    def check(self) -> list[str]:
        super().check()
        there = posted(self.events)
        for name, numbers in there.items():
            found = [number for number, times in numbers.items() for _ in range(times)]
            self._must(max(numbers.values()) == 1, f"{name} posted more than once: {found}")
            self._must(found == sorted(found), f"{name} posted in this order: {found}")
        for name, wanted in self.promised.items():
            lost = sorted(wanted - there[name].keys())
            self._must(not lost, f"{name} was told that these are posted, and they are not: {lost}")
        return self.broken


def posted(events: list[Event]) -> dict[str, dict[int, int]]:
    """How often the log has each message of each client, in the order of the first."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for event in events:
        if event.type == "message.posted":
            numbers = found[event.actor["id"]]
            number = int(event.data["text"])
            numbers[number] = numbers.get(number, 0) + 1
    return found
