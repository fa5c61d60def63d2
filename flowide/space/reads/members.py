"""Answers about who takes part."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.space.reads.base import Answers


def _members(view: View, query: q.Members, now: Now) -> list[rows.Member]:
    where: dict[str, Any] = {} if query.removed else {"status": "active"}
    return view.find(rows.Member, order="id", **where)


def _tokens(view: View, query: q.Tokens, now: Now) -> list[q.TokenView]:
    where: dict[str, Any] = {} if query.member is None else {"member": query.member}
    found = view.find(rows.Token, order="seq", **where)
    return [q.TokenView(each.id, each.member, each.device, each.revoked, each.ts) for each in found]


ANSWERS: Answers = {
    q.Members: _members,
    q.Tokens: _tokens,
}
