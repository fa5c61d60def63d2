"""Folds of events about members."""

from __future__ import annotations

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _invited(view: View, event: Event, fact: f.MemberInvited) -> Changes:
    return Changes(
        [
            r.Invite(
                id=fact.invite,
                digest=fact.digest,
                role=fact.role,
                kind=fact.kind,
                for_=fact.for_,
                handle=fact.handle,
                by=event.actor["id"],
                expires=fact.expires,
                used=None,
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _joined(view: View, event: Event, fact: f.MemberJoined) -> Changes:
    put: list[r.Row] = [
        r.Member(
            id=fact.member,
            kind=fact.kind,
            role=fact.role,
            for_=fact.for_,
            status="active",
            seq=event.seq,
            ts=event.ts,
        )
    ]
    if fact.invite is not None:
        put.append(structs.replace(must(view, event, r.Invite, fact.invite), used=fact.member))
    return Changes(put)


def _role_changed(view: View, event: Event, fact: f.MemberRoleChanged) -> Changes:
    return Changes([structs.replace(must(view, event, r.Member, fact.member), role=fact.role)])


def _removed(view: View, event: Event, fact: f.MemberRemoved) -> Changes:
    member = must(view, event, r.Member, fact.member)
    tokens = view.find(r.Token, member=member.id)
    return Changes(
        [structs.replace(member, status="removed"), *[structs.replace(each, revoked=True) for each in tokens]]
    )


def _token_created(view: View, event: Event, fact: f.TokenCreated) -> Changes:
    return Changes(
        [
            r.Token(
                id=fact.token,
                member=fact.member,
                device=fact.device,
                digest=fact.digest,
                revoked=False,
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _token_revoked(view: View, event: Event, fact: f.TokenRevoked) -> Changes:
    return Changes([structs.replace(must(view, event, r.Token, fact.token), revoked=True)])


FOLDS: Folds = {
    f.MemberInvited: _invited,
    f.MemberJoined: _joined,
    f.MemberRoleChanged: _role_changed,
    f.MemberRemoved: _removed,
    f.TokenCreated: _token_created,
    f.TokenRevoked: _token_revoked,
}
