"""Which items go into a budget."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from flowide.agents.context.items import Item, tokens_of
from flowide.agents.context.manifest import Entry, Manifest
from flowide.errors import BadInput


class Fitted(Struct, frozen=True):
    """What goes into the prompt."""

    items: list[Item]
    """In the order they were offered in."""
    manifest: Manifest


_HINT = "Unpin an artifact, supersede a decision, or give a larger budget: --context."


def fit(
    agent: str, offered: Sequence[Item], budget: int, *, order: Sequence[int] = (), hint: str = _HINT
) -> Fitted:
    """Choose among items; what must be given is given, the others as long as there is room, best first.

    `offered` is in the order of the prompt. `order` has the position of each optional item, the most wanted
    first; empty = the order of the prompt. Messages go from the newest back: once one has no room, older ones
    are left out too, so that a conversation has no holes.

    Raises:
        BadInput: What must be given takes more than the budget.
    """
    sizes = [tokens_of(item.text) for item in offered]
    left = budget - sum(size for item, size in zip(offered, sizes, strict=True) if item.must)
    if left < 0:
        needed = budget - left
        raise BadInput(
            f"what @{agent} must be given takes about {needed} tokens, and the budget is {budget}",
            hint=hint,
            tokens=needed,
            budget=budget,
        )
    why: dict[int, str] = {}
    closed = ""
    for at in order or range(len(offered)):
        item, size = offered[at], sizes[at]
        if item.must:
            continue
        if item.missing:
            why[at] = item.missing
        elif item.kind == "message" and closed:
            why[at] = closed
        elif size > left:
            why[at] = f"takes {size} tokens, {left} are left"
            if item.kind == "message":
                closed = f"older than {item.name}, which had no room"
        else:
            left -= size
    kept = [item for at, item in enumerate(offered) if at not in why]
    entries = [
        _entry(item, size, why.get(at, ""))
        for at, (item, size) in enumerate(zip(offered, sizes, strict=True))
    ]
    entries.sort(key=lambda entry: not entry.included)
    used = sum(entry.tokens for entry in entries if entry.included)
    return Fitted(kept, Manifest(agent=agent, budget=budget, tokens=used, items=entries))


def _entry(item: Item, size: int, why: str) -> Entry:
    return Entry(
        kind=item.kind,
        name=item.name,
        id=item.id,
        version=item.version,
        sha256=None if item.missing else sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest(),
        tokens=0 if item.missing else size,
        reason=item.reason,
        included=not why,
        why=why,
    )
