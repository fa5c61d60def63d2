"""Which events of the log belong to a run."""

from __future__ import annotations

from flowide.domain.events import Event


class RunScope:
    """Told every event in order, it says which are the run's: its own, and those of what it works on."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._sets: set[str] = set()
        self._gates: set[str] = set()
        self._threads: set[str] = set()
        self._decisions: set[str] = set()
        self._artifacts: set[str] = set()
        self._client: str | None = None
        """The process that drives the run now; None while none does."""

    def belongs(self, event: Event) -> bool:
        """Whether this event, which comes after all told before, is part of the run's story."""
        data = event.data
        if data.get("run") == self.run:
            self._note(event)
            return True
        if data.get("set") in self._sets:
            if event.type == "variation.accepted":
                self._artifacts.add(data["artifact"])
            return True
        if data.get("gate") in self._gates or data.get("decision") in self._decisions:
            return True
        if data.get("thread") in self._threads and event.type in {"message.posted", "decision.proposed"}:
            self._note(event)
            return True
        ours = event.client == self._client and event.type.split(".")[0] in {"artifact", "lock"}
        return ours and data.get("artifact") in self._artifacts

    def _note(self, event: Event) -> None:
        data = event.data
        if event.type in {"run.started", "run.claimed"}:
            self._client = event.client
        elif event.type == "run.finished":
            self._client = None
        elif event.type == "gate.opened":
            self._gates.add(data["gate"])
        elif event.type == "turn.taken":
            self._threads.add(data["thread"])
        elif event.type in {"message.posted", "decision.proposed"}:
            self._threads.update([data["thread"]] if data.get("thread") else [])
            self._decisions.update([data["decision"]] if "decision" in data else [])
        elif event.type == "variation.set_opened":
            self._sets.add(data["set"])
            if data.get("artifact"):
                self._artifacts.add(data["artifact"])
        elif data.get("artifact"):
            self._artifacts.add(data["artifact"])
