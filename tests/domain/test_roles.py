"""Who may send which command: every role against every command."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from msgspec.structs import replace

from flowide.domain import commands as c
from flowide.domain.actors import DISK, SYSTEM, Actor, Caller
from flowide.domain.policy import Policy
from flowide.domain.roles import check_role
from flowide.domain.rows import Artifact, Lock, Member, Token
from flowide.errors import AuthFailed, NotAllowed
from tests.domain.board import Board

ALL = {"owner", "editor", "agent", "viewer"}
WRITERS = {"owner", "editor", "agent"}
PEOPLE = {"owner", "editor"}

MATRIX: dict[str, set[str]] = {
    "artifact.create": WRITERS,
    "artifact.save": WRITERS,
    "artifact.move": WRITERS,
    "artifact.delete": PEOPLE,
    "artifact.restore": WRITERS,
    "artifact.commit": WRITERS,
    "lock.acquire": WRITERS,
    "lock.renew": WRITERS,
    "lock.release": WRITERS,
    "lock.cancel": WRITERS,
    "lock.transfer": WRITERS,
    "lock.force": {"owner"},
    "draft.append": WRITERS,
    "draft.keep": WRITERS,
    "draft.adopt": WRITERS,
    "draft.discard": WRITERS,
    "variation.open_set": WRITERS,
    "variation.add": WRITERS,
    "variation.check": WRITERS,
    "variation.tag": WRITERS,
    "variation.shortlist": WRITERS,
    "variation.reject": WRITERS,
    "variation.note": WRITERS,
    "variation.accept": WRITERS,
    "run.start": WRITERS,
    "run.queue": WRITERS,
    "run.claim": WRITERS,
    "run.renew": WRITERS,
    "run.step": WRITERS,
    "run.stream": WRITERS,
    "run.finish": WRITERS,
    "gate.open": WRITERS,
    "gate.answer": PEOPLE,
    "thread.open": WRITERS,
    "thread.pin": WRITERS,
    "thread.agent": WRITERS,
    "message.post": WRITERS,
    "turn.ask": PEOPLE,
    "turn.take": WRITERS,
    "turn.fail": WRITERS,
    "turn.stop": PEOPLE,
    "run.cancel": PEOPLE,
    "decision.propose": WRITERS,
    "decision.agree": PEOPLE,
    "decision.reopen": PEOPLE,
    "decision.supersede": PEOPLE,
    "review.open": WRITERS,
    "review.hand_over": WRITERS,
    "review.judge": WRITERS,
    "review.finish": PEOPLE,
    "member.invite": {"owner"},
    "member.join": ALL,
    "member.role": {"owner"},
    "member.remove": {"owner"},
    "token.create": {"owner"},
    "token.revoke": {"owner"},
}
"""Who may send a command that is about somebody else's things."""
OWN_THINGS: dict[str, set[str]] = {
    "lock.force": PEOPLE,
    "member.invite": PEOPLE,
    "member.remove": {"owner", "editor", "viewer"},
    "token.create": {"owner", "editor", "viewer"},
    "token.revoke": {"owner", "editor", "viewer"},
}
"""Who may send it about things of their own."""
ACTORS = {
    "owner": Actor("ana"),
    "editor": Actor("rod"),
    "agent": Actor("edwin", "agent", "rod"),
    "viewer": Actor("vera"),
}
TOKENS = {"owner": "of-ana", "editor": "of-rod", "agent": "of-rod", "viewer": "of-vera"}


def a_space() -> Board:
    """A space with one member of each role, and a lock that somebody else holds."""
    board = Board()
    board.policy = Policy(members=True)
    for role, actor in ACTORS.items():
        put(board, Member(actor.id, actor.kind, role, actor.for_, "active", 1, ""))
    for handle in ("ana", "rod", "vera", "kim"):
        put(board, Token(f"of-{handle}", handle, "pc", "0" * 64, False, 1, ""))
    put(board, Member("kim", "human", "editor", None, "active", 1, ""))
    put(board, Lock("taken", "held", 3, "kim", "human"))
    return board


def put(board: Board, row: Any) -> None:
    board.rows[type(row), tuple(getattr(row, name) for name in row.KEY)] = row


def sample(name: str, **own: Any) -> c.Command[Any]:
    """A command with some value in each field it needs."""
    kind = c.COMMANDS[name]
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.required:
            fields[field.name] = _some(field.type)
    fields |= {name: value for name, value in own.items() if name in kind.__struct_fields__}
    return kind(**fields)


