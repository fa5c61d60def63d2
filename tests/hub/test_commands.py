"""Commands over HTTP and the WebSocket: one envelope, one answer each, one effect."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from tests.hub.client import Answer, Person, chained, command, uuid7


def test_a_command_is_answered_with_its_id_and_its_place_in_the_log(ana: Person) -> None:
    sent = command("artifact.create", path="a.md", text="hi")

    [result] = ana.post(sent)

    assert result["id"] == sent["id"]
    assert result["seq"] == ana.events()[-1]["seq"]
    assert result["ok"]["version"] == 1


def test_both_ways_give_the_same_answer_to_the_same_command(ana: Person) -> None:
    sent = command("artifact.create", path="a.md", text="hi")
    with ana.stream() as stream:
        over_line = stream.post(sent)

    assert ana.post(sent) == over_line
    assert len([event for event in ana.events() if event["type"] == "artifact.created"]) == 1


def test_a_batch_sent_again_is_the_same_batch(ana: Person) -> None:
    parts = [{"cmd": "artifact.create", "args": {"path": path, "text": ""}} for path in ("a", "b")]
    sent = {
        "id": uuid7(),
        "cmd": "batch",
        "args": {"cmds": [*parts, {"cmd": "thread.open", "args": {"title": "t"}}]},
    }

    first, again = ana.post(sent), ana.post(sent)

    assert "ok" in first[0]
    assert first == again


def test_an_id_that_is_used_for_something_else_is_a_mismatch(ana: Person) -> None:
    id = uuid7()
    ana.post(command("artifact.create", id=id, path="a.md", text="hi"))

    [result] = ana.post(command("artifact.create", id=id, path="b.md", text="hi"))

    assert result["err"]["code"] == "mismatch"


def test_an_id_is_nobody_elses(ana: Person, joined: Any) -> None:
    rod = joined("rod")
    sent = command("artifact.create", path="a.md", text="hi")
    ana.post(sent)

    assert rod.post(sent)[0]["err"]["code"] == "mismatch"


def test_a_refusal_is_an_answer_with_what_the_screen_needs(ana: Person, joined: Any, doc: str) -> None:
    rod = joined("rod")
    ana.do("lock.acquire", artifact=doc, purpose="a better end")

    [result] = rod.post(command("lock.acquire", artifact=doc))

    err = result["err"]
    assert (err["code"], err["data"]["holder"], err["data"]["purpose"]) == ("busy", "ana", "a better end")
    assert err["message"] and err["hint"]
    assert result["seq"] == ana.events()[-1]["seq"]


def test_commands_of_one_request_are_carried_out_in_their_order(ana: Person) -> None:
    results = ana.post(*[command("artifact.create", path=f"{n}.md", text="") for n in range(10)])

    seqs = [result["seq"] for result in results]
    assert seqs == sorted(seqs)
    paths = [event["data"]["path"] for event in ana.events() if event["type"] == "artifact.created"]
    assert paths == [f"{n}.md" for n in range(10)]


def test_a_refused_command_does_not_stop_the_next_one(ana: Person) -> None:
    first, second = ana.post(
        command("lock.acquire", artifact="nothing"), command("artifact.create", path="a.md", text="")
    )

    assert first["err"]["code"] == "not_found"
    assert second["ok"]["version"] == 1


def test_a_batch_is_all_or_nothing(ana: Person) -> None:
    parts = [{"cmd": "artifact.create", "args": {"path": path, "text": ""}} for path in ("a.md", "A.md")]

    [result] = ana.post({"id": uuid7(), "cmd": "batch", "args": {"cmds": parts}})

    assert result["err"]["code"] == "exists"
    assert ana.get("artifacts").json["ok"] == []


def test_the_log_is_dense_and_chained(ana: Person, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    ana.do("artifact.save", artifact=doc, fence=fence, base=1, text="two — ½\n")

    events = ana.events()

    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    chained(events)


def test_an_event_names_actor_client_and_command(ana: Person) -> None:
    sent = command("artifact.create", path="a.md", text="")
    ana.post(sent)

    event = next(event for event in ana.events() if event["type"] == "artifact.created")

    assert event["actor"] == {"id": "ana", "kind": "human"}
    assert (event["client"], event["cmd"]) == (ana.client, sent["id"])


def test_an_agent_acts_for_its_person_in_every_event(ana: Person) -> None:
    who = {"id": "edwin", "kind": "agent"}

    [result] = ana.post(command("artifact.create", path="b.md", text=""), **{"as": who})

    assert "ok" in result
    by_edwin = [event for event in ana.events() if event["actor"]["id"] == "edwin"]
    assert by_edwin[0]["type"] == "member.joined"
    assert all(event["actor"] == {"id": "edwin", "kind": "agent", "for": "ana"} for event in by_edwin)


@pytest.mark.parametrize(
    "who",
    [
        {"id": "rod", "kind": "human"},
        {"id": "system", "kind": "system"},
        {"id": "system", "kind": "agent"},
        {"id": "rod", "kind": "agent"},
        {"id": "", "kind": "agent"},
        {"id": 5},
        {"id": "edwin", "kind": "agent", "for": "rod"},
        {},
    ],
    ids=str,
)
def test_nobody_acts_as_somebody_else(ana: Person, joined: Any, who: dict[str, Any]) -> None:
    joined("rod")
    before = len(ana.events())

    answer = ana.http(
        "POST",
        "commands",
        {"client": "c", "as": who, "cmds": [command("artifact.create", path="a", text="")]},
    )

    assert answer.json["results"][0]["err"]["code"] in {"role", "bad_args"}
    assert len(ana.events()) == before


def test_an_actor_in_a_command_is_not_believed(ana: Person) -> None:
    answer = ana.http(
        "POST",
        "commands",
        {"client": "c", "actor": {"id": "rod"}, "cmds": [command("artifact.create", path="a", text="")]},
    )

    assert answer.status in {200, 400}
    assert all(event["actor"]["id"] in {"ana", "system"} for event in ana.events())


@pytest.mark.parametrize(
    "call",
    [
        {"id": "1", "cmd": "no.such", "args": {}},
        {"id": "1", "cmd": "artifact.create", "args": {}},
        {"id": "1", "cmd": "artifact.create", "args": {"path": "a", "text": "", "surprise": 1}},
        {"id": "1", "cmd": "artifact.create", "args": {"path": 5, "text": ""}},
        {"id": "", "cmd": "artifact.create", "args": {"path": "a", "text": ""}},
        {"id": "x" * 201, "cmd": "artifact.create", "args": {"path": "a", "text": ""}},
        {"id": "1", "cmd": "lock.acquire", "args": {"artifact": "a", "ttl_ms": 10**30}},
        {"id": "1", "cmd": "lock.acquire", "args": {"artifact": "a", "ttl_ms": -1}},
        {"id": "1", "cmd": "batch", "args": {"cmds": [{"cmd": "batch", "args": {"cmds": []}}]}},
        {"id": "1", "cmd": "batch", "args": {"cmds": 5}},
        {"id": "1", "cmd": "batch", "args": {"cmds": [{"cmd": "lock.cancel", "args": {"ticket": "x"}}] * 65}},
        {"id": "1", "cmd": "artifact.create", "args": {"path": "../a", "text": ""}},
        {"id": "1", "cmd": "artifact.create", "args": {"path": "a\u0000b", "text": ""}},
        {"id": "1", "cmd": "artifact.create", "args": {"path": "/etc/passwd", "text": ""}},
        {"id": "1", "cmd": "artifact.create", "args": {"path": "COM1", "text": ""}},
    ],
    ids=lambda call: str(call)[:60],
)
def test_a_wrong_command_is_refused_and_changes_nothing(ana: Person, call: dict[str, Any]) -> None:
    before = ana.events()

    [result] = ana.post(call)

    assert result["err"]["code"] in {"bad_args", "bad_path", "too_large", "not_found"}
    assert result["err"]["message"]
    assert "decided" not in result["err"]["data"]
    assert ana.events() == before


def test_a_command_whose_time_has_run_out_is_not_begun(ana: Person) -> None:
    [result] = ana.post(command("artifact.create", path="a.md", text=""), deadline_ms=0)

    assert result["err"]["code"] == "unavailable"
    assert result["err"]["data"]["decided"] is False
    assert ana.get("artifacts").json["ok"] == []


def too_much(ana: Person) -> Answer:
    """The answer to the last of more commands than an agent may send; they are cheap ones."""
    for _ in range(40):
        cmds = [{"id": "1", "cmd": "x"}] * 64
        answer = ana.http("POST", "commands", {"client": ana.client, "as": {"id": "edwin"}, "cmds": cmds})
        if answer.status == 429:
            break
    return answer


def test_a_client_that_is_too_fast_is_told_when_to_come_back_and_others_are_not(ana: Person) -> None:
    answer = too_much(ana)

    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
    last = answer.json["results"][-1]["err"]
    assert (last["code"], last["data"]["decided"]) == ("limit", False)
    assert last["data"]["retry_ms"] > 0
    assert "ok" in ana.post(command("artifact.create", path="a.md", text=""))[0]


def test_what_came_too_fast_is_taken_later_with_the_same_id(ana: Person) -> None:
    too_much(ana)
    sent = command("artifact.create", path="a.md", text="")
    for _ in range(100):
        answer = ana.http("POST", "commands", {"client": ana.client, "as": {"id": "edwin"}, "cmds": [sent]})
        if answer.status == 200:
            break
        time.sleep(0.05)

    assert "ok" in answer.json["results"][0]


def test_a_silent_command_writes_nothing_into_the_log(ana: Person, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    before = ana.events()

    ana.do("draft.append", artifact=doc, fence=fence, off=0, text="words")
    ana.do("lock.renew", artifact=doc, fence=fence)

    assert ana.events() == before


def test_two_clients_of_one_person_are_told_apart(ana: Person, doc: str) -> None:
    ana.do("lock.acquire", artifact=doc)

    refused = ana.again().refused("lock.acquire", artifact=doc)

    assert (refused["code"], refused["data"]["holder"]) == ("busy", "you, elsewhere")


def test_a_lock_asked_for_by_two_at_once_is_given_to_one(ana: Person, joined: Any, doc: str) -> None:
    people = [ana, joined("rod"), joined("kim")]
    streams = [person.stream() for person in people]
    opened = [each.__enter__() for each in streams]
    try:
        for stream in opened:
            stream.until("up_to_date")
        for stream in opened:
            stream.send(
                {
                    "type": "cmds",
                    "client": str(uuid.uuid4()),
                    "cmds": [command("lock.acquire", artifact=doc)],
                }
            )
        results = [stream.until("res")["results"][0] for stream in opened]
    finally:
        for each in streams:
            each.__exit__(None, None, None)

    assert len([result for result in results if "ok" in result]) == 1
    assert {result["err"]["code"] for result in results if "err" in result} == {"busy"}
