"""The engine thread: its own asyncio loop, a way to call into it, and news that comes back in batches."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from flowide.errors import FlowError, Interrupted
from flowide.tui.engine.news import News

if TYPE_CHECKING:
    from flowide.tui.engine.place import Opener
    from flowide.tui.engine.session import Session

T = TypeVar("T")

Work = Callable[["Session"], Coroutine[Any, Any, T]]
"""What the engine is asked to do; runs on the engine's loop."""


class Engine:
    """Runs a session in a thread. The drawing thread awaits `call`, and gets `News` through `deliver`."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: Future[Session] = Future()
        self._stop: asyncio.Event | None = None
        self._pending = News()
        self._guard = threading.Lock()
        self._scheduled = False
        self._deliver: Callable[[News], None] = lambda news: None
        self._home: asyncio.AbstractEventLoop | None = None

    def start(self, deliver: Callable[[News], None]) -> None:
        """Start the thread from the drawing loop; `deliver` is called on that loop, once for each batch."""
        self._home = asyncio.get_running_loop()
        self._deliver = deliver
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    async def call(self, work: Work[T]) -> T:
        """Have the engine do something and wait for its answer, without blocking the loop that draws.

        Raises:
            FlowError: What the work raised, or why the space could not be opened.
        """
        session = await asyncio.shield(asyncio.wrap_future(self._session))
        assert self._loop is not None
        if self._loop.is_closed():
            raise Interrupted("the app is closing")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(session), self._loop))

    async def close(self, timeout_s: float = 0.4) -> None:
        """Stop the runs, give the locks back, free the space; waits for at most so many seconds."""
        await asyncio.to_thread(self.close_now, timeout_s)

    def close_now(self, timeout_s: float = 0.4) -> None:
        """As `close`, for a thread without a loop."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        thread.join(timeout_s)

    # --- on the engine's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        from flowide.tui.engine.session import Session  # after the first frame

        session = Session(self._opener, self._tell)
        try:
            await session.open()
        except FlowError as error:
            self._session.set_exception(error)
            self._tell(News(failed=error))
            return
        except Exception as error:
            self._session.set_exception(error)
            self._tell(News(crashed=error))
            return
        self._session.set_result(session)
        follow = asyncio.create_task(session.follow(), name="follow")
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        await asyncio.wait({follow, stop}, return_when=asyncio.FIRST_COMPLETED)
        if follow.done():
            failed = follow.exception()
            if isinstance(failed, FlowError):
                self._tell(News(failed=failed))
            elif isinstance(failed, Exception):
                self._tell(News(crashed=failed))
            await stop
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)
        await session.close()

    def _tell(self, news: News) -> None:
        """Add to what is to be delivered; the drawing loop is woken once for a batch."""
        with self._guard:
            self._pending.add(news)
            wake = not self._scheduled
            self._scheduled = True
        if wake and self._home is not None:
            with contextlib.suppress(RuntimeError):  # the app's loop has ended
                self._home.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        """On the drawing loop: leave a frame's time for more news to come, then deliver it all."""
        assert self._home is not None
        self._home.call_later(FRAME_S, self._flush)

    def _flush(self) -> None:
        with self._guard:
            news, self._pending, self._scheduled = self._pending, News(), False
        self._deliver(news)


FRAME_S = 1 / 30
"""Seconds in which news are gathered into one delivery."""
