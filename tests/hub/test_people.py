"""Invite, join, roles, tokens over the wire; and no secret anywhere but with whom it was told to."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.hub.client import Person, command, own_address, uuid7
from tests.hub.conftest import RunningHub


def join(hub: RunningHub, code: str, handle: str, address: str = "127.0.0.1") -> Any:
    nobody = Person(hub.base, "none", None, address=address)
    return nobody.http("POST", "/v1/join", {"code": code, "handle": handle, "device": "laptop"})


def test_me_tells_whose_a_token_is(ana: Person) -> None:
    me = ana.get("/v1/me").json

    assert (me["member"], me["role"], me["space"], me["kind"]) == ("ana", "owner", ana.space, "human")


def test_a_code_makes_a_member_with_a_token(hub: RunningHub, ana: Person) -> None:
    invited = ana.do("member.invite", role="editor", kind="human")

    answer = join(hub, invited["code"], "rod").json

    assert {"token", "token_id", "member", "space", "role"} <= set(answer)
    rod = Person(hub.base, answer["space"], answer["token"])
    assert rod.do("artifact.create", path="a.md", text="")["version"] == 1
    assert invited["expires"].endswith("Z")


def test_a_code_is_good_once(hub: RunningHub, ana: Person) -> None:
    code = ana.do("member.invite", role="editor")["code"]
    join(hub, code, "rod")

    again = join(hub, code, "eve")

    assert (again.status, again.code) == (410, "gone")


def test_a_wrong_code_is_refused(hub: RunningHub) -> None:
    answer = join(hub, "no-such-code", "rod", own_address())

    assert (answer.status, answer.code) == (403, "role")


def test_the_same_invitation_sent_again_gives_the_same_code(ana: Person) -> None:
    sent = command("member.invite", role="viewer")

    first, again = ana.post(sent), ana.post(sent)

    assert first == again
    assert first[0]["ok"]["code"]


def test_an_invitation_in_a_batch_has_its_code(hub: RunningHub, ana: Person) -> None:
    parts = [{"cmd": "member.invite", "args": {"role": role}} for role in ("viewer", "editor")]
    [result] = ana.post({"id": uuid7(), "cmd": "batch", "args": {"cmds": parts}})

    codes = [part["code"] for part in result["ok"]["results"]]

    assert len(set(codes)) == 2
    assert join(hub, codes[1], "rod").json["role"] == "editor"


def test_an_agent_with_a_token_of_its_own_works_for_its_person(hub: RunningHub, ana: Person) -> None:
    code = ana.do("member.invite", role="agent", kind="agent", for_="ana")["code"]
    answer = join(hub, code, "edwin").json
    edwin = Person(hub.base, ana.space, answer["token"])

    edwin.do("artifact.create", path="a.md", text="")

    [event] = [event for event in ana.events() if event["type"] == "artifact.created"]
    assert event["actor"] == {"id": "edwin", "kind": "agent", "for": "ana"}
    assert edwin.refused("member.invite", role="editor")["code"] == "role"
    assert edwin.get("/v1/me").json["for"] == "ana"


def test_an_agent_does_not_act_for_others(hub: RunningHub, ana: Person) -> None:
    code = ana.do("member.invite", role="agent", kind="agent")["code"]
    edwin = Person(hub.base, ana.space, join(hub, code, "edwin").json["token"])

    [result] = edwin.post(
        command("artifact.create", path="a", text=""), **{"as": {"id": "quinn", "kind": "agent"}}
    )

    assert result["err"]["code"] == "role"


def test_a_viewer_reads_all_and_changes_nothing(ana: Person, joined: Any, doc: str) -> None:
    vera = joined("vera", "viewer")
    before = ana.events()

    refused = vera.refused("lock.acquire", artifact=doc)
    blob = vera.http("PUT", f"blobs/{'0' * 64}", b"x")

    assert refused["code"] == "role" and refused["data"]["role"] == "viewer"
    assert blob.status == 403
    assert vera.get(f"artifacts/{doc}").json["ok"]["text"] == "one\n"
    assert ana.events() == before


def test_an_agents_human_things_are_refused(ana: Person, doc: str) -> None:
    who = {"id": "edwin", "kind": "agent"}
    ana.do("lock.acquire", artifact=doc)

    [result] = ana.post(command("lock.force", artifact=doc, reason="now"), **{"as": who})

    assert result["err"]["code"] == "role"


def test_a_space_is_closed_to_members_of_others(hub: RunningHub, ana: Person, space: str) -> None:
    other = hub.person(f"{space}-b", "bea")

    answer = Person(hub.base, ana.space, other.token, address=own_address()).get("artifacts")

    assert (answer.status, answer.code) == (401, "auth")


def test_a_space_that_is_not_there_looks_like_one_that_is_closed(hub: RunningHub, ana: Person) -> None:
    address = own_address()
    missing = Person(hub.base, "nowhere", ana.token, address=address).get("artifacts")
    closed = Person(hub.base, ana.space, "flw_wrong", address=address).get("artifacts")

    assert (missing.status, missing.json) == (closed.status, closed.json)


def test_a_second_device_is_a_token_of_ones_own(hub: RunningHub, ana: Person, joined: Any) -> None:
    from hashlib import sha256

    rod = joined("rod")
    made = rod.do("token.create", digest=sha256(b"another secret").hexdigest(), device="desktop")

    elsewhere = Person(hub.base, ana.space, "another secret")

    assert elsewhere.get("/v1/me").json["token_id"] == made["token"]
    rod.do("token.revoke", token=made["token"])
    assert elsewhere.get("/v1/me").status == 401


def test_after_a_revocation_no_command_of_the_token_is_taken(ana: Person, joined: Any) -> None:
    rod = joined("rod")
    token = rod.get("/v1/me").json["token_id"]
    with rod.stream() as stream:
        stream.until("up_to_date")
        ana.do("token.revoke", token=token)
        seq = len(ana.events())
        with contextlib.suppress(ConnectionClosed):
            stream.send(
                {"type": "cmds", "client": "c", "cmds": [command("artifact.create", path="a", text="")]}
            )
            while True:
                stream.next()

    assert len(ana.events()) == seq


def test_no_secret_is_in_the_database_or_the_log(hub: RunningHub, ana: Person, joined: Any) -> None:
    code = ana.do("member.invite", role="editor")["code"]
    answer = join(hub, code, "rod").json
    rod = Person(hub.base, ana.space, answer["token"])
    rod.do("artifact.create", path="a.md", text="")
    join(hub, code, "eve")

    kept = b"".join(file.read_bytes() for file in Path(hub.database).glob(f"{ana.space}.db*"))
    dump = "\n".join(sqlite3.connect(f"file:{hub.database}/{ana.space}.db?mode=ro", uri=True).iterdump())

    for secret in (code, answer["token"], str(ana.token)):
        assert secret.encode() not in kept
        assert secret not in dump
        assert secret not in hub.log.read_text()
        assert secret not in ana.get("events?limit=1000").body.decode()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 5, "handle": "rod", "device": "x"},
        {"code": "c", "handle": "rod"},
        {"code": "c", "handle": "rod", "device": "x", "role": "owner"},
        [],
    ],
    ids=str,
)
def test_a_wrong_join_is_refused(hub: RunningHub, body: Any) -> None:
    nobody = Person(hub.base, "none", None, address=own_address())

    answer = nobody.http("POST", "/v1/join", body)

    assert (answer.status, answer.code) == (400, "bad_args")


@pytest.mark.parametrize("handle", ["", "system", "../x", "A", "a" * 100, "a b", "\u202eana"])
def test_a_bad_handle_does_not_use_the_code_up(hub: RunningHub, ana: Person, handle: str) -> None:
    code = ana.do("member.invite", role="editor")["code"]

    refused = join(hub, code, handle)

    assert (refused.status, refused.code) == (400, "bad_args")
    assert join(hub, code, "rod").status == 200
