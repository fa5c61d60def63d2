"""Live texts of others, as the hub streams them: whoever looks at one again and again need not ask each time."""

from __future__ import annotations

import time

from flowide.space.wire.frames import DraftEnd, DraftText, FromHub, StepText, Sub

MOST = 32
"""Texts that are followed at once; the hub takes 64."""
FORGET_S = 60.0
"""A text nobody has looked at for so long is no longer followed."""
At = tuple[str | None, str | None, str | None]
"""Path of an artifact, id of a thread, id of a run."""
NOWHERE: At = (None, None, None)


class Live:
    """Texts that are followed; empty again with each new connection."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[str, str], float] = {}
        """When each `("draft", artifact)` or `("run", run)` was looked at last."""
        self._sent: tuple[list[str], list[str], At] = ([], [], NOWHERE)
        self._drafts: dict[str, tuple[int, bytearray]] = {}
        """Fence and text by artifact."""
        self._steps: dict[tuple[str, str], bytearray] = {}
        self.at = NOWHERE
        """What is looked at, for others to see."""

    def draft(self, artifact: str, fence: int) -> str | None:
        """The text under a fence, when it is followed and known."""
        self._look("draft", artifact)
        found = self._drafts.get(artifact)
        if found is None or found[0] != fence:
            return None
        return found[1].decode(errors="ignore")

    def step(self, run: str, key: str) -> str | None:
        """The answer of a step, when it is followed and known."""
        self._look("run", run)
        found = self._steps.get((run, key))
        return None if found is None else found.decode(errors="ignore")

    def subscription(self) -> Sub | None:
        """What the hub has to be told now; None = nothing new."""
        drafts = sorted(id for kind, id in self._wanted if kind == "draft")
        runs = sorted(id for kind, id in self._wanted if kind == "run")
        wanted = (drafts, runs, self.at)
        if wanted == self._sent:
            return None
        self._sent = wanted
        return Sub(drafts, runs, *self.at)

    def again(self) -> None:
        """The connection is a new one."""
        self._drafts.clear()
        self._steps.clear()
        self._sent = ([], [], NOWHERE)

    def take(self, frame: FromHub) -> bool:
        """Take a frame; whether it was one of these."""
        match frame:
            case DraftText():
                fence, have = self._drafts.get(frame.artifact, (frame.fence, bytearray()))
                if fence != frame.fence or frame.off == 0:
                    fence, have = frame.fence, bytearray()
                if _put(have, frame.off, frame.text, cut=frame.cut):
                    self._drafts[frame.artifact] = (fence, have)
                else:
                    self._lost(("draft", frame.artifact))
            case StepText():
                have = self._steps.setdefault((frame.run, frame.key), bytearray())
                if not _put(have, frame.off, frame.text, cut=frame.off == 0):
                    self._lost(("run", frame.run))
            case DraftEnd():
                self._drafts.pop(frame.artifact, None)
            case _:
                return False
        return True

    def _look(self, kind: str, id: str) -> None:
        now = time.monotonic()
        self._wanted.pop((kind, id), None)
        self._wanted[kind, id] = now
        for old, seen in list(self._wanted.items()):
            if len(self._wanted) > MOST or now - seen > FORGET_S:
                self._lost(old)

    def _lost(self, topic: tuple[str, str]) -> None:
        """A part is missing, as when the line is slow, or nobody looks any more: begin anew when somebody does."""
        kind, id = topic
        self._wanted.pop(topic, None)
        if kind == "draft":
            self._drafts.pop(id, None)
        for key in [key for key in self._steps if kind == "run" and key[0] == id]:
            del self._steps[key]


def _put(have: bytearray, off: int, text: str, *, cut: bool) -> bool:
    """Put a part at its offset; False when something before it is missing."""
    if off > len(have):
        return False
    data = text.encode()
    if cut or off + len(data) > len(have):
        have[off:] = data
    return True
