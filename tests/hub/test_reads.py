"""Looking at a space over HTTP: reads, events, snapshot, contents."""

from __future__ import annotations

import gzip
import json
import threading
import time
from typing import Any

import pytest

from tests.hub.client import Person, chained

ADDRESSES = [
    "artifacts", "locks", "drafts", "threads", "variations", "runs", "gates", "decisions", "reviews", "members",
    "tokens", "search?q=one",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_list_says_at_which_place_of_the_log_it_is(ana: Person, doc: str, address: str) -> None:
    answer = ana.get(address).json

    assert answer["seq"] == len(ana.events())
    assert isinstance(answer["ok"], list)


def test_an_artifact_is_given_with_its_text_in_any_version(ana: Person, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    ana.do("artifact.save", artifact=doc, fence=fence, base=1, text="two\n")

    newest = ana.get(f"artifacts/{doc}").json["ok"]
    first = ana.get(f"artifacts/{doc}?version=1").json["ok"]

    assert (newest["version"], newest["text"], newest["path"]) == (2, "two\n", "doc.md")
    assert (first["version"], first["text"], first["head"]) == (1, "one\n", 2)
    assert ana.get(f"artifacts/{doc}?version=3").code == "not_found"


def test_the_history_names_who_made_what(ana: Person, doc: str) -> None:
    [version] = ana.get(f"artifacts/{doc}/history").json["ok"]

    assert (version["version"], version["actor"]) == (1, "ana")


def test_a_lock_is_told_with_holder_and_queue(ana: Person, joined: Any, doc: str) -> None:
    ana.do("lock.acquire", artifact=doc, purpose="edit")
    joined("rod").do("lock.acquire", artifact=doc, wait=True)

    [lock] = ana.get("locks").json["ok"]

    assert (lock["path"], lock["state"], lock["holder"], lock["purpose"]) == ("doc.md", "held", "ana", "edit")
    assert [waiting["actor"] for waiting in lock["queue"]] == ["rod"]


@pytest.mark.parametrize(
    "address",
    [
        "artifacts/none", "artifacts/none/history?x=1", "drafts/none", "threads/none", "variations/none", "runs/none",
        "blobs/" + "0" * 64, "blobs/none", "nothing", "artifacts/..%2f..%2fetc%2fpasswd", "artifacts/%00",
        "blobs/..%2f..%2fetc%2fpasswd",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(ana: Person, address: str) -> None:
    answer = ana.get(address)

    if address.startswith("artifacts/none/history"):
        assert answer.json["ok"] == []
    else:
        assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "address", ["events?after=x", "events?after=-1", "events?limit=1.5", "search", "artifacts/x?version=a"]
)
def test_a_wrong_question_is_refused(ana: Person, doc: str, address: str) -> None:
    answer = ana.get(address.replace("/x", f"/{doc}"))

    assert (answer.status, answer.code) == (400, "bad_args")


def test_events_come_in_pages(ana: Person, doc: str) -> None:
    page = ana.get("events?after=1&limit=2").json

    assert [event["seq"] for event in page["events"]] == [2, 3]
    assert page["head"] == len(ana.events())


def test_a_long_poll_is_answered_when_something_happens(ana: Person) -> None:
    head = len(ana.events())
    timer = threading.Timer(0.3, ana.again().do, ["artifact.create"], {"path": "a.md", "text": ""})
    timer.start()

    page = ana.get(f"events?after={head}&wait=20").json
    timer.join()

    assert page["events"][0]["seq"] == head + 1


def test_a_long_poll_ends_without_news_too(ana: Person) -> None:
    started = time.monotonic()

    page = ana.get(f"events?after={len(ana.events())}&wait=1").json

    assert page["events"] == []
    assert time.monotonic() - started >= 0.9


def test_the_snapshot_is_the_log_and_the_tables_of_one_moment(ana: Person, doc: str) -> None:
    lines = [json.loads(line) for line in ana.get("snapshot").body.splitlines()]

    head, *rest, end = lines
    events = [{**line["body"], "chain": line["chain"]} for line in rest if "body" in line]
    tables = {line["table"]: line for line in rest if "table" in line}
    assert chained(events) == head["chain"]
    assert head["seq"] == len(events)
    assert end == {"end": True}
    assert doc in tables["artifacts"]["rows"][0]


def test_a_snapshot_is_packed_for_who_can_unpack(ana: Person, doc: str) -> None:
    packed = ana.get("snapshot", Accept_Encoding="gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == ana.get("snapshot").body


def test_a_snapshot_that_nobody_takes_to_its_end_harms_nobody(ana: Person) -> None:
    import http.client
    from urllib.parse import urlsplit

    ana.do("thread.open", thread="t", title="x")
    for number in range(60):
        ana.do("message.post", thread="t", message=str(number), text="x" * 60_000)
    where = urlsplit(ana.base)
    for _ in range(20):
        line = http.client.HTTPConnection(where.hostname or "", where.port)
        line.request(
            "GET", f"/v1/spaces/{ana.space}/snapshot", headers={"Authorization": f"Bearer {ana.token}"}
        )
        line.getresponse().read(1000)
        line.close()

    assert ana.do("artifact.create", path="a.md", text="")["version"] == 1
    assert ana.get("snapshot").body.endswith(b'{"end":true}\n')


# --- contents ---------------------------------------------------------------------------------------


def test_a_blob_is_put_first_and_named_then(ana: Person) -> None:
    digest = ana.put_blob(b"\x00\xffbinary")
    id = ana.do("artifact.create", path="a.bin", blob=digest)["artifact"]

    assert ana.get(f"blobs/{digest}").body == b"\x00\xffbinary"
    assert ana.get(f"artifacts/{id}").json["ok"]["text"] is None


@pytest.mark.parametrize(
    ("asked", "status", "got"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=-100", 206, b"0123456789"),
        ("bytes=10-", 416, b""),
        ("bytes=5-2", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=a-b", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
    ],
)
def test_a_part_of_a_blob_can_be_asked_for(ana: Person, asked: str, status: int, got: bytes) -> None:
    digest = ana.put_blob(b"0123456789")

    answer = ana.get(f"blobs/{digest}", Range=asked)

    assert (answer.status, answer.body) == (status, got)


def test_a_blob_goes_packed_both_ways(ana: Person) -> None:
    from hashlib import sha256

    data = b"the same again " * 1000
    digest = sha256(data).hexdigest()

    put = ana.http("PUT", f"blobs/{digest}", gzip.compress(data), headers={"Content-Encoding": "gzip"})
    got = ana.get(f"blobs/{digest}", Accept_Encoding="gzip")

    assert put.status == 201
    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == data
    assert ana.get(f"blobs/{digest}").body == data


def test_a_blob_that_a_client_has_is_not_sent_again(ana: Person) -> None:
    digest = ana.put_blob(b"x" * 5000)

    answer = ana.get(f"blobs/{digest}", If_None_Match=f'"{digest}"')

    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"other bytes", {}, 409),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"x" * 10_000)[:-20], {"Content-Encoding": "gzip"}, 400),
        (b"x", {"Content-Encoding": "br"}, 400),
        (gzip.compress(b"\0" * (17 * 1024 * 1024)), {"Content-Encoding": "gzip"}, 413),
        (b"x" * (16 * 1024 * 1024 + 1), {}, 413),
    ],
    ids=["other", "no gzip", "cut", "unknown", "bomb", "large"],
)
def test_what_is_not_what_it_says_is_not_stored(
    ana: Person, data: bytes, headers: dict[str, str], status: int
) -> None:
    answer = ana.http("PUT", f"blobs/{'0' * 64}", data, headers=headers)

    assert answer.status == status
    assert ana.get(f"blobs/{'0' * 64}").status == 404
