"""Who may send what. In a local space every person is an owner; on a hub the member's role decides.

Decided in the transaction of the command, from the rows it sees.
"""

from __future__ import annotations

from typing import Any

from flowide.domain.actors import SYSTEM, Actor, Caller, Now
from flowide.domain.commands import (
    Command,
    CreateToken,
    ForceLock,
    InviteMember,
    JoinMember,
    RemoveMember,
    RevokeToken,
    TransferLock,
)
from flowide.domain.rows import Artifact, Lock, Member, Token
from flowide.domain.view import View
from flowide.errors import AuthFailed, NotAllowed

PEOPLE_ONLY = frozenset(
    {
        "lock.force",
        "artifact.delete",
        "gate.answer",
        "turn.ask",
        "turn.stop",
        "run.cancel",
        "decision.agree",
        "decision.reopen",
        "decision.supersede",
        "review.finish",
    }
)
"""Commands an agent is refused, whatever its instructions say."""
MEMBERSHIP = frozenset(
    {"member.invite", "member.join", "member.role", "member.remove", "token.create", "token.revoke"}
)
"""Commands about who takes part: refused to agents, and a local space has none of them."""
PROJECT_FILES = ".flowide/"
"""Flows, agents and settings: agents do not change what they work by."""
OWNERS_ONLY = frozenset({"member.role"})
OF_VIEWERS = frozenset({"token.create", "token.revoke", "member.remove"})
"""What somebody who only reads may do: look after the own devices, and leave."""


def check_role(view: View, command: Command[Any], caller: Caller, now: Now) -> None:
    """Refuse what the sender may not do.

    Raises:
        AuthFailed: The token was revoked, or is somebody else's.
        NotAllowed: No member, or not with this role.
    """
    name = command.wire_name()
    _check_kind(caller.actor, name)
    if not now.policy.members:
        if name in MEMBERSHIP:
            raise NotAllowed(
                f"{name} is for spaces on a hub; this one is local",
                hint="Serve a space to others with `flowide serve`.",
                cmd=name,
            )
        return
    if caller.actor == SYSTEM or isinstance(command, JoinMember):
        return
    _check_token(view, caller)
    role = _role(view, caller.actor)
    if isinstance(command, TransferLock):
        _active(view, command.to)
    if not _permits(view, role, command, caller.actor):
        raise NotAllowed(
            f"{caller.actor.id} is {'an' if role[0] in 'aeo' else 'a'} {role} here and may not send {name}",
            hint="Ask an owner." if role != "agent" else f"Ask {caller.actor.for_} to do it.",
            actor=caller.actor.id,
            role=role,
            cmd=name,
        )


def _check_kind(actor: Actor, name: str) -> None:
    if actor.kind == "agent" and name in PEOPLE_ONLY:
        raise NotAllowed(
            f"{actor.id} is an agent and may not send {name}",
            hint=f"Ask {actor.for_ or 'a person'} to do it.",
            actor=actor.id,
            cmd=name,
        )


def _check_token(view: View, caller: Caller) -> None:
    if caller.token is None:
        return
    token = view.get(Token, caller.token)
    if token is None or token.revoked or token.member not in {caller.actor.id, caller.actor.for_}:
        raise AuthFailed("this token was revoked", hint="Ask an owner for a new invitation.")


def _role(view: View, actor: Actor) -> str:
    """The role somebody acts with: an agent's, also before it is enrolled, or a person's."""
    if actor.kind == "human":
        return _active(view, actor.id).role
    person = _active(view, actor.for_ or "")
    if person.kind != "human":
        raise NotAllowed(f"{person.id} is an agent, and agents work for people")
    if actor.kind == "system":
        return person.role
    member = view.get(Member, actor.id)
    if member is None:
        if person.role == "viewer":
            raise NotAllowed(f"{person.id} is a viewer here, and brings no agents", actor=actor.id)
        return "agent"
    shared = member.for_ == person.id or not _has_token(view, actor.id)
    if member.status == "removed" or member.kind != "agent" or not shared:
        raise NotAllowed(
            f"{actor.id} is no agent of {person.id} here",
            hint="Give your agent a handle that is free.",
            actor=actor.id,
        )
    return "agent" if person.role != "viewer" else "viewer"


def _has_token(view: View, agent: str) -> bool:
    """Whether an agent has a machine of its own, and works for one person.

    Others are names in the agent files that a team shares: each works for whoever runs it, and events say for whom.
    """
    return any(not token.revoked for token in view.find(Token, member=agent))


def _active(view: View, handle: str) -> Member:
    member = view.get(Member, handle)
    if member is None or member.status == "removed":
        raise NotAllowed(
            f"{handle or 'nobody'} is no member of this space", hint="Ask an owner for an invitation."
        )
    return member


def _permits(view: View, role: str, command: Command[Any], actor: Actor) -> bool:
    name = command.wire_name()
    if role == "owner":
        return True
    if role == "agent":
        return name not in PEOPLE_ONLY | MEMBERSHIP and not _is_about_flows(view, command)
    if role == "viewer" and name not in OF_VIEWERS:
        return False
    return name not in OWNERS_ONLY and _own_affair(view, command, actor)


def _is_about_flows(view: View, command: Command[Any]) -> bool:
    """Whether a command changes flow files, agent files or settings of the project."""
    path = getattr(command, "path", None)
    if isinstance(path, str) and path.casefold().startswith(PROJECT_FILES):
        return True
    if not command.wire_name().startswith(("artifact.", "variation.accept")):
        return False
    row = view.get(Artifact, getattr(command, "artifact", ""))
    return row is not None and row.path.casefold().startswith(PROJECT_FILES)


def _own_affair(view: View, command: Command[Any], actor: Actor) -> bool:
    """Whether a command that only owners may send about others is about the sender."""
    if isinstance(command, ForceLock):
        lock = view.get(Lock, command.artifact)
        return lock is None or lock.state != "held" or actor.id in {lock.actor, lock.for_}
    if isinstance(command, InviteMember):
        return command.kind == "agent" and command.for_ in {None, actor.id}
    if isinstance(command, RemoveMember):
        return _is_of(view, command.member, actor)
    if isinstance(command, CreateToken):
        return command.member is None or _is_of(view, command.member, actor)
    if isinstance(command, RevokeToken):
        token = view.get(Token, command.token)
        return token is None or _is_of(view, token.member, actor)
    return True


def _is_of(view: View, handle: str, actor: Actor) -> bool:
    """Whether a member is the actor or an agent that works for them."""
    member = view.get(Member, handle)
    return handle == actor.id or (member is not None and member.for_ == actor.id)
