"""Everything the workspace shows, at one position of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import LockState, RunView
    from flowide.space.remote.standing import Standing


class Seat(Struct, frozen=True):
    """An agent of the project, as the app needs to know it."""

    handle: str
    label: str = ""
    """What answers for it: a model, or `scripted (Edwin)`."""
    role: str = ""
    colour: str | None = None
    by_name_only: bool = False
    """A coding agent that is installed: `@all` does not mean it, and it takes part only when it is picked."""


class Looked(Struct, frozen=True):
    """What somebody looks at; all None = it is not said."""

    path: str | None = None
    thread: str | None = None
    """Its id."""
    run: str | None = None
    """Its id."""


class Person(Struct, frozen=True):
    """Somebody else who is connected to the hub."""

    handle: str
    looks_at: Looked = Looked()


class Snapshot(Struct, frozen=True, kw_only=True):
    """One consistent enough picture; read again after each batch of events."""

    me: str
    client: str = ""
    project: str = ""
    head: int = 0
    artifacts: list[rows.Artifact] = []
    locks: list[LockState] = []
    sets: list[rows.VariationSet] = []
    runs: list[RunView] = []
    """Newest first, the latest few."""
    gates: list[rows.Gate] = []
    """Open ones, newest first."""
    drafts: list[rows.Draft] = []
    threads: list[rows.Thread] = []
    """The one somebody spoke in last first, the latest few."""
    decisions: list[rows.Decision] = []
    """Open ones, by number."""
    reviews: list[rows.Review] = []
    """Newest first, the latest few."""
    seats: tuple[Seat, ...] = ()
    standing: Standing | None = None
    """How the space stands with its hub; None = it is on this machine."""
    here: tuple[Person, ...] = ()
    """Other people who are connected to the hub."""

    def lock_of(self, path: str) -> LockState | None:
        """The lock of a path, when somebody holds it or waits for it."""
        return next((lock for lock in self.locks if lock.path == path), None)

    def sets_of(self, path: str) -> list[rows.VariationSet]:
        """Variation sets about a path, newest first."""
        return [each for each in self.sets if each.path == path]

    def gate_of_set(self, set_id: str) -> rows.Gate | None:
        """The open question about a variation set."""
        return next((gate for gate in self.gates if gate.context.get("set") == set_id), None)

    def run_of(self, run: str | None) -> RunView | None:
        """One of the latest runs."""
        return next((view for view in self.runs if view.run.id == run), None)
