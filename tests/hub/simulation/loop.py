"""An event loop on a clock that jumps to the next thing to be done, for many processes at once.

Nothing here waits: when nothing is ready, time goes on to the next timer. What a process schedules waits while its
machine sleeps, and is dropped when it was killed. Threads are functions that are called at once.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections.abc import Callable
from contextvars import Context
from typing import Any

from tests.hub.simulation.machines import MS, NS, Machine, Process, current, of_context

_MOST_AT_ONCE = 50_000
"""Callbacks at one instant; more means that something waits without time going on."""


class Stuck(AssertionError):
    """Something runs without end and without time."""


class NeedsNetwork(BaseException):
    """A function that runs as in a thread has to wait for the network; it is called again with the answer."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


class Job:
    """A function as in a thread, with the answers of the network it has got."""

    current: Job | None = None

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.answers: list[Any] = []
        """One for each request, in order; an exception is raised."""
        self.asked = 0

    def run(self) -> Any:
        """Call it, from its beginning."""
        before, Job.current = Job.current, self
        self.asked = 0
        try:
            return self.work()
        finally:
            Job.current = before

    def answer(self, request: Any) -> Any:
        """The answer to its next request.

        Raises:
            NeedsNetwork: There is none yet.
        """
        if self.asked >= len(self.answers):
            raise NeedsNetwork(request)
        found = self.answers[self.asked]
        self.asked += 1
        if isinstance(found, BaseException):
            raise found
        return found


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs the code of all processes, in an order that depends on the seed alone."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.now = 0
        """Nanoseconds since the simulation began."""
        self.fetch: Callable[[Any], Any] | None = None
        """A coroutine function that asks the network."""
        self.escaped: list[str] = []
        """Errors nobody took."""
        self._chance = chance
        self._timers: list[tuple[int, int, asyncio.Handle, Process | None, int]] = []
        """When, number, what, whose, and how long its machine had slept before."""
        self._numbers = 0
        self._frozen: list[asyncio.Handle] = []
        """What is ready, of machines that sleep."""
        self._due_later: list[tuple[int, asyncio.Handle, Process]] = []
        """Timers of machines that sleep, with the moment at which each would have been due."""
        self._at_once = 0
        self.set_task_factory(_begin_task)
        self.set_exception_handler(_note_escaped)

    # --- time -----------------------------------------------------------------------------------------

    def time(self) -> float:
        process = current()
        return (self.now if process is None else process.machine.mono(self.now)) / NS

    def call_at(  # type: ignore[override] # as the base has it, without its type variables
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        process = of_context(context)
        at = (math.floor(when * 1e6) + 1) * 1000  # never too early, also where `when` was rounded
        if process is not None:
            at += self.now - process.machine.mono(self.now)
        timer = asyncio.TimerHandle(at / NS, callback, args, self, context)
        self._push(at, timer, process)
        return timer

    def call_later(  # type: ignore[override] # as the base has it, without its type variables
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def world_at(self, at: int, callback: Callable[..., Any], *args: Any) -> asyncio.Handle:
        """Call what belongs to no process, at a moment of the world."""
        handle = asyncio.Handle(callback, args, self, Context())
        self._push(max(at, self.now), handle, None)
        return handle

    def _push(self, at: int, handle: asyncio.Handle, process: Process | None) -> None:
        self._numbers += 1
        slept = 0 if process is None else process.machine.slept
        heapq.heappush(self._timers, (at, self._numbers, handle, process, slept))

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # it is left out when its time has come

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined] # of the base
        if not ready:
            self._go_on()
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = of_context(handle._context)
            if process is not None and not process.runs:
                if process.alive:
                    self._frozen.append(handle)
                continue
            self._at_once += 1
            handle._run()
        if self._at_once > _MOST_AT_ONCE:
            raise Stuck(f"without end at {self.now / NS:.3f} s: {handle!r:.500}")

    def _go_on(self) -> None:
        """Let time pass until something is to be done."""
        ready: Any = self._ready  # type: ignore[attr-defined] # of the base
        while self._timers and not ready:
            if self._timers[0][0] > self.now:
                self.now = self._timers[0][0]
                self._at_once = 0
            while self._timers and self._timers[0][0] <= self.now:
                at, _, handle, process, slept = heapq.heappop(self._timers)
                if handle._cancelled or (process is not None and not process.alive):
                    continue
                if process is not None and process.machine.slept > slept:
                    self._push(self.now + process.machine.slept - slept, handle, process)
                elif process is not None and not process.runs:
                    self._due_later.append((at, handle, process))
                else:
                    ready.append(handle)
        if not ready:
            raise Stuck(f"everybody waits for ever at {self.now / NS:.3f} s")

    def woke(self, machine: Machine, since: int) -> None:
        """A machine is awake again that slept since then; its timers did not run meanwhile."""
        frozen, self._frozen = self._frozen, []
        self._ready.extend(frozen)  # type: ignore[attr-defined] # of the base
        later, self._due_later = self._due_later, []
        for at, handle, process in later:
            if process.machine is machine:
                self._push(self.now + max(0, at - since), handle, process)
            else:
                self._due_later.append((at, handle, process))

    # --- threads --------------------------------------------------------------------------------------

    def run_in_executor(  # type: ignore[override] # nothing else is awaited of it
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Call it at once; whoever waits hears of it a little later."""
        future = self.create_future()
        self._attempt(Job(lambda: func(*args)), future)
        return future

    def _attempt(self, job: Job, future: asyncio.Future[Any]) -> None:
        try:
            found = job.run()
        except NeedsNetwork as needs:
            self.create_task(self._ask(job, needs.request, future), name="a thread")
            return
        except Exception as error:
            tell: Callable[[Any], None] = future.set_exception
            found = error
        else:
            tell = future.set_result
        late = self._chance.random() < 0.1
        pause_s = self._chance.randrange(1, 30) / 1000 if late else 0.0
        self.call_later(pause_s, lambda: None if future.done() else tell(found))

    async def _ask(self, job: Job, request: Any, future: asyncio.Future[Any]) -> None:
        assert self.fetch is not None
        try:
            job.answers.append(await self.fetch(request))
        except OSError as error:
            job.answers.append(error)
        self._attempt(job, future)

    # --- what the base leaves open --------------------------------------------------------------------

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override] # as above
        return self.call_soon(callback, *args, context=context)

    def _process_events(self, event_list: object) -> None:
        raise NotImplementedError  # there is no selector

    def _write_to_self(self) -> None:
        pass  # nobody sleeps

    def moment(self) -> float:
        """Milliseconds of the world, for people."""
        return self.now / MS


def _begin_task(loop: Any, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **kwargs)
    process = of_context(kwargs.get("context"))
    if process is not None:
        if len(process.tasks) > 512:
            process.tasks[:] = [each for each in process.tasks if not each.done()]
        process.tasks.append(task)
    return task


def _note_escaped(loop: Any, context: dict[str, Any]) -> None:
    error = context.get("exception")
    loop.escaped.append(f"{context['message']}: {type(error).__name__}: {error}")
