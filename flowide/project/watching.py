"""Watching the folder: what other programs write is noticed at once, and in step a moment later."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.project import ignore
from flowide.project.catching_up import Change, catch_up

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

    from flowide.project.place import Place
    from flowide.space.api import Space

DEBOUNCE_MS = 400
"""Changes that follow each other closely are looked at together, this long at most."""
STEP_MS = 60
"""Quiet for so long = the other program has finished for now."""
TURN_MS = 1000
"""How long one wait for changes lasts."""
POLL_S = 2.0
"""Between looks, where the system cannot watch (any more)."""
_ADDED, _CHANGED = 1, 2


class News(Struct, frozen=True):
    """What happened in the folder."""

    changes: list[Change]
    """Of artifacts."""
    files: bool
    """True = files came or went, or an ignore file changed: a listing of the folder may have changed."""
    watching: bool = True
    """False = the system cannot watch so many folders, so the folder is looked through from time to time."""


async def watch(place: Place, space: Space) -> AsyncIterator[News]:
    """Keep artifacts in step with their files until closed, and files with artifacts that other machines change.

    The first news comes when everything is watched, with what had been changed before. Ignored folders and links
    are not watched.
    """
    if not space.shared:
        async for news in _watch_disk(place, space):
            yield news
        return
    async with contextlib.aclosing(_both(_watch_disk(place, space), _watch_space(place, space))) as both:
        async for news in both:
            yield news


async def _watch_space(place: Place, space: Space) -> AsyncIterator[News]:
    from flowide.project.following import follow

    async for changes in follow(place, space):
        if changes:
            came_or_went = any(change.what in {"written", "removed"} for change in changes)
            yield News(changes, files=came_or_went)


async def _both(*sources: AsyncIterator[News]) -> AsyncGenerator[News]:
    """What comes from any of them, as it comes; the error of one ends all."""
    queue: asyncio.Queue[News] = asyncio.Queue(16)

    async def pump(source: AsyncIterator[News]) -> None:
        async for news in source:
            await queue.put(news)

    pumps = [asyncio.create_task(pump(source)) for source in sources]
    getting: asyncio.Task[News] | None = None
    try:
        while True:
            getting = asyncio.create_task(queue.get())
            await asyncio.wait([getting, *pumps], return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
                continue
            for each in pumps:
                if each.done():
                    each.result()
                    return
    finally:
        tasks = [*pumps, *([getting] if getting is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_disk(place: Place, space: Space) -> AsyncIterator[News]:
    while True:
        folders = await asyncio.to_thread(lambda: list(ignore.folders(place.root)))
        watcher = _watcher(folders)
        if watcher is None:
            yield News(await catch_up(place, space), files=True, watching=False)
            await asyncio.sleep(POLL_S)
            continue
        with watcher:
            # What changed before the watcher stood shows in the files' times.
            yield News(await catch_up(place, space), files=True)
            async for raw in _raw(watcher):
                news, restart = await _news(place, space, raw, set(folders))
                if news is not None:
                    yield news
                if restart:
                    break


async def _news(
    place: Place, space: Space, raw: set[tuple[int, str]], folders: set[str]
) -> tuple[News | None, bool]:
    """What the raw changes mean, and whether the watched folders are others now."""
    paths, restart = await asyncio.to_thread(_meaning, place, raw, folders)
    if not paths:
        return None, restart
    changes = await catch_up(place, space, paths)
    came_or_went = any(kind != _CHANGED for kind, _ in raw)
    if not changes and not came_or_went and not restart:
        return None, restart  # for example our own writing
    return News(changes, files=came_or_went or restart), restart


def _meaning(place: Place, raw: set[tuple[int, str]], folders: set[str]) -> tuple[set[str], bool]:
    """Artifact paths that were touched, and whether the watched folders are others now."""
    root = os.fspath(place.root)
    paths: set[str] = set()
    restart = False
    for kind, file in raw:
        name = os.path.relpath(file, root)
        restart = (
            restart
            or os.path.basename(file) == ".gitignore"
            or (kind != _CHANGED and file in folders)
            or (kind == _ADDED and _counts(place, file, name))
        )
        path = ignore.artifact_path(name)
        if path is not None:
            paths.add(path)
    return paths, restart


def _counts(place: Place, path: str, name: str) -> bool:
    """Whether this is a folder that has to be watched too."""
    if not os.path.isdir(path) or os.path.islink(path):
        return False
    return not ignore.ignored(place.root, f"{name}/.")


def _watcher(folders: Sequence[str]) -> RustNotify | None:
    """A watcher of these folders without what is below them; None when the system refuses."""
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    for _ in range(5):
        try:
            # Not recursive: that would follow links out of the project, and watch what is ignored.
            return RustNotify(list(folders), False, False, 300, False, True)
        except FileNotFoundError:
            folders = [folder for folder in folders if os.path.isdir(folder)]
        except (OSError, WatchfilesRustInternalError):
            return None
    return None


async def _raw(watcher: RustNotify) -> AsyncIterator[set[tuple[int, str]]]:
    """Sets of `(kind, path)`; kinds are 1 = added, 2 = changed, 3 = gone."""
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    try:
        while True:
            turn = loop.run_in_executor(None, watcher.watch, DEBOUNCE_MS, STEP_MS, TURN_MS, stop)
            try:
                raw = await asyncio.shield(turn)
            except asyncio.CancelledError:
                stop.set()
                await asyncio.wait([turn])
                raise
            if isinstance(raw, set):
                yield raw
    finally:
        stop.set()
