"""What the engine works on: the space, the project on disk, and whoever runs flows. Each behind a protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from flowide.tui.views.snapshot import Seat

if TYPE_CHECKING:  # only names of types: the first frame does not wait for them
    from pathlib import Path

    from flowide.agents.context import Manifest
    from flowide.domain import rows
    from flowide.domain.commands import Versioned
    from flowide.flows.api import Observer, RunRequest
    from flowide.space.api import Space


class Folder(Protocol):
    """The part of `flowide.project`'s folder that the app uses."""

    @property
    def root(self) -> Path:
        """The project's folder."""
        ...

    def scan(self) -> Iterator[str]:
        """Paths of its files, without ignored ones."""
        ...

    async def artifact(self, space: Space, path: str) -> rows.Artifact:
        """The artifact of a file; makes it on first touch."""
        ...

    async def save(
        self,
        space: Space,
        artifact: rows.Artifact,
        *,
        fence: int,
        base: int,
        data: str | bytes,
        note: str = "",
        then: Any = "release",
    ) -> Versioned:
        """Save under the lock, then write the file."""
        ...

    async def restore(
        self, space: Space, artifact: rows.Artifact, *, fence: int, base: int, version: int, note: str = ""
    ) -> Versioned:
        """Make the next version of an older one's bytes, under the lock, then write the file."""
        ...


class Flows(Protocol):
    """What the app asks of the flow engine."""

    async def start(self, request: RunRequest, *, run: str, observer: Observer) -> Any:
        """Drive a new run to its end."""
        ...

    async def resume(self, run: str, *, observer: Observer) -> Any:
        """Go on with a run that stopped."""
        ...

    async def blend(self, set_id: str, base: int, takes: list[tuple[int, str]]) -> tuple[int, list[str]]:
        """Add a blend to a set: its number, and warnings."""
        ...

    async def check(self, set_id: str, number: int) -> None:
        """Run on a variation the checks that the run of its set was given, where they are missing."""
        ...

    async def talk_bounds(self) -> tuple[int, int]:
        """Depth and rate of a new thread."""
        ...

    async def would_be_told(self, thread: rows.Thread, text: str) -> list[Manifest]:
        """What each agent that a text asks would be told, were it sent now."""
        ...

    async def check_agents(self, handles: Sequence[str]) -> None:
        """Raise what would make an answer of one of these agents fail."""
        ...

    async def answer(self, thread: str, run: str, observer: Observer) -> Any:
        """Drive a new run that writes the answers that are due in a thread."""
        ...

    async def accept(self, set_id: str, number: int, note: str) -> tuple[str, int]:
        """Save a variation under its lock: the path and the version."""
        ...


class Place(Struct):
    """What an opener hands over."""

    space: Space
    folder: Folder
    flows: Flows
    seats: tuple[Seat, ...] = ()
    ttl_ms: int = 30_000
    """Milliseconds our locks live without a renewal."""
    warnings: tuple[str, ...] = ()
    """What a person should know from the start, such as agent files that cannot be read."""


Opener = Callable[[], Awaitable[Place]]
"""Opens the space and the folder, on the engine's loop."""
