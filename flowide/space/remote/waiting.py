"""Commands that may wait for the hub: what they will do is shown meanwhile, worked out on the replica and undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from flowide.domain.actors import Actor, Caller, Now
from flowide.domain.commands import Batch, Command
from flowide.domain.view import View
from flowide.errors import FlowError
from flowide.space.arbiter import Work
from flowide.space.remote.outbox import Entry
from flowide.space.wire.calls import command_of
from flowide.store.api import Store, Tx

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


def provisional(store: Store, ahead: Sequence[Entry], command: Command[Any], caller: Caller, now: Now) -> Any:
    """What a command would answer after those that wait ahead of it; the replica stays as it is.

    Raises:
        FlowError: It would be refused.
    """
    return _after(store, ahead, now, lambda tx: Work(command, caller).carry_out(tx, now))


def seen_after(store: Store, ahead: Sequence[Entry], now: Now, look: Callable[[View], R]) -> R:
    """What is seen once the waiting commands have been carried out; the replica stays as it is."""
    return _after(store, ahead, now, look)


class _Undo(Exception):
    def __init__(self, found: Any) -> None:
        self.found = found


def _after(store: Store, ahead: Sequence[Entry], now: Now, then: Callable[[Tx], R]) -> R:
    try:
        with store.write() as tx:
            for entry in ahead:
                with suppress(FlowError), tx.savepoint():
                    caller = Caller(actor_of(entry), entry.client, entry.id)
                    Work(command_of(entry.cmd, entry.args), caller).carry_out(tx, now)
            raise _Undo(then(tx))
    except _Undo as undone:
        found: R = undone.found
        return found


def actor_of(entry: Entry) -> Actor:
    """Who acts."""
    if entry.as_ is None:
        return Actor(entry.seat)
    return Actor(entry.as_["id"], entry.as_["kind"], entry.seat)
