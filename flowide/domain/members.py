"""Rules of members: who may join as what, and which devices may act for them."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from hashlib import sha256

from flowide.domain.actors import DISK, SYSTEM, Actor, Caller, Now
from flowide.domain.commands import (
    ChangeRole,
    CreateToken,
    Done,
    Invited,
    InviteMember,
    Joined,
    JoinMember,
    RemoveMember,
    RevokeToken,
)
from flowide.domain.facts import (
    Fact,
    MemberInvited,
    MemberJoined,
    MemberRemoved,
    MemberRoleChanged,
    TokenCreated,
    TokenRevoked,
)
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text
from flowide.domain.rows import Invite, Member, Token
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Exists, Gone, Limit, NotAllowed, NotFound
from flowide.patterns import lazy

INVITE_HOURS = 24
HANDLE = lazy(r"\w(?:[\w.-]{0,62}\w)?\Z")
TAKEN = frozenset({SYSTEM.id, DISK.id, "all", "you", "hub"})
"""Handles that nobody has."""
_DIGEST = lazy(r"[0-9a-f]{64}\Z")


def invite(view: View, command: InviteMember, caller: Caller, now: Now) -> Decision:
    """Let one person or agent join within a day."""
    if (command.role == "agent") != (command.kind == "agent"):
        raise BadInput(
            f"a{'n' if command.kind == 'agent' else ''} {command.kind} cannot have the role {command.role}",
            hint="Agents have the role agent; people are viewer, editor or owner.",
        )
    digest = _digest("digest", command.digest or "")
    if command.handle is not None:
        check_handle(command.handle)
    person = None
    if command.kind == "agent":
        person = command.for_ or caller.actor.for_ or caller.actor.id
        _person(view, person)
    elif command.for_ is not None:
        raise BadInput("only an agent works for somebody", hint="Leave `for` out.")
    if view.find(Invite, digest=digest, limit=1):
        raise Exists("there is an invitation with this code already", hint="Make a new code.")
    expires = _later(now.wall)
    fact = MemberInvited(
        invite=caller.command,
        digest=digest,
        role=command.role,
        kind=command.kind,
        for_=person,
        handle=command.handle,
        expires=expires,
    )
    return Decision(ok=Invited(caller.command, expires), facts=[fact])


def join(view: View, command: JoinMember, caller: Caller, now: Now) -> Decision:
    """Become a member; each invitation is good for one."""
    found = view.find(Invite, digest=sha256(command.code.encode("utf-8", "replace")).hexdigest(), limit=1)
    invited = found[0] if found else None
    if invited is None or invited.expires <= now.wall:
        raise NotAllowed(
            "this code is no invitation, or not any more",
            hint="Ask an owner for a new one: `flowide invite`.",
        )
    if invited.used is not None:
        raise Gone("this invitation was used before", hint="Ask an owner for a new one: `flowide invite`.")
    if caller.actor.id != command.handle:
        raise NotAllowed("one joins for oneself")
    if invited.handle not in {None, command.handle}:
        raise NotAllowed(f"this invitation is for {invited.handle}", hint="Join under that handle.")
    facts = _arrival(
        view,
        Actor(command.handle, "agent" if invited.kind == "agent" else "human", invited.for_),
        invited.role,
        now,
        invite=invited.id,
        again=invited.handle is not None,
    )
    facts.append(_new_token(view, command.token, command.handle, command.device, command.digest))
    ok = Joined(command.handle, invited.kind, invited.role, command.token, invited.for_)
    return Decision(ok=ok, facts=facts)


def _arrival(
    view: View, who: Actor, role: str, now: Now, *, invite: str | None = None, again: bool = False
) -> list[Fact]:
    """Somebody new; `again` = a removed member may come back, and one who is there takes one more device."""
    check_handle(who.id)
    before = view.get(Member, who.id)
    if before is not None and not again:
        raise Exists(
            f"the handle {who.id} is taken" + (", by a former member" if before.status == "removed" else ""),
            hint="Choose another one.",
        )
    if before is not None and (before.kind, before.for_) != (who.kind, who.for_):
        raise Exists(f"{who.id} is somebody else here", hint="Choose another handle.")
    if who.for_ is not None:
        _person(view, who.for_)
    if before is None or before.status == "removed":
        _check_room(view, who.kind, now)
    else:
        _keep_an_owner(view, before, role)
    return [MemberJoined(member=who.id, kind=who.kind, role=role, for_=who.for_, invite=invite)]


def enrolment(view: View, actor: Actor, now: Now) -> MemberJoined | None:
    """What makes an agent a member that its person brings along; None = it is one.

    Raises:
        FlowError: It cannot become one.
    """
    if actor.kind != "agent" or view.get(Member, actor.id) is not None:
        return None
    check_handle(actor.id)
    _check_room(view, "agent", now)
    return MemberJoined(member=actor.id, kind="agent", role="agent", for_=actor.for_)


def _check_room(view: View, kind: str, now: Now) -> None:
    most = now.policy.agents if kind == "agent" else now.policy.people
    if view.count(Member, kind=kind, status="active") >= most:
        raise Limit(
            f"the space has {most} {'agents' if kind == 'agent' else 'people'} already",
            hint="Remove one that is no longer needed: `flowide members remove`.",
            limit=most,
        )


def role(view: View, command: ChangeRole, caller: Caller, now: Now) -> Decision:
    """Give a person another role."""
    member = _member(view, command.member)
    if member.kind == "agent":
        raise BadInput(f"{member.id} is an agent, whose role is agent")
    _keep_an_owner(view, member, command.role)
    return Decision(ok=Done(), facts=[MemberRoleChanged(member=member.id, role=command.role)])


def remove(view: View, command: RemoveMember, caller: Caller, now: Now) -> Decision:
    """End a membership; the agents of a person go along."""
    check_text("reason", command.reason, MAX_NOTE)
    member = _member(view, command.member)
    _keep_an_owner(view, member, None)
    agents = view.find(Member, for_=member.id, status="active", order="id")
    facts: list[Fact] = []
    for each in (member, *agents):
        facts.append(MemberRemoved(member=each.id, reason=command.reason))
    return Decision(ok=Done(), facts=facts)


def create_token(view: View, command: CreateToken, caller: Caller, now: Now) -> Decision:
    """One more device; on the hub's own machine also of somebody new."""
    handle = command.member or caller.actor.id
    facts: list[Fact] = []
    if caller.actor == SYSTEM:
        member = view.get(Member, handle)
        if member is None or member.status == "removed" or command.role not in {None, member.role}:
            facts = _arrival(view, Actor(handle), command.role or "owner", now, again=True)
    elif command.role is not None:
        raise NotAllowed("a role is given by an invitation", hint="`flowide invite --role …`")
    facts.append(_new_token(view, command.token, handle, command.device, command.digest))
    if len(facts) > 1:
        return Decision(ok=Joined(handle, "human", command.role or "owner", command.token), facts=facts)
    member = _member(view, handle)
    return Decision(ok=Joined(handle, member.kind, member.role, command.token, member.for_), facts=facts)