def _some(kind: Any) -> Any:
    """Some value of a type."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return {str: "x", int: 1}[kind] if kind in {str, int} else get_origin(kind)()


def of_somebody_else(name: str) -> c.Command[Any]:
    return sample(name, artifact="taken", to="kim", member="kim", token="of-kim", role="editor")


def of_oneself(name: str, actor: Actor) -> c.Command[Any]:
    own = sample(
        name, artifact="free", to="kim", member=actor.id, token=f"of-{actor.id}", role="agent", kind="agent"
    )
    return replace(own, role=None) if isinstance(own, c.CreateToken) else own


def may(board: Board, role: str, command: c.Command[Any]) -> bool:
    try:
        check_role(board, command, Caller(ACTORS[role], "pc", "1", TOKENS[role]), board.now)
    except NotAllowed as refused:
        assert refused.code == "role"
        return False
    return True


def test_the_matrix_has_every_command() -> None:
    assert set(MATRIX) == set(c.COMMANDS) - {"batch"}


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("role", ACTORS)
def test_a_role_permits_what_the_matrix_says(role: str, name: str) -> None:
    assert may(a_space(), role, of_somebody_else(name)) == (role in MATRIX[name])


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("role", ACTORS)
def test_about_own_things_a_role_permits_as_much_or_more(role: str, name: str) -> None:
    command = of_oneself(name, ACTORS[role])

    assert may(a_space(), role, command) == (role in OWN_THINGS.get(name, MATRIX[name]))


@pytest.mark.parametrize("name", MATRIX)
def test_who_is_no_member_may_only_join(name: str) -> None:
    board = a_space()

    with pytest.raises(NotAllowed) if name != "member.join" else _nothing():
        check_role(board, of_somebody_else(name), Caller(Actor("mallory"), "pc", "1"), board.now)


@pytest.mark.parametrize("role", ACTORS)
@pytest.mark.parametrize("name", ["artifact.save", "lock.renew", "token.create"])
def test_a_revoked_token_permits_nothing(role: str, name: str) -> None:
    board = a_space()
    token = board.get(Token, TOKENS[role])
    assert token is not None
    put(board, replace(token, revoked=True))

    with pytest.raises(NotAllowed) as refused:
        check_role(
            board, of_oneself(name, ACTORS[role]), Caller(ACTORS[role], "pc", "1", token.id), board.now
        )
    assert refused.value.code == "auth"


def test_a_token_acts_for_nobody_but_its_member() -> None:
    board = a_space()

    with pytest.raises(AuthFailed):
        check_role(board, sample("artifact.save"), Caller(ACTORS["owner"], "pc", "1", "of-rod"), board.now)


def test_an_agent_of_a_removed_person_is_refused() -> None:
    board = a_space()
    put(board, Member("rod", "human", "editor", None, "removed", 1, ""))

    assert not may(board, "agent", sample("artifact.save"))


def test_an_agent_of_somebody_who_only_reads_writes_nothing() -> None:
    board = a_space()
    put(board, Member("rod", "human", "viewer", None, "active", 1, ""))

    assert not may(board, "agent", sample("artifact.save"))


def test_an_agent_with_a_machine_of_its_own_is_nobody_elses() -> None:
    board = a_space()
    put(board, Token("of-edwin", "edwin", "pc", "1" * 64, False, 1, ""))
    caller = Caller(Actor("edwin", "agent", "ana"), "pc", "1", "of-ana")

    with pytest.raises(NotAllowed, match="no agent of ana"):
        check_role(board, sample("artifact.save"), caller, board.now)


def test_an_agent_without_a_machine_of_its_own_works_for_whoever_runs_it() -> None:
    board = a_space()
    caller = Caller(Actor("edwin", "agent", "ana"), "pc", "1", "of-ana")

    check_role(board, sample("artifact.save"), caller, board.now)


def test_a_person_does_not_act_as_another_one_by_calling_them_an_agent() -> None:
    board = a_space()
    caller = Caller(Actor("kim", "agent", "rod"), "pc", "1", "of-rod")

    with pytest.raises(NotAllowed):
        check_role(board, sample("artifact.save"), caller, board.now)


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
def test_the_disk_of_a_persons_machine_may_what_the_person_may(role: str) -> None:
    board = a_space()
    disk = Caller(Actor(DISK.id, DISK.kind, ACTORS[role].id), "pc", "1", TOKENS[role])

    with pytest.raises(NotAllowed) if role == "viewer" else _nothing():
        check_role(board, sample("artifact.save"), disk, board.now)


@pytest.mark.parametrize("state", ["free", "lapsed"])
def test_an_editor_may_force_what_nobody_uses(state: Any) -> None:
    board = a_space()
    put(board, Lock("taken", state, 3, "kim", "human"))

    assert may(board, "editor", of_somebody_else("lock.force"))


@pytest.mark.parametrize("name", [name for name in MATRIX if name.partition(".")[0] in {"member", "token"}])
def test_a_local_space_has_no_members(name: str) -> None:
    board = a_space()
    board.policy = Policy()

    with pytest.raises(NotAllowed, match="this one is local"):
        check_role(board, of_somebody_else(name), Caller(Actor("ana"), "pc", "1"), board.now)


@pytest.mark.parametrize(
    "name", [name for name in MATRIX if name.partition(".")[0] not in {"member", "token"}]
)
def test_in_a_local_space_every_person_is_an_owner(name: str) -> None:
    board = Board()

    check_role(board, of_somebody_else(name), Caller(Actor("anybody"), "pc", "1"), board.now)


@pytest.mark.parametrize("name", MATRIX)
def test_the_hub_itself_may_everything(name: str) -> None:
    board = a_space()

    check_role(board, of_somebody_else(name), Caller(SYSTEM, "hub", "1"), board.now)


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


@pytest.mark.parametrize("path", [".flowide/flows/x.yaml", ".Flowide/config.toml", ".flowide/agents/me.md"])
@pytest.mark.parametrize("role", ["editor", "agent"])
def test_an_agent_changes_nothing_that_it_works_by(role: str, path: str) -> None:
    board = a_space()
    put(board, Artifact("flow", path, path.casefold(), "code", 1, "0" * 64, 0, False))

    for command in (
        c.CreateArtifact(path=path, text=""),
        c.SaveArtifact(artifact="flow", fence=1, base=1, text=""),
        c.MoveArtifact(artifact="other", fence=1, base=1, path=path),
        c.AcceptVariation(set="s", number=1, artifact="flow", fence=1, base=1),
    ):
        assert may(board, role, command) == (role == "editor")


def test_a_lock_is_handed_to_members_only() -> None:
    assert not may(a_space(), "owner", sample("lock.transfer", to="mallory"))
