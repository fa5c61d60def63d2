"""Checks what happened against what was promised: the log on one side, what each process was told on the other.

It knows the rules from the promises alone, and shares no code with them.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from flowide.domain.events import Event
from tests.space.torture.worker import draft_text

MADE = {"artifact.created", "artifact.saved", "artifact.moved", "artifact.deleted", "artifact.restored"}


@dataclass(frozen=True)
class Seen:
    """An artifact and its lock after an event."""

    seq: int = 0
    state: str = "free"
    fence: int = 0
    actor: str | None = None
    version: int = 0
    queue: tuple[str, ...] = ()


@dataclass
class Call:
    """One command as its sender saw it."""

    id: str
    cmd: str
    args: dict[str, Any]
    actor: str
    called: int
    answered: int | None = None
    seq: int | None = None
    ok: dict[str, Any] | None = None
    err: dict[str, Any] | None = None


@dataclass
class History:
    """All calls and all events of one run of the programme."""

    calls: dict[str, Call] = field(default_factory=dict)
    storage: list[str] = field(default_factory=list)
    """What was said when the store could not be used."""
    events: list[Event] = field(default_factory=list)
    timeline: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(lambda: [Seen()]))
    broken: list[str] = field(default_factory=list)

    def read_journal(self, path: Path) -> None:
        for line in path.read_bytes().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut short by the kill
            self.take(entry)

    def take(self, entry: dict[str, Any]) -> None:
        """One line of a journal."""
        if entry["k"] == "call":
            self.calls[entry["id"]] = Call(
                entry["id"], entry["cmd"], entry["args"], entry["actor"], entry["t"]
            )
        elif entry["k"] == "storage":
            self.storage.append(entry["message"])
        else:
            call = self.calls[entry["id"]]
            call.answered, call.seq = entry["t"], entry["seq"]
            call.ok, call.err = entry.get("ok"), entry.get("err")

    def check(self) -> list[str]:
        """What was promised and did not hold."""
        self._replay()
        by_command: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            if event.actor["kind"] != "system":
                by_command[event.cmd].append(event)
        for call in self.calls.values():
            self._check_effect(call, by_command[call.id])
        self._check_order()
        self._check_lapses()
        self._check_words()
        self.broken += [f"said: {said}" for said in self.storage if "database is locked" in said]
        return self.broken

    def at(self, artifact: str, seq: int) -> Seen:
        line = self.timeline[artifact]
        return line[bisect_right(line, seq, key=lambda seen: seen.seq) - 1]

    # --- the log by itself --------------------------------------------------------------------------

    def _replay(self) -> None:
        for at, event in enumerate(self.events, 1):
            self._must(event.seq == at, f"event {at} calls itself {event.seq}")
            artifact = event.data.get("artifact")
            if artifact is not None:
                before = self.timeline[artifact][-1]
                after = self._after(before, event)
                self.timeline[artifact].append(replace(after, seq=event.seq))

    def _after(self, lock: Seen, event: Event) -> Seen:
        data, where = event.data, f"{event.type} at {event.seq}"
        if event.type in MADE:
            holds = lock.state != "free" and (lock.fence, lock.actor) == (data["fence"], event.actor["id"])
            self._must(holds, f"{where}: made without the lock")
            self._must(
                data["version"] == lock.version + 1 and data["base"] == lock.version,
                f"{where}: not the next version",
            )
            return replace(lock, version=data["version"])
        if event.type == "lock.acquired":
            self._must(lock.state != "held", f"{where}: granted while held")
            self._must(data["fence"] == lock.fence + 1, f"{where}: fence {data['fence']} after {lock.fence}")
            return replace(lock, state="held", fence=data["fence"], actor=data["holder"]["actor"])
        if event.type == "lock.queued":
            self._must(lock.state != "free", f"{where}: queued for a free lock")
            return replace(lock, queue=(*lock.queue, data["ticket"]))
        if event.type == "lock.dequeued":
            self._must(data["ticket"] in lock.queue, f"{where}: was not in the queue")
            if data["why"] == "granted":
                self._must(lock.queue[:1] == (data["ticket"],), f"{where}: granted out of turn")
            return replace(lock, queue=tuple(each for each in lock.queue if each != data["ticket"]))
        if event.type in {"lock.lapsed", "lock.revived"}:
            lapsed = event.type == "lock.lapsed"
            self._must(lock.state == ("held" if lapsed else "lapsed"), f"{where}: was {lock.state}")
            self._must(data["fence"] == lock.fence, f"{where}: fence {lock.fence}")
            return replace(lock, state="lapsed" if lapsed else "held")
        if event.type == "lock.released":
            self._must(
                lock.state != "free" and (lock.fence, lock.actor) == (data["fence"], event.actor["id"]),
                f"{where}: released by somebody else",
            )
            return replace(lock, state="free", actor=None)
        if event.type == "lock.transferred":
            self._must((lock.fence, lock.actor) == (data["fence"], event.actor["id"]), f"{where}: not theirs")
            self._must(data["new_fence"] == lock.fence + 1, f"{where}: fence")
            return replace(lock, state="held", fence=data["new_fence"], actor=data["to"]["actor"])
        if event.type == "lock.forced":
            self._must(lock.state != "free" and lock.fence == data["fence"], f"{where}: nothing to force")
            if data["new_fence"] is None:
                return replace(lock, state="free", actor=None)
            self._must(data["new_fence"] == lock.fence + 1, f"{where}: fence")
            return replace(lock, state="held", fence=data["new_fence"], actor=data["by"]["actor"])
        return lock

    # --- the log against what was said --------------------------------------------------------------

    def _check_effect(self, call: Call, events: list[Event]) -> None:
        what = f"{call.cmd} {call.id} of {call.actor}"
        mains = [event for event in events if event.type in _MAIN.get(call.cmd, ())]
        self._must(len(mains) <= 1, f"{what}: had its effect {len(mains)} times")
        seqs = [event.seq for event in events]
        if seqs:
            first, last = seqs[0], seqs[-1]
            between = [e.cmd for e in self.events[first - 1 : last]]
            self._must(set(between) == {call.id}, f"{what}: its events are not together")
        if call.ok is not None:
            self._check_ok(call, what, mains)
        elif call.err is not None:
            self._must(not events, f"{what}: refused, and did {[event.type for event in events]}")
            self._check_refusal(call, what)

    def _check_ok(self, call: Call, what: str, mains: list[Event]) -> None:
        assert call.ok is not None and call.seq is not None
        if call.cmd not in _MAIN:
            return
        if not mains:
            self._must(False, f"{what}: acknowledged at {call.seq}, and is not in the log")
            return
        [event] = mains
        self._must(event.seq <= call.seq, f"{what}: acknowledged before it happened")
        if call.cmd == "artifact.save":
            digest = sha256(call.args["text"].encode()).hexdigest()
            told = (call.ok["version"], call.ok["sha256"])
            self._must(
                (event.data["version"], event.data["sha256"]) == told and told[1] == digest,
                f"{what}: told {told}, logged {event.data}",
            )
        elif call.cmd == "lock.acquire" and call.ok["state"] == "held":
            self._must(event.data["fence"] == call.ok["fence"], f"{what}: fence")

    def _check_refusal(self, call: Call, what: str) -> None:
        assert call.err is not None and call.seq is not None
        code, data = call.err["code"], call.err["data"]
        artifact = call.args.get("artifact")
        if artifact is None:
            return
        seen = self.at(artifact, call.seq)
        if code == "busy":
            holder = call.actor if data["holder"] == "you, elsewhere" else data["holder"]
            self._must((seen.state, seen.actor) == ("held", holder), f"{what}: busy, but it was {seen}")
        elif code == "fenced":
            holds = (seen.fence, seen.actor) == (call.args["fence"], call.actor) and seen.state != "free"
            self._must(not holds and data["fence"] == seen.fence, f"{what}: fenced, but it was {seen}")
        elif code == "conflict":
            self._must(data["version"] == seen.version != call.args["base"], f"{what}: conflict, but {seen}")
        elif code == "gone":
            self._must(call.args.get("ticket") not in seen.queue, f"{what}: gone, but it was {seen}")
        else:
            self._must(code in {"draft_gap", "bad_args", "limit", "not_found"}, f"{what}: {call.err}")

    def _check_order(self) -> None:
        """What was answered before another call began is not behind it in the log."""
        points: list[tuple[int, int, int]] = []
        for call in self.calls.values():
            if call.answered is not None and call.seq is not None:
                points += [(call.called, 1, call.seq), (call.answered, 0, call.seq)]
        newest: dict[str, int] = {}
        highest = 0
        started: list[tuple[int, int]] = []
        for _, begins, seq in sorted(points):
            if begins:
                started.append((highest, seq))
            else:
                highest = max(highest, seq)
        for known, seq in started:
            self._must(seq >= known, f"a call that began after seq {known} was answered at {seq}")
        newest.clear()

    def _check_lapses(self) -> None:
        """No lease runs out earlier than its length after the last renewal that was answered."""
        renewed: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for call in self.calls.values():
            fence = (call.ok or {}).get("fence") if call.cmd == "lock.acquire" else call.args.get("fence")
            if call.ok is not None and call.cmd in {"lock.renew", "lock.acquire"} and fence is not None:
                renewed[call.args["artifact"], fence].append((call.called, call.answered or 0))
        for event in self.events:
            if event.type != "lock.lapsed" or event.data["why"] != "lease":
                continue
            by = self.calls.get(event.cmd)
            if by is None or by.answered is None:
                continue
            for called, answered in renewed[event.data["artifact"], event.data["fence"]]:
                if answered < by.called:
                    lived_ms = (by.answered - called) / 1e6
                    self._must(lived_ms >= 700, f"lapse at {event.seq} after {lived_ms:.0f} ms")

    def _check_words(self) -> None:
        """Text that was acknowledged is in a version's stead, in a kept draft, or still live."""
        sent: dict[tuple[str, int], int] = defaultdict(int)
        for call in self.calls.values():
            if call.cmd == "draft.append" and call.ok is not None:
                key = (call.args["artifact"], call.args["fence"])
                sent[key] = max(sent[key], call.ok["have"])
        ended_well = {(e.data["artifact"], e.data["fence"]) for e in self.events if e.type in MADE}
        kept = {(e.data["artifact"], e.data["fence"]): e.data for e in self.events if e.type == "draft.kept"}
        for (artifact, fence), size in sent.items():
            if (artifact, fence) in ended_well:
                continue
            lock = self.timeline[artifact][-1]
            if (artifact, fence) in kept:
                found = kept[artifact, fence]
                text = draft_text(artifact, fence, found["size"]).encode()
                self._must(
                    found["size"] >= size and sha256(text).hexdigest() == found["sha256"],
                    f"draft of fence {fence}: {size} bytes were acknowledged, {found['size']} are kept",
                )
            else:
                self._must(lock.fence == fence, f"draft of fence {fence} of {artifact} is lost")

    def _must(self, holds: bool, promise: str) -> None:
        if not holds:
            self.broken.append(promise)


_MAIN: dict[str, Iterable[str]] = {
    "artifact.save": ("artifact.saved",),
    "lock.acquire": ("lock.acquired", "lock.queued"),
    "lock.release": ("lock.released",),
    "lock.force": ("lock.forced",),
    "lock.transfer": ("lock.transferred",),
    "lock.cancel": ("lock.dequeued",),
    "draft.adopt": ("draft.adopted",),
}
"""The event that is a command's effect; commands that are missing here may have none."""