def _new_token(view: View, token: str, member: str, device: str, digest: str) -> TokenCreated:
    check_text("token", token, MAX_NAME, least=1)
    check_text("device", device, MAX_NAME, least=1)
    digest = _digest("digest", digest)
    if view.get(Token, token) is not None or view.find(Token, digest=digest, limit=1):
        raise Exists("there is such a token already", hint="Make a new one.")
    return TokenCreated(token=token, member=member, device=device, digest=digest)


def revoke(view: View, command: RevokeToken, caller: Caller, now: Now) -> Decision:
    """End a token."""
    token = view.get(Token, command.token)
    if token is None:
        raise NotFound(f"there is no token {command.token[:80]}", hint="List them with `flowide token list`.")
    if token.revoked:
        raise Gone(f"the token {token.id} was revoked before")
    return Decision(ok=Done(), facts=[TokenRevoked(token=token.id, member=token.member)])


def check_handle(handle: str) -> None:
    """Raise BadInput unless somebody may be called so."""
    plain = unicodedata.normalize("NFC", handle.casefold())
    if not HANDLE.match(handle) or handle != plain or handle in TAKEN:
        raise BadInput(
            f"nobody can be called {handle[:80]!r}",
            hint="Use 1 to 64 small letters, digits, - _ and ., with a letter or digit at both ends.",
        )


def _digest(name: str, digest: str) -> str:
    if not _DIGEST.match(digest):
        raise BadInput(f"{name} is no SHA-256", hint="Send 64 hex digits.")
    return digest


def _member(view: View, handle: str) -> Member:
    member = view.get(Member, handle)
    if member is None or member.status == "removed":
        raise NotFound(f"{handle[:80]} is no member", hint="List them with `flowide members`.")
    return member


def _person(view: View, handle: str) -> Member:
    member = _member(view, handle)
    if member.kind != "human":
        raise BadInput(f"{handle} is an agent; agents work for people")
    return member


def _keep_an_owner(view: View, member: Member, new_role: str | None) -> None:
    """Refuse what would leave the space without an owner."""
    if member.role != "owner" or new_role == "owner":
        return
    owners = [each for each in view.find(Member, kind="human", status="active") if each.role == "owner"]
    if len(owners) == 1:
        raise NotAllowed(
            f"{member.id} is the last owner",
            hint="Make somebody else an owner first: `flowide members role`.",
        )


def _later(wall: str) -> str:
    moment = datetime.fromisoformat(wall) + timedelta(hours=INVITE_HOURS)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
