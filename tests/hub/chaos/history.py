"""The checker of one machine's programme, and what more a hub and its clients promise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from flowide.store.api import Store
from tests.space.torture.history import MADE, History
from tests.space.torture.worker import draft_text


@dataclass
class RemoteHistory(History):
    """Texts may be acknowledged by the machine they are written on."""

    store: Store | None = None
    here: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    """Bytes that were kept on their machine while the hub was away, by artifact and fence."""

    def take(self, entry: dict[str, Any]) -> None:
        if entry["k"] != "local":
            super().take(entry)
        elif entry["id"] in self.calls:
            args = self.calls[entry["id"]].args
            key = (args["artifact"], args["fence"])
            self.here[key] = max(self.here[key], entry["ok"]["have"])

    def _check_words(self) -> None:
        """Text that was acknowledged, by the hub or the own machine, is somewhere."""
        sent = dict(self.here)
        for call in self.calls.values():
            if call.cmd == "draft.append" and call.ok is not None:
                key = (call.args["artifact"], call.args["fence"])
                sent[key] = max(sent.get(key, 0), call.ok["have"])
        versions = {(e.data["artifact"], e.data["fence"]) for e in self.events if e.type in MADE}
        kept, saves = self._kept(), self._saves()
        for (artifact, fence), size in sent.items():
            if (artifact, fence) in versions:
                continue
            lock = self.timeline[artifact][-1]
            live = lock.state != "free" and lock.fence == fence
            wanted = draft_text(artifact, fence, size)
            found = any(text.startswith(wanted) or text in saves[artifact, fence] for text in kept[artifact])
            self._must(live or found, f"{size} bytes of {artifact} under fence {fence} are lost")

    def _saves(self) -> dict[tuple[str, int], set[str]]:
        """Whole texts that were to be saved in place of what was written, by artifact and fence."""
        found: dict[tuple[str, int], set[str]] = defaultdict(set)
        for call in self.calls.values():
            if call.cmd == "artifact.save":
                found[call.args["artifact"], call.args["fence"]].add(call.args["text"])
        return found

    def _kept(self) -> dict[str, list[str]]:
        """Texts of all drafts that were ever kept, by artifact."""
        assert self.store is not None
        found: dict[str, list[str]] = defaultdict(list)
        for event in self.events:
            if event.type == "draft.kept":
                data = self.store.blob(event.data["sha256"]) or b""
                found[event.data["artifact"]].append(data.decode())
        return found
