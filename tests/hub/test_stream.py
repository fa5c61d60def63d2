"""The stream: the log from a cursor on, questions, and what ends it."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.hub.client import GENESIS, Person, Stream, chained, command
from tests.hub.conftest import RunningHub


def closed(stream: Stream) -> tuple[int, str]:
    """Code and reason with which the hub closes."""
    with pytest.raises(ConnectionClosed) as end:
        while True:
            stream.next()
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


def test_hello_comes_first_and_tells_head_lease_bounds_and_whose_log_it_is(ana: Person) -> None:
    with ana.stream() as stream:
        hello = stream.next()

    assert hello["type"] == "hello"
    assert (hello["head"], hello["ttl_ms"]) == (len(ana.events()), 30_000)
    assert hello["limits"]["frame"] == 1024 * 1024
    assert hello["hub"] == ana.events()[0]["chain"]


def test_a_new_client_gets_the_whole_log_and_is_told_when_it_has_all(ana: Person, doc: str) -> None:
    with ana.stream() as stream:
        up = stream.until("up_to_date")

    assert up["seq"] == len(stream.events)
    assert stream.events == ana.events()
    chained(stream.events)


def test_a_client_goes_on_from_its_cursor(ana: Person, doc: str) -> None:
    at = ana.events()[2]

    with ana.stream(at["seq"], at["chain"]) as stream:
        stream.until("up_to_date")

    assert stream.events[0]["seq"] == 4
    assert chained(stream.events, at["chain"]) == ana.events()[-1]["chain"]


def test_a_client_that_has_all_gets_nothing_again(ana: Person, doc: str) -> None:
    at = ana.events()[-1]

    with ana.stream(at["seq"], at["chain"]) as stream:
        up = stream.until("up_to_date")

    assert up["seq"] == at["seq"]
    assert stream.events == []


@pytest.mark.parametrize(
    ("after", "chain"),
    [(2, "ab" * 32), (10_000, "ab" * 32), (0, "ab" * 32), (2, ""), (2, GENESIS), (2**53, GENESIS)],
)
def test_a_cursor_of_another_log_or_ahead_of_this_one_is_told_to_begin_anew(
    ana: Person, after: int, chain: str
) -> None:
    with ana.stream(after, chain) as stream:
        said = stream.until("resync")
        bye = stream.until("bye")

    assert said["why"]
    assert (bye["code"], bye["retry_ms"]) == ("resync", 0)
    assert stream.events == []


def test_what_others_do_is_seen_at_once(ana: Person, joined: Any, doc: str) -> None:
    rod = joined("rod")
    with rod.stream() as stream:
        stream.until("up_to_date")
        stream.events.clear()

        ana.do("lock.acquire", artifact=doc)

        event = stream.event("lock.acquired")
    assert event["data"]["holder"]["actor"] == "ana"


def test_large_events_come_in_several_frames_and_in_order(ana: Person) -> None:
    thread = ana.again()
    thread.do("thread.open", thread="t", title="long")
    for number in range(20):
        thread.do("message.post", thread="t", message=str(number), text="x" * 60_000)

    with ana.stream() as stream:
        stream.until("up_to_date")

    frames = [frame for frame in stream.seen if frame["type"] == "ev"]
    assert len(frames) > 1
    assert all(len(frame["e"]) <= 256 and len(json.dumps(frame)) < 1024 * 1024 for frame in frames)
    chained(stream.events)


def test_many_who_follow_get_the_same(ana: Person) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        streams = [stack.enter_context(ana.again().stream()) for _ in range(20)]
        for stream in streams:
            stream.until("up_to_date")
        for number in range(30):
            ana.do("artifact.create", path=f"{number}.md", text="")
        head = len(ana.events())
        for stream in streams:
            while not stream.events or stream.events[-1]["seq"] < head:
                stream.next()

    assert all(stream.events == ana.events() for stream in streams)


def test_questions_are_answered_with_a_place_in_the_log(ana: Person, doc: str) -> None:
    with ana.stream() as stream:
        found = stream.ask("FindArtifact", ref="doc.md")
        missing = stream.ask("FindArtifact", ref="dox.md")
        unknown = stream.ask("NoSuchQuestion")
        wrong = stream.ask("FindArtifact", ref=5)

    assert (found["ok"]["id"], found["seq"]) == (doc, len(ana.events()))
    assert missing["err"]["code"] == "not_found"
    assert (unknown["err"]["code"], wrong["err"]["code"]) == ("bad_args", "bad_args")


def test_a_question_sees_what_was_commanded_before(ana: Person) -> None:
    with ana.stream() as stream:
        stream.until("up_to_date")
        stream.send(
            {"type": "cmds", "client": "c", "cmds": [command("artifact.create", path="a.md", text="")]}
        )
        stream.send({"type": "ask", "call": {"id": "q", "cmd": "Artifacts", "args": {}}})

        assert "ok" in stream.until("res")["results"][0]
        assert [row["path"] for row in stream.until("res")["results"][0]["ok"]] == ["a.md"]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        '{"type":"hello"}',
        '{"type":"moon"}',
        '{"no":"type"}',
        '{"type":"cmds"}',
        '{"type":"cmds","client":"c","cmds":5}',
        '{"type":"cmds","client":"c","cmds":[{"id":"1","cmd":"x","surprise":1}]}',
        '{"type":"sub","drafts":5}',
        '{"type":"pong","t":"now"}',
        '{"type":"cmds","client":"\\ud800","cmds":[]}',
        "[" * 100_000,
        '{"type":"cmds","client":"c","cmds":' + "[" * 50_000,
        b"\x00\xff\xfe",
        b"",
    ],
    ids=lambda frame: repr(frame)[:40],
)
def test_what_is_no_frame_gets_one_clear_refusal(ana: Person, frame: str | bytes) -> None:
    with ana.stream() as stream:
        stream.until("up_to_date")
        stream.send(frame)

        bye = stream.until("bye")
        code, reason = closed(stream)

    assert (bye["code"], bye["retry_ms"]) == ("bad_args", None)
    assert "no frame" in bye["message"] and "no frame" in reason
    assert code == 1008


def test_a_frame_above_the_bound_ends_the_stream(ana: Person) -> None:
    with ana.stream() as stream:
        stream.until("up_to_date")
        stream.send('{"type":"cmds","client":"' + "x" * (1024 * 1024) + '"}')

        assert closed(stream)[0] == 1009


def test_text_that_is_no_utf8_ends_the_stream(ana: Person) -> None:
    with ana.stream() as stream:
        stream.until("up_to_date")
        stream.line.send(b"\xff\xfe", text=True)

        assert closed(stream)[0] in {1007, 1008}
    assert ana.get("/healthz").status == 200


@pytest.mark.parametrize("subprotocol", [None, "flowide.2"])
def test_another_protocol_is_refused_before_it_begins(ana: Person, subprotocol: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused, ana.stream(subprotocol=subprotocol):
        pass

    assert refused.value.response.status_code == 400
    assert b"flowide.1" in (refused.value.response.body or b"")


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "after=1e3", "after=" + "9" * 30, "after=1&chain=" + "a" * 65]
)
def test_a_cursor_that_is_none_is_refused(ana: Person, query: str) -> None:
    answer = ana.http(
        "GET",
        f"stream?{query}",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "flowide.1",
        },
    )

    assert (answer.status, answer.code) == (400, "bad_args")


def test_a_wrong_token_gets_no_stream(hub: RunningHub, ana: Person) -> None:
    stranger = Person(hub.base, ana.space, "flw_wrong", address="127.0.0.77")

    with pytest.raises(InvalidStatus) as refused, stranger.stream():
        pass

    assert refused.value.response.status_code == 401


def test_a_revoked_token_ends_its_stream_at_once(ana: Person, joined: Any) -> None:
    rod = joined("rod")
    token = rod.get("/v1/me").json["token_id"]
    with rod.stream() as stream:
        stream.until("up_to_date")

        ana.do("token.revoke", token=token)

        bye = stream.until("bye")
    assert (bye["code"], bye["retry_ms"]) == ("auth", None)
    assert rod.get("artifacts").status == 401


def test_a_removed_member_is_cut_off_with_all_devices(ana: Person, joined: Any) -> None:
    rod = joined("rod")
    with rod.stream() as stream:
        stream.until("up_to_date")

        ana.do("member.remove", member="rod")

        assert stream.until("bye")["code"] == "auth"


def test_a_changed_role_holds_for_an_open_stream(ana: Person, joined: Any) -> None:
    rod = joined("rod", "viewer")
    with rod.stream() as stream:
        stream.until("up_to_date")
        assert stream.post(command("artifact.create", path="a", text=""))[0]["err"]["code"] == "role"

        ana.do("member.role", member="rod", role="editor")

        assert "ok" in stream.post(command("artifact.create", path="b", text=""))[0]


def test_a_client_that_reads_nothing_is_cut_off_and_goes_on_from_its_cursor(ana: Person) -> None:
    with ana.again().stream() as slow:
        slow.until("up_to_date")
        at = len(slow.events)
        # The client's own buffer has to fill before the hub's does: its reading is paused by not reading.
        ana.do("thread.open", thread="t", title="long")
        for number in range(400):
            writer = ana.again() if number % 100 == 0 else ana
            writer.do("message.post", thread="t", message=str(number), text="x" * 60_000)
            if number % 20 == 0 and b'byes_total{code="slow"}' in ana.get("/metrics").body:
                break
        assert b'byes_total{code="slow"}' in ana.get("/metrics").body
        with pytest.raises(ConnectionClosed):
            while True:
                slow.next()
    assert at < len(slow.events) < len(ana.events())
    last = slow.events[-1]

    with ana.stream(last["seq"], last["chain"]) as stream:
        stream.until("up_to_date", 30)

    assert chained(slow.events + stream.events) == ana.events()[-1]["chain"]


def test_who_asks_for_signs_of_life_without_reading_them_is_cut_off(ana: Person) -> None:
    with socket.create_connection(("127.0.0.1", int(ana.base.rpartition(":")[2])), timeout=30) as line:
        line.sendall(
            f"GET /v1/spaces/{ana.space}/stream?after=0&chain= HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: flowide.1\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {ana.token}\r\n\r\n".encode()
        )
        pings = (b"\x89\xfd" + b"\0\0\0\0" + b"x" * 125) * 1000

        with pytest.raises(OSError):
            for _ in range(400):
                line.sendall(pings)

    assert ana.get("/healthz").status == 200


def test_a_long_answer_over_the_line_is_refused_and_the_line_stays(ana: Person) -> None:
    digest = ana.put_blob(bytes(range(256)) * 8192)
    id = ana.do("artifact.create", path="big.bin", blob=digest)["artifact"]

    with ana.stream() as stream:
        result = stream.ask("Content", artifact=id)

        assert result["err"]["code"] == "too_large"
        assert stream.ask("FindArtifact", ref=id)["ok"]["id"] == id


def test_after_a_change_the_commands_answer_comes_before_or_with_its_event(ana: Person) -> None:
    with ana.stream() as stream:
        stream.until("up_to_date")
        started = time.monotonic()
        stream.post(command("artifact.create", path="a.md", text=""))
        stream.event("artifact.created")

    assert time.monotonic() - started < 5
