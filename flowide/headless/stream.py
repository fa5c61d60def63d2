"""One run's lines, live: the log's, and the warnings and deltas that are not in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from flowide.domain.events import Event
from flowide.headless import envelope
from flowide.headless.envelope import Line
from flowide.headless.scope import RunScope
from flowide.space.api import Space
from flowide.space.queries import OneRun, RunView

Sink = Callable[[Line], Awaitable[None]]


class RunStream:
    """Follows a run and passes its lines on, in order. Also the run's observer."""

    def __init__(self, space: Space, run: str, sink: Sink, *, deltas: bool = False) -> None:
        self._space = space
        self.run = run
        self._sink = sink
        self._deltas = deltas
        self._scope = RunScope(run)
        self._said: dict[tuple[str, str], str] = {}
        """Text of each step that is not written yet; a slow reader gets longer deltas, never more lines."""
        self._warnings: list[str] = []
        self._news = asyncio.Event()
        self._lock = asyncio.Lock()
        """Lines are passed on one at a time."""
        self.seq = 0
        self.flow: str | None = None
        self._end: Event | None = None
        """How this process's driving ended in the log; None until it has."""
        self._follower: asyncio.Task[None] | None = None
        self._speaker: asyncio.Task[None] | None = None

    # --- the observer's side ------------------------------------------------------------------------

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        """Text was added to a step's answer."""
        if self._deltas:
            before = "" if restart else self._said.get((step, actor), "")
            self._said[step, actor] = before + text
            self._news.set()

    def warning(self, message: str) -> None:
        """Something a person should know."""
        self._warnings.append(message)
        self._news.set()

    # --- life ---------------------------------------------------------------------------------------

    async def start(self, *, resumed: bool, after: int | None = None) -> None:
        """Begin with what comes after `after`, None = now; of a resumed run what was before is only taken note of."""
        if after is None:
            after = await self._space.head()
        if resumed:
            view = await self._space.read(OneRun(self.run))
            self.flow = view.run.flow
            async for event in self._space.events(view.run.seq - 1):
                if event.seq > after:
                    break
                self._scope.belongs(event)
        self.seq = after
        self._follower = asyncio.create_task(self._follow(after))
        self._speaker = asyncio.create_task(self._speak())

    async def finish(self) -> None:
        """Pass on all that is in the log by now, and end."""
        assert self._follower is not None
        assert self._speaker is not None
        async with self._lock:  # never in the middle of an event: its lines would come twice
            await _end(self._follower)
        async for event in self._space.events(self.seq):
            await self._pass(event)
        async with self._lock:
            await _end(self._speaker)
        await self._say()

    async def last(self, data: dict[str, Any], *, project: str | None = None) -> None:
        """The line that ends the stream."""
        finished = envelope.run_finished(data, flow=self.flow, run=data.get("run"), project=project)
        if self._end is None:
            await self._sink(self._line("run.finished", finished, run=data.get("run")))
        else:
            await self._sink(envelope.end_line(self._end, finished, run=self.run))

    # --- passing on ---------------------------------------------------------------------------------

    async def _follow(self, after: int) -> None:
        async for event in self._space.events(after, follow=True):
            await self._pass(event)

    async def _pass(self, event: Event) -> None:
        async with self._lock:
            if event.seq <= self.seq:
                return
            if self._scope.belongs(event):
                for line in await self._lines(event):
                    await self._sink(line)
            self.seq = event.seq

    async def _lines(self, event: Event) -> list[Line]:
        if event.type == "run.started":
            self.flow = event.data["flow"]
        if event.type == "run.finished":
            self._end = event
        if event.type == "run.claimed":
            self._end = None
            view = await self._space.read(OneRun(self.run))
            return [resumed_line(event, view)]
        return list(envelope.lines_of(event, self.run))

    async def _speak(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._say()

    async def _say(self) -> None:
        async with self._lock:
            warnings, self._warnings = self._warnings, []
            said, self._said = self._said, {}
            for message in warnings:
                await self._sink(self._line("warning", {"message": message}))
            for (step, actor), text in said.items():
                who = {"kind": "agent", "id": actor}
                await self._sink(self._line("message.delta", {"text": text}, step=step, actor=who))

    def _line(self, type: str, data: dict[str, Any], **more: Any) -> Line:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return envelope.line(type, data, seq=self.seq, ts=now, **{"run": self.run, **more})


def resumed_line(event: Event, view: RunView) -> Line:
    """`run.started` of a run that was queued, or is gone on with."""
    run = view.run
    data = {
        "flow": run.flow,
        "flow_sha256": run.flow_sha256,
        "inputs": run.inputs,
        "agents": run.options.get("agents", []),
        "resumed_from": None if event.data["fence"] == 1 else run.id,  # the first claim is of a queued run
        "budget": run.options.get("budget"),
    }
    actor = {"kind": event.actor["kind"], "id": event.actor["id"]}
    return envelope.line("run.started", data, seq=event.seq, ts=event.ts, run=run.id, actor=actor)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
