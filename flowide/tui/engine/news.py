"""What the engine tells the loop that draws."""

from __future__ import annotations

from msgspec import Struct

from flowide.errors import FlowError
from flowide.tui.views.snapshot import Snapshot


class News(Struct):
    """What happened since the last delivery."""

    snapshot: Snapshot | None = None
    """The newest picture; None = nothing was committed."""
    texts: bool = False
    """Some text of a run in this process grew; read it from `Session.live`."""
    files: bool = False
    """Files came or went: a listing of the folder is out of date."""
    warnings: list[str] = []
    failed: FlowError | None = None
    """The space could not be opened, or the engine stopped."""
    crashed: Exception | None = None
    """A mistake of the program's own stopped the engine."""

    def add(self, later: News) -> None:
        """Join what happened after this."""
        self.snapshot = later.snapshot or self.snapshot
        self.texts = self.texts or later.texts
        self.files = self.files or later.files
        self.warnings = [*self.warnings, *later.warnings]
        self.failed = later.failed or self.failed
        self.crashed = later.crashed or self.crashed
