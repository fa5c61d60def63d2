"""Texts while they are written, to those who asked for them: in chunks, from this hub's clients and from others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from flowide.domain import rows as r
from flowide.domain import runs
from flowide.domain.commands import AppendDraft, Command, StreamStep
from flowide.domain.live_text import live_text
from flowide.hub.line import framed
from flowide.hub.space import HubSpace, Row
from flowide.space.wire.frames import DraftEnd, DraftText, StepText, encode
from flowide.store.api import Store

_PIECE = 128 * 1024
"""Characters of a text that is there already, in one frame."""
MAX_WATCHED = 64
"""Drafts and runs that one client may watch."""

Topic = tuple[str, str]
"""`("draft", artifact)` or `("run", run)`."""


class Watcher(Protocol):
    """Gets live texts."""

    def live(self, frame: bytes) -> None:
        """A frame; it may be dropped when the client is slow."""
        ...


class Stored(Struct, frozen=True):
    """A live text in the store."""

    part: str
    """Key of the step; empty for a draft."""
    fence: int
    mark: tuple[int, int]
    """Changes with the text: its size and how often its end was cut off."""
    text: str | None
    """None = as before."""


class _Text:
    """A live text as the watchers of a topic have it, with what they get next."""

    def __init__(self, topic: Topic, part: str, fence: int) -> None:
        self.topic = topic
        self.part = part
        self.fence = fence
        self.mark = (0, 0)
        self.have = bytearray()
        self.waits_from: int | None = None
        """Offset of the first byte that the watchers have not got; None = they have all."""
        self.cut = False

    def write(self, off: int, text: str, *, cut: bool) -> None:
        """Put text at an offset; what is there already stays, unless `cut`."""
        data = text.encode()
        if cut and off < len(self.have):
            self._waits(off)
            self.cut = True
            del self.have[off:]
        if off > len(self.have):
            return  # a part is missing: a look at the store brings it
        new = data[len(self.have) - off :]
        if new:
            self._waits(len(self.have))
            self.have += new

    def replace(self, new: bytes) -> None:
        """The whole text is now this one."""
        old = self.have
        same = next(
            (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
        )
        while same and same < len(new) and new[same] & 0xC0 == 0x80:
            same -= 1
        if same < len(old):
            self._waits(same)
            self.cut = True
        elif same < len(new):
            self._waits(same)
        self.have = bytearray(new)

    def _waits(self, off: int) -> None:
        self.waits_from = off if self.waits_from is None else min(off, self.waits_from)

    @property
    def waiting(self) -> int:
        """Bytes that the watchers have not got."""
        return 0 if self.waits_from is None else len(self.have) - self.waits_from

    def frames(self) -> Iterator[bytes]:
        """What the watchers get next; they then have all."""
        if self.waits_from is not None:
            off, cut = self.waits_from, self.cut
            self.waits_from, self.cut = None, False
            yield from self._pieces(off, cut=cut)

    def whole(self) -> Iterator[bytes]:
        """All of it, for who is new."""
        return self._pieces(0, cut=True)

    def _pieces(self, off: int, *, cut: bool) -> Iterator[bytes]:
        text = self.have[off:].decode(errors="replace")
        for at in range(0, max(1, len(text)), _PIECE):
            piece = text[at : at + _PIECE]
            yield framed(encode(self._frame(off, piece, cut=cut)))
            off += len(piece.encode())
            cut = False

    def _frame(self, off: int, text: str, *, cut: bool) -> DraftText | StepText:
        if self.topic[0] == "draft":
            return DraftText(self.topic[1], self.fence, off, text, cut)
        return StepText(self.topic[1], self.part, off, text)


class Live:
    """The live texts of a space that somebody here watches."""

    def __init__(self, space: HubSpace, *, chunk_ms: int, chunk_bytes: int) -> None:
        self._space = space
        self._chunk_s = chunk_ms / 1000
        self._chunk_bytes = chunk_bytes
        self._watchers: dict[Topic, set[Watcher]] = {}
        self._texts: dict[Topic, dict[str, _Text]] = {}
        self._timers: dict[Topic, asyncio.TimerHandle] = {}
        self._looking: asyncio.Task[None] | None = None
        self._stale: set[Topic] = set()
        """Topics that a command of this hub has changed in another way than by writing on."""

    def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
        for timer in self._timers.values():
            timer.cancel()

    # --- who watches ----------------------------------------------------------------------------------

    async def watch(self, watcher: Watcher, topics: set[Topic]) -> None:
        """What a client wants from now on; of what is new to it, it gets all there is."""
        for topic in [
            each for each, all_ in self._watchers.items() if watcher in all_ and each not in topics
        ]:
            self._drop(watcher, topic)
        for topic in topics:
            if watcher in self._watchers.get(topic, ()):
                continue
            if topic not in self._texts:
                self._texts[topic] = {}
            await self._look(topic)
            self._flush(topic)
            self._watchers.setdefault(topic, set()).add(watcher)
            for text in self._texts.get(topic, {}).values():
                for frame in text.whole():
                    watcher.live(frame)
        if self._watchers and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._keep_looking(), name=f"live of {self._space.name}")

    def leave(self, watcher: Watcher) -> None:
        """A client is gone."""
        for topic in list(self._watchers):
            self._drop(watcher, topic)

    def _drop(self, watcher: Watcher, topic: Topic) -> None:
        watchers = self._watchers.get(topic, set())
        watchers.discard(watcher)
        if not watchers:
            self._watchers.pop(topic, None)
            self._texts.pop(topic, None)
            timer = self._timers.pop(topic, None)
            if timer is not None:
                timer.cancel()

    # --- what is written ------------------------------------------------------------------------------

    def wrote(self, command: Command[Any]) -> None:
        """A client of this hub wrote live text."""
        if isinstance(command, AppendDraft):
            topic, part, fence, cut = ("draft", command.artifact), "", command.fence, command.cut
        elif isinstance(command, StreamStep):
            topic, part, fence, cut = ("run", command.run), command.key, command.fence, command.off == 0
        else:
            return
        if topic not in self._texts:
            return
        text = self._text(topic, part, fence)
        if command.off > len(text.have):
            self._stale.add(topic)
        text.write(command.off, command.text, cut=cut)
        self._due(topic, text)

    def _text(self, topic: Topic, part: str, fence: int) -> _Text:
        texts = self._texts[topic]
        text = texts.get(part)
        if text is None or text.fence != fence:
            text = texts[part] = _Text(topic, part, fence)
        return text

    def _due(self, topic: Topic, text: _Text) -> None:
        if text.waits_from is None:
            return
        if text.waiting >= self._chunk_bytes:
            self._flush(topic)
        elif topic not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[topic] = loop.call_later(self._chunk_s, self._flush, topic)

    def _flush(self, topic: Topic) -> None:
        timer = self._timers.pop(topic, None)
        if timer is not None:
            timer.cancel()
        for text in self._texts.get(topic, {}).values():
            for frame in text.frames():
                self._send(topic, frame)

    def _send(self, topic: Topic, frame: bytes) -> None:
        for watcher in tuple(self._watchers.get(topic, ())):
            watcher.live(frame)

    # --- what ends ------------------------------------------------------------------------------------

    def follow(self, rows: list[Row]) -> None:
        """The log goes on: fences end, and with them their texts."""
        for row in rows if self._watchers else ():
            if not any(each in row[2] for each in _MAY_CHANGE):
                continue
            event = msgspec.json.decode(row[2])
            self._stale |= {("draft", event["data"].get("artifact")), ("run", event["data"].get("run"))}
            topic = ("draft", event["data"].get("artifact"))
            why = _ENDS.get(event["type"])
            if topic in self._watchers and why is not None:
                fence = event["data"]["fence"] - (1 if event["type"] == "lock.acquired" else 0)
                self._end(topic, fence, why)

    def _end(self, topic: Topic, fence: int, why: str) -> None:
        text = self._texts[topic].get("")
        if text is None or text.fence != fence:
            return
        self._flush(topic)
        del self._texts[topic][""]
        self._send(topic, framed(encode(DraftEnd(topic[1], fence, why))))

    def interrupted(self, artifact: str, fence: int) -> None:
        """The client that wrote a draft is gone without an end to it; the text stays."""
        topic = ("draft", artifact)
        text = self._texts.get(topic, {}).get("")
        if text is not None and text.fence == fence:
            self._flush(topic)
            self._send(topic, framed(encode(DraftEnd(artifact, fence, "interrupted"))))

    # --- what others write ----------------------------------------------------------------------------

    async def _keep_looking(self) -> None:
        """See what came past this hub: through another one, or a process on the same file."""
        before: int | None = None
        while self._watchers:
            await asyncio.sleep(self._chunk_s)
            token = await self._space.look(lambda store: store.change_elsewhere())
            stale, self._stale = self._stale, set()
            topics = set(self._watchers) if token != before else stale & self._watchers.keys()
            before = token
            for topic in topics:
                await self._look(topic)
                self._flush(topic)

    async def _look(self, topic: Topic) -> None:
        marks = {part: (text.fence, *text.mark) for part, text in self._texts.get(topic, {}).items()}
        found = await self._space.look(lambda store: _stored(store, topic, marks))
        for each in found:
            if topic not in self._texts:
                return
            text = self._text(topic, each.part, each.fence)
            was_cut = each.mark[1] > text.mark[1]
            text.mark = each.mark
            if each.text is None:
                continue
            stored = each.text.encode()
            # What is stored may be older than what a client of this hub has just written.
            if was_cut or not text.have.startswith(stored):
                text.replace(stored)


_MAY_CHANGE = (b'"type":"lock.', b'"type":"draft.', b'"type":"run.')
_ENDS = {
    "lock.released": "released",
    "lock.transferred": "transferred",
    "lock.forced": "forced",
    "lock.acquired": "taken over",
}


def _stored(store: Store, topic: Topic, known: dict[str, tuple[int, int, int]]) -> list[Stored]:
    """The live texts of a topic; those that are known as they are come without their text."""
    with store.read() as view:
        if topic[0] == "draft":
            lock = view.get(r.Lock, topic[1])
            live = None if lock is None else view.get(r.LiveDraft, topic[1], lock.fence)
            if live is None:
                return []
            mark = (live.size, live.cuts)
            text = None if known.get("") == (live.fence, *mark) else live_text(view, topic[1], live.fence)
            return [Stored("", live.fence, mark, text)]
        found = []
        run = view.get(r.Run, topic[1])
        for step in view.find(r.Step, run=topic[1], status="started") if run is not None else []:
            chunks = view.find(r.Chunk, stream=runs.stream_of(topic[1], step.key), order="off")
            text = "".join(chunk.text for chunk in chunks)
            if text and run is not None:
                found.append(Stored(step.key, run.fence, (len(text), 0), text))
        return found
