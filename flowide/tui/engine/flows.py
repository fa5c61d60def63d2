"""The real flow engine, behind what the app asks of it."""

from __future__ import annotations

from typing import Any

from flowide.flows.api import Observer, RunRequest
from flowide.project.folder import ProjectFolder
from flowide.tui.engine.session import Session


class EngineFlows:
    """Implements `running.Flows`."""

    def __init__(self, folder: ProjectFolder) -> None:
        self._folder = folder

    async def start(self, session: Session, request: RunRequest, *, run: str, observer: Observer) -> Any:
        """Drive a new run to its end."""
        from flowide.flows import engine

        return await engine.start(session.space, self._folder, request, observer=observer, run_id=run)

    async def resume(self, session: Session, run: str, *, observer: Observer) -> Any:
        """Go on with a run that stopped."""
        from flowide.flows import engine

        return await engine.resume(session.space, self._folder, run, observer=observer)
