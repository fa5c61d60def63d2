"""What was decided, as every prompt of a run has it."""

from __future__ import annotations

from msgspec import structs

from flowide.agents.api import Message, Request
from flowide.agents.context import Item
from flowide.space.api import Space
from flowide.space.queries import Decisions


async def decision_items(space: Space) -> list[Item]:
    """Agreed and open decisions by number."""
    items = []
    for row in await space.read(Decisions()):
        if row.status == "superseded":
            continue
        said = "agreed: keep to it" if row.status == "agreed" else "open: not decided yet"
        items.append(
            Item(
                kind="decision",
                name=f"D{row.number}",
                id=row.id,
                text=f"Decision D{row.number} ({said}): {row.text}",
                reason=f"{row.status} decision",
                must=True,
            )
        )
    return items


async def with_decisions(space: Space, request: Request) -> Request:
    """The request with every agreed and open decision in its first message, whoever made it."""
    said = "\n\n".join(message.content for message in request.messages)
    missing = [item.text for item in await decision_items(space) if item.text not in said]
    if not missing or not request.messages:
        return request
    first, *rest = request.messages
    if first.role == "system":
        first = Message("system", "\n\n".join([first.content, *missing]))
    else:
        first, rest = Message("system", "\n\n".join(missing)), [first, *rest]
    return structs.replace(request, messages=[first, *rest])
