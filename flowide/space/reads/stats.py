"""Answers about how a space is used: a fold over the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flowide.domain.actors import Now
from flowide.domain.events import Event
from flowide.errors import BadInput
from flowide.space import queries as q
from flowide.store.api import Store

PAGE = 1000
_MADE = frozenset(
    ["artifact.created", "artifact.saved", "artifact.moved", "artifact.deleted", "artifact.restored"]
)


def stats(store: Store, query: q.Stats, now: Now) -> q.StatsView:
    """Fold all events into counts.

    Raises:
        BadInput: `since` is no time.
    """
    counts = _Counts(_ms(query.since) if query.since else None)
    seq = 0
    while page := store.events(seq, PAGE):
        for event in page:
            counts.add(event)
        seq = page[-1].seq
    return counts.view(seq, _ms(now.wall))


def _ms(time: str) -> int:
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    except ValueError:
        raise BadInput(f"{time[:40]!r} is no time", hint="Write it as 2026-11-25T10:00:00Z.") from None


class _Counts:
    def __init__(self, since_ms: int | None) -> None:
        self.since_ms = since_ms
        self.counting = since_ms is None
        self.actors: dict[str, q.ActorStats] = {}
        self.holds: dict[tuple[str, str], q.HoldStats] = {}
        self.models: dict[tuple[str, str], q.ModelStats] = {}
        self.paths: dict[str, str] = {}
        self.held: dict[str, tuple[str, int]] = {}
        """Holder of each locked artifact, and since when."""
        self.queued: dict[str, int] = {}
        self.authors: dict[tuple[str, int], tuple[str, str | None]] = {}
        """Author and model of each variation."""

    def add(self, event: Event) -> None:
        at = _ms(event.ts)
        if not self.counting and self.since_ms is not None:
            self.counting = at >= self.since_ms
        if event.type in _MADE:
            self._made(event)
        else:
            take = _TAKES.get(event.type)
            if take is not None:
                take(self, event.data, event, at)

    def view(self, events: int, now_ms: int) -> q.StatsView:
        for artifact in list(self.held):
            self.ended(artifact, now_ms)
        for hold in self.holds.values():
            hold.path = self.paths.get(hold.artifact, "")
        return q.StatsView(
            events,
            sorted(self.actors.values(), key=lambda each: each.actor),
            sorted(self.holds.values(), key=lambda each: (each.path, each.actor)),
            sorted(self.models.values(), key=lambda each: (each.agent, each.model)),
        )

    def actor(self, id: str, kind: str = "human") -> q.ActorStats:
        return self.actors.setdefault(id, q.ActorStats(id, kind))

    def model(self, agent: str, model: str | None) -> q.ModelStats:
        name = model or "unknown"
        return self.models.setdefault((agent, name), q.ModelStats(agent, name))

    # --- artifacts and locks ------------------------------------------------------------------------

    def _made(self, event: Event) -> None:
        self.paths[event.data["artifact"]] = event.data["path"]
        if self.counting:
            self.actor(event.actor["id"], event.actor["kind"]).saves += 1

    def granted(self, artifact: str, holder: dict[str, Any], at: int) -> None:
        self.ended(artifact, at)
        self.held[artifact] = (holder["actor"], at)
        if self.counting:
            self.actor(holder["actor"], holder.get("kind", "human")).locks += 1

    def ended(self, artifact: str, at: int) -> None:
        actor, since = self.held.pop(artifact, ("", 0))
        if not actor or not self.counting:
            return
        lasted = max(0, at - max(since, self.since_ms or 0))
        stats = self.actor(actor)
        stats.held_ms += lasted
        stats.longest_ms = max(stats.longest_ms, lasted)
        hold = self.holds.setdefault((artifact, actor), q.HoldStats(artifact, "", actor))
        hold.holds += 1
        hold.held_ms += lasted

    def acquired(self, data: dict[str, Any], event: Event, at: int) -> None:
        self.granted(data["artifact"], data["holder"], at)

    def released(self, data: dict[str, Any], event: Event, at: int) -> None:
        self.ended(data["artifact"], at)

    def transferred(self, data: dict[str, Any], event: Event, at: int) -> None:
        self.granted(data["artifact"], data["to"], at)

    def forced(self, data: dict[str, Any], event: Event, at: int) -> None:
        if data["new_fence"] is None:
            self.ended(data["artifact"], at)
        else:
            self.granted(data["artifact"], data["by"], at)

    def lapsed(self, data: dict[str, Any], event: Event, at: int) -> None:
        actor, _ = self.held.get(data["artifact"], ("", 0))
        if actor and self.counting:
            self.actor(actor).lapses += 1

    def waits(self, data: dict[str, Any], event: Event, at: int) -> None:
        self.queued[data["ticket"]] = at
        if self.counting:
            self.actor(data["actor"], data["kind"])

    def waited(self, data: dict[str, Any], event: Event, at: int) -> None:
        since = self.queued.pop(data["ticket"], at)
        if not self.counting:
            return
        stats = self.actor(data["actor"])
        if data["why"] != "granted":
            stats.gave_up += 1
            return
        stats.waits += 1
        stats.waited_ms += max(0, at - since)
        stats.longest_wait_ms = max(stats.longest_wait_ms, at - since)

    # --- agents and variations ----------------------------------------------------------------------

    def created(self, data: dict[str, Any], event: Event, at: int) -> None:
        author = (data["author"], data["model"])
        self.authors[data["set"], data["number"]] = author
        if not self.counting:
            return
        self.actor(data["author"], data["author_kind"]).variations += 1
        if data["author_kind"] == "agent":
            self.model(*author).variations += 1
        if data["run"] is None:
            self.spent(*author, data)

    def accepted(self, data: dict[str, Any], event: Event, at: int) -> None:
        author, model = self.authors.get((data["set"], data["number"]), ("", None))
        if not author or not self.counting:
            return
        stats = self.actor(author)
        stats.accepted += 1
        if stats.kind == "agent":
            self.model(author, model).accepted += 1

    def stepped(self, data: dict[str, Any], event: Event, at: int) -> None:
        agent = data["result"].get("agent")
        if data["status"] == "completed" and data["usage"] and isinstance(agent, str) and self.counting:
            self.spent(agent, data["result"].get("model"), data["usage"])

    def said(self, data: dict[str, Any], event: Event, at: int) -> None:
        if data["model"] is not None and data["run"] is None and self.counting:
            self.spent(event.actor["id"], data["model"], data)

    def spent(self, agent: str, model: str | None, usage: dict[str, Any]) -> None:
        tokens_in, tokens_out = usage.get("input_tokens") or 0, usage.get("output_tokens") or 0
        if not tokens_in and not tokens_out:
            return
        stats = self.model(agent, model)
        stats.calls += 1
        stats.input_tokens += tokens_in
        stats.output_tokens += tokens_out
        cost = usage.get("cost_micros")
        if cost is None:
            stats.unpriced += 1
        else:
            stats.cost_micros += cost


_TAKES: dict[str, Callable[[_Counts, dict[str, Any], Event, int], None]] = {
    "lock.acquired": _Counts.acquired,
    "lock.released": _Counts.released,
    "lock.transferred": _Counts.transferred,
    "lock.forced": _Counts.forced,
    "lock.lapsed": _Counts.lapsed,
    "lock.queued": _Counts.waits,
    "lock.dequeued": _Counts.waited,
    "variation.created": _Counts.created,
    "variation.accepted": _Counts.accepted,
    "run.step": _Counts.stepped,
    "message.posted": _Counts.said,
}
