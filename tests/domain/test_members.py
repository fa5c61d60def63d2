"""Rules of members: invitations, roles, agents that come along, tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from flowide.domain import commands as c
from flowide.domain.actors import SYSTEM, Actor, Now
from flowide.domain.policy import Policy
from flowide.domain.rows import Invite, Member, Token
from flowide.errors import BadInput, Exists, FlowError, Gone, Limit, NotAllowed, NotFound
from tests.domain.board import ANA, Board

ROD = Actor("rod")
CODE = "a-code-of-many-random-letters"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class Shared(Board):
    """A space on a hub; ana is its first owner."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy(members=True)
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.do(c.CreateToken(digest=digest("ana"), device="pc", member="ana"), SYSTEM)

    @property
    def now(self) -> Now:
        return replace(super().now, wall=self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z"))

    def invite(self, role: Any = "editor", *, code: str = CODE, by: Actor = ANA, **more: Any) -> c.Invited:
        made: c.Invited = self.do(c.InviteMember(role=role, digest=digest(code), **more), by)
        return made

    def join(
        self, handle: str, *, code: str = CODE, kind: Any = "human", for_: str | None = None
    ) -> c.Joined:
        command = c.JoinMember(code=code, handle=handle, device="laptop", digest=digest(f"{handle} {code}"))
        made: c.Joined = self.do(command, Actor(handle, kind, for_))
        return made

    def member(self, handle: str, role: Any = "editor") -> Actor:
        self.invite(role, code=f"code of {handle}")
        self.join(handle, code=f"code of {handle}")
        return Actor(handle)


@pytest.fixture
def shared() -> Shared:
    return Shared()


def test_the_first_owner_is_made_on_the_hubs_own_machine(shared: Shared) -> None:
    member = shared.get(Member, "ana")

    assert member is not None
    assert (member.role, member.kind, member.status) == ("owner", "human", "active")
    assert shared.types() == ["member.joined", "token.created"]


def test_an_invitation_makes_a_member_with_its_role_and_a_token(shared: Shared) -> None:
    shared.invite("viewer")

    joined = shared.join("rod")

    token = shared.get(Token, joined.token)
    assert (joined.member, joined.role) == ("rod", "viewer")
    assert token is not None and (token.member, token.device) == ("rod", "laptop")


def test_neither_code_nor_token_is_in_the_log(shared: Shared) -> None:
    shared.invite()
    shared.join("rod")

    assert CODE not in str(shared.log)


def test_an_invitation_is_good_for_one(shared: Shared) -> None:
    shared.invite()
    shared.join("rod")

    with pytest.raises(Gone, match="used before"):
        shared.join("eve")


def test_an_invitation_ends_after_a_day(shared: Shared) -> None:
    invited = shared.invite()
    shared.clock += timedelta(hours=24)

    with pytest.raises(NotAllowed, match="not any more"):
        shared.join("rod")
    assert invited.expires == "2026-01-02T00:00:00.000Z"


def test_a_wrong_code_lets_nobody_in(shared: Shared) -> None:
    shared.invite()

    with pytest.raises(NotAllowed, match="no invitation"):
        shared.join("rod", code="guessed")


def test_nobody_joins_for_somebody_else(shared: Shared) -> None:
    shared.invite()
    command = c.JoinMember(code=CODE, handle="rod", device="pc", digest=digest("t"))

    with pytest.raises(NotAllowed):
        shared.do(command, Actor("eve"))


def test_a_handle_that_is_taken_is_refused_and_the_invitation_stays_good(shared: Shared) -> None:
    shared.invite()

    with pytest.raises(Exists, match="ana is taken"):
        shared.join("ana")
    assert shared.join("rod").member == "rod"


@pytest.mark.parametrize(
    "handle", ["", "system", "disk", "all", "Ana", "a b", "a/b", "-a", "x" * 65, "\u202e", "a\0"]
)
def test_a_handle_is_a_plain_word_that_nobody_mistakes(shared: Shared, handle: str) -> None:
    shared.invite()

    with pytest.raises(BadInput):
        shared.join(handle)


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
def test_an_agent_has_no_role_of_people(shared: Shared, role: str) -> None:
    with pytest.raises(BadInput, match="cannot have the role"):
        shared.invite(role, kind="agent")


def test_a_person_has_no_role_of_agents(shared: Shared) -> None:
    with pytest.raises(BadInput, match="cannot have the role"):
        shared.invite("agent")


def test_an_invited_agent_works_for_the_inviter_when_nobody_else_is_named(shared: Shared) -> None:
    shared.invite("agent", kind="agent")

    assert shared.join("edwin", kind="agent", for_="ana").for_ == "ana"


def test_an_agent_works_for_a_member(shared: Shared) -> None:
    with pytest.raises(NotFound, match="nobody"):
        shared.invite("agent", kind="agent", for_="nobody")


def test_an_editor_invites_own_agents_only(shared: Shared) -> None:
    rod = shared.member("rod")

    assert shared.invite("agent", kind="agent", by=rod, code="1").invite
    with pytest.raises(NotAllowed):
        shared.invite("agent", kind="agent", for_="ana", by=rod, code="2")
    with pytest.raises(NotAllowed):
        shared.invite("viewer", by=rod, code="3")


def test_an_invitation_for_a_handle_adds_a_device_to_that_member(shared: Shared) -> None:
    rod = shared.member("rod")
    shared.invite("editor", handle="rod", code="again")

    joined = shared.join("rod", code="again")

    assert joined.role == "editor"
    assert len(shared.find(Token, member=rod.id, revoked=False)) == 2


def test_an_invitation_for_a_handle_is_for_nobody_else(shared: Shared) -> None:
    shared.invite(handle="rod")

    with pytest.raises(NotAllowed, match="for rod"):
        shared.join("eve")


def test_the_handle_of_a_former_member_is_free_for_that_member_alone(shared: Shared) -> None:
    shared.member("rod")
    shared.do(c.RemoveMember(member="rod"))
    shared.invite(code="1")

    with pytest.raises(Exists, match="former member"):
        shared.join("rod", code="1")
    shared.invite(code="2", handle="rod")
    assert shared.join("rod", code="2").member == "rod"


def test_an_agent_of_somebody_else_is_not_taken_over_by_an_invitation(shared: Shared) -> None:
    rod = shared.member("rod")
    shared.do(c.CreateArtifact(path="a", text=""), Actor("edwin", "agent", "ana"))
    shared.invite("agent", kind="agent", handle="edwin", by=rod, code="mine")

    with pytest.raises(Exists):
        shared.join("edwin", kind="agent", for_="rod", code="mine")


def test_a_removed_member_takes_tokens_and_agents_along(shared: Shared) -> None:
    rod = shared.member("rod")
    shared.do(c.CreateArtifact(path="a", text=""), Actor("edwin", "agent", "rod"))

    shared.do(c.RemoveMember(member="rod", reason="left"))

    assert [token.revoked for token in shared.find(Token, member="rod")] == [True]
    assert [row.status for row in (shared.get(Member, "rod"), shared.get(Member, "edwin")) if row] == [
        "removed"
    ] * 2
    for actor in (rod, Actor("edwin", "agent", "rod")):
        with pytest.raises(NotAllowed):
            shared.do(c.CreateArtifact(path="b", text=""), actor)


def test_everybody_may_leave(shared: Shared) -> None:
    rod = shared.member("rod", "viewer")

    shared.do(c.RemoveMember(member="rod"), rod)

    assert shared.types()[-1] == "member.removed"


@pytest.mark.parametrize("command", [c.RemoveMember(member="ana"), c.ChangeRole(member="ana", role="editor")])
def test_a_space_keeps_an_owner(shared: Shared, command: c.Command[Any]) -> None:
    with pytest.raises(NotAllowed, match="last owner"):
        shared.do(command)
    shared.member("rod", "owner")
    shared.do(command)


def test_an_invitation_does_not_take_the_last_owners_role(shared: Shared) -> None:
    shared.invite("viewer", handle="ana")

    with pytest.raises(NotAllowed, match="last owner"):
        shared.join("ana")


def test_a_role_is_changed_by_an_owner(shared: Shared) -> None:
    rod = shared.member("rod", "viewer")

    with pytest.raises(NotAllowed):
        shared.do(c.ChangeRole(member="rod", role="owner"), rod)
    shared.do(c.ChangeRole(member="rod", role="editor"))

    assert shared.do(c.CreateArtifact(path="a", text=""), rod).version == 1


def test_the_role_of_an_agent_stays(shared: Shared) -> None:
    shared.do(c.CreateArtifact(path="a", text=""), Actor("edwin", "agent", "ana"))

    with pytest.raises(BadInput, match="is an agent"):
        shared.do(c.ChangeRole(member="edwin", role="owner"))


def test_an_agent_that_a_person_brings_along_is_a_member_from_its_first_command(shared: Shared) -> None:
    shared.do(c.CreateArtifact(path="a", text=""), Actor("edwin", "agent", "ana"))

    edwin = shared.get(Member, "edwin")
    assert edwin is not None and (edwin.role, edwin.for_) == ("agent", "ana")
    assert shared.types()[2] == "member.joined"
    assert {event.cmd for event in shared.log[2:]} == {"cmd-2"}
    assert all(event.actor == {"id": "edwin", "kind": "agent", "for": "ana"} for event in shared.log[2:])


def test_a_refused_first_command_makes_no_member(shared: Shared) -> None:
    with pytest.raises(FlowError):
        shared.do(c.AcquireLock(artifact="nothing"), Actor("edwin", "agent", "ana"))

    assert shared.get(Member, "edwin") is None


def test_agents_have_handles_of_their_own(shared: Shared) -> None:
    shared.member("rod")

    with pytest.raises(NotAllowed):
        shared.do(c.CreateArtifact(path="a", text=""), Actor("rod", "agent", "ana"))
    with pytest.raises(BadInput):
        shared.do(c.CreateArtifact(path="a", text=""), Actor("system", "agent", "ana"))


def test_a_space_has_ten_agents(shared: Shared) -> None:
    for number in range(10):
        shared.do(c.CreateArtifact(path=f"{number}", text=""), Actor(f"agent{number}", "agent", "ana"))

    with pytest.raises(Limit, match="10 agents"):
        shared.do(c.CreateArtifact(path="eleven", text=""), Actor("agent10", "agent", "ana"))


def test_a_space_has_twenty_people(shared: Shared) -> None:
    for number in range(19):
        shared.member(f"person{number}")

    with pytest.raises(Limit, match="20 people"):
        shared.member("one-more")


def test_a_person_adds_and_revokes_own_devices(shared: Shared) -> None:
    rod = shared.member("rod", "viewer")

    made = shared.do(c.CreateToken(digest=digest("2"), device="pc"), rod)
    shared.do(c.RevokeToken(token=made.token), rod)

    with pytest.raises(Gone):
        shared.do(c.RevokeToken(token=made.token), rod)
    assert (made.member, made.role) == ("rod", "viewer")


def test_a_person_makes_no_tokens_of_others_and_gives_no_roles(shared: Shared) -> None:
    rod = shared.member("rod")

    with pytest.raises(NotAllowed):
        shared.do(c.CreateToken(digest=digest("2"), device="pc", member="ana"), rod)
    with pytest.raises(NotAllowed):
        shared.do(c.CreateToken(digest=digest("2"), device="pc", role="owner"), rod)


@pytest.mark.parametrize("bad", ["", "short", "g" * 64, "A" * 64])
def test_what_is_no_sha256_is_refused(shared: Shared, bad: str) -> None:
    with pytest.raises(BadInput, match="SHA-256"):
        shared.do(c.CreateToken(digest=bad, device="pc"))
    with pytest.raises(BadInput, match="SHA-256"):
        shared.do(c.InviteMember(role="editor", digest=bad))


def test_two_tokens_or_invitations_never_share_a_secret(shared: Shared) -> None:
    shared.invite()

    with pytest.raises(Exists):
        shared.invite()
    with pytest.raises(Exists):
        shared.do(c.CreateToken(digest=digest("ana"), device="pc"))


def test_the_code_of_a_used_invitation_is_remembered(shared: Shared) -> None:
    invited = shared.invite()
    shared.join("rod")

    row = shared.get(Invite, invited.invite)

    assert row is not None and (row.used, row.by) == ("rod", "ana")
