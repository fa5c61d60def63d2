"""Files that other programs change while the app is open: in step at once, listed anew when they come or go."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from flowide.errors import FlowError
from flowide.tui.engine.news import News

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder
    from flowide.tui.engine.session import Session

START_S = 1.0
"""Seconds after the opening; the first picture comes first."""


async def watch(session: Session) -> None:
    """Watch the folder until cancelled. What becomes a version shows in the next picture like any other."""
    folder = cast("ProjectFolder", session.folder)

    def warn(*lines: str) -> None:
        if lines:
            session.tell(News(warnings=list(lines)))

    folder.tell = warn
    await asyncio.sleep(START_S)
    poor, first = False, True  # the first news tell of what was listed at the start
    try:
        async with aclosing(folder.watch(session.space)) as news:  # type: ignore[type-var]
            async for each in news:
                if each.files and not first:
                    session.tell(News(files=True))
                first = False
                if not each.watching and not poor:
                    warn("The system cannot watch so many folders: they are looked through every 2 s.")
                poor = not each.watching
    except (FlowError, OSError) as error:
        warn(f"Files are no longer watched: {error}. Each is still looked at when it is opened.")
