"""Commands that may wait for the hub: what they will do is shown meanwhile, worked out over the replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from flowide.domain.actors import Actor, Caller, Now
from flowide.domain.commands import Batch, Command
from flowide.domain.view import View
from flowide.errors import FlowError
from flowide.space.arbiter import Work
from flowide.space.remote.outbox import Entry
from flowide.space.remote.overlay import Overlay
from flowide.space.wire.calls import command_of
from flowide.store.api import Position, Store

R = TypeVar("R")

WAITS = frozenset(
    {
        "thread.open", "thread.pin", "thread.agent", "message.post",
        "decision.propose", "decision.agree", "decision.reopen", "decision.supersede",
        "draft.keep", "draft.discard",
        "variation.open_set", "variation.add", "variation.check", "variation.tag", "variation.shortlist",
        "variation.reject", "variation.note",
    }
)  # fmt: skip
"""Nothing of these depends on a lock, so they are as good later as now. All others answer `offline` at once."""


def may_wait(command: Command[Any]) -> bool:
    """Whether a command can be sent later."""
    if isinstance(command, Batch):
        return all(each.wire_name() in WAITS for each in command.cmds)
    return command.wire_name() in WAITS


class Ahead:
    """What waits, worked out over the replica; each command is worked out once, as long as the replica stays."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._overlay: Overlay | None = None
        self._done: list[str] = []
        """Ids of the commands in the overlay, in order."""
        self._base: Position | None = None
        """Where the replica stood."""

    def carry_out(self, waiting: Sequence[Entry], command: Command[Any], caller: Caller, now: Now) -> Any:
        """What a command would answer after those that wait ahead of it.

        Raises:
            FlowError: It would be refused.
        """
        with self._store.read() as view, self._caught_up(waiting, view, now) as overlay, overlay.savepoint():
            ok = Work(command, caller).carry_out(overlay, now)
            self._done.append(caller.command)
            return ok

    def look(self, waiting: Sequence[Entry], now: Now, look: Callable[[View], R]) -> R:
        """What is seen once the waiting commands have been carried out."""
        with self._store.read() as view, self._caught_up(waiting, view, now) as overlay:
            return look(overlay)

    @contextmanager
    def _caught_up(self, waiting: Sequence[Entry], view: View, now: Now) -> Iterator[Overlay]:
        ids = [entry.id for entry in waiting]
        at = self._store.position()
        if self._overlay is None or self._base != at or ids[: len(self._done)] != self._done:
            self._overlay, self._base, self._done = Overlay(at), at, []
        with self._overlay.over(view) as overlay:
            for entry in waiting[len(self._done) :]:
                with suppress(FlowError), overlay.savepoint():
                    caller = Caller(actor_of(entry), entry.client, entry.id)
                    Work(command_of(entry.cmd, entry.args), caller).carry_out(overlay, now)
                self._done.append(entry.id)
            yield overlay


def actor_of(entry: Entry) -> Actor:
    """Who acts."""
    if entry.as_ is None:
        return Actor(entry.seat)
    return Actor(entry.as_["id"], entry.as_["kind"], entry.seat)
