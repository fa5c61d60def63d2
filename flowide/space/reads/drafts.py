"""Answers about text that is no version."""

from __future__ import annotations

from typing import Any

from flowide.domain import live_text, rows
from flowide.domain.actors import Now
from flowide.domain.drafts import is_old
from flowide.domain.view import View
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.space.reads.base import Answers, blob_of


def _live_draft(view: View, query: q.LiveDraft, now: Now) -> q.DraftText | None:
    lock = view.get(rows.Lock, query.artifact)
    live = None if lock is None else view.get(rows.LiveDraft, query.artifact, lock.fence)
    if live is None:
        return None
    text = live_text.live_text(view, live.artifact, live.fence)
    return q.DraftText(live.artifact, live.fence, live.base, text)


def _drafts(view: View, query: q.Drafts, now: Now) -> list[rows.Draft]:
    where: dict[str, Any] = {} if query.artifact is None else {"artifact": query.artifact}
    if query.ended:
        return view.find(rows.Draft, order="-seq", **where)
    kept = view.find(rows.Draft, order="-seq", state="kept", **where)
    return [draft for draft in kept if not is_old(draft, now)]


def _draft_content(view: View, query: q.DraftContent, now: Now) -> bytes:
    draft = view.get(rows.Draft, query.draft)
    if draft is None:
        raise NotFound(f"there is no draft {query.draft[:100]}", hint="List them with `flowide drafts`.")
    return blob_of(view, draft.sha256, f"draft {draft.id}")


ANSWERS: Answers = {
    q.LiveDraft: _live_draft,
    q.Drafts: _drafts,
    q.DraftContent: _draft_content,
}
