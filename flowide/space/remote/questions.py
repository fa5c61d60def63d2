"""Which questions only the hub can answer: they are about leases, live text, or the arbiter's clock."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from flowide.space import queries as q

AT_HUB = (q.Locks, q.LiveDraft, q.StepText, q.OneRun, q.Queue, q.Drafts, q.Stats, q.Verify, q.Search)
"""All others follow from the events, so the replica answers them."""


def at_hub(query: q.Query[Any]) -> bool:
    """Whether the hub is asked while it is there."""
    return isinstance(query, AT_HUB)


def in_replica(query: q.Query[Any], found: Any) -> Any:
    """What the replica found, without what it cannot know."""
    if isinstance(query, q.Locks):
        return [replace(each, expires_ms=None) for each in found]
    if isinstance(query, q.OneRun):
        return replace(found, alive=found.run.status == "running")
    if isinstance(query, q.Queue):
        return []  # whoever cannot reach the hub can drive none
    return found
