"""Tools about texts that outlived their lock."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from flowide.domain import rows
from flowide.domain.commands import AdoptDraft
from flowide.errors import NotFound
from flowide.mcp_server.session import Session
from flowide.mcp_server.tool import Arguments, Path, Result, Tool
from flowide.mcp_server.tools.editing import HELD
from flowide.space.queries import Drafts, FindArtifact, LiveDraft


class ListDrafts(Arguments, frozen=True):
    path: Path | None = None


async def list_drafts(session: Session, asked: ListDrafts) -> Result:
    artifact = None if asked.path is None else (await session.look(asked.path))[0].id
    found = await session.space.read(Drafts(artifact))
    return {"drafts": [await _described(session, each) for each in found]}


async def _described(session: Session, each: rows.Draft) -> Result:
    row = await session.space.read(FindArtifact(each.artifact))
    told: Result = msgspec.to_builtins(each)
    mine = each.actor == session.space.actor.id
    return {key: told[key] for key in ("id", "base", "size", "why", "ts")} | {
        "path": row.path,
        "by": each.actor,
        "mine": mine,
        "newest": row.version,
    }


class Adopt(Arguments, frozen=True):
    draft: Annotated[str, Meta(description="Its id, as list_drafts gives it.", min_length=1, max_length=100)]


async def adopt_draft(session: Session, asked: Adopt) -> Result:
    kept = await session.space.read(Drafts())
    found = [each for each in kept if each.id.startswith(asked.draft)]
    if len(found) != 1:
        raise NotFound(
            f"{len(found)} drafts begin with {asked.draft}" if found else f"there is no draft {asked.draft}",
            hint="Call list_drafts for their ids.",
        )
    [one] = found
    row = await session.space.read(FindArtifact(one.artifact))
    async with session.holds.turn(row.id):
        fence = (await session.space.execute(AdoptDraft(draft=one.id, ttl_ms=session.space.ttl_ms))).ok.fence
        hold = await session.holds.keep(row, fence, one.base)
        live = await session.space.read(LiveDraft(row.id))
        hold.draft = "" if live is None else live.text
    told: Result = {"path": row.path, "version": one.base, "fence": fence, "text": hold.draft, "next": HELD}
    if row.version != one.base:
        told["warning"] = (
            f"{row.path} is at version {row.version} by now: saving will be refused as a conflict"
        )
    return told


TOOLS: list[Tool[Any]] = [
    Tool(
        "list_drafts",
        "List texts that were written and not saved: those of a lock that ended, and those that were refused.",
        ListDrafts,
        list_drafts,
        reads=True,
    ),
    Tool(
        "adopt_draft",
        "Take the lock again and go on with a draft of your own; gives its text.",
        Adopt,
        adopt_draft,
    ),
]
