"""Who may speak to a hub, and what hostile requests get."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

import pytest

from tests.hub.client import Person, own_address
from tests.hub.conftest import RunningHub


@pytest.fixture(scope="module")
def ana(hub: RunningHub) -> Person:
    """The owner of a space that all these tests share: nothing of what they send changes it."""
    return hub.person("guarded", "ana")


def raw(hub: RunningHub, data: bytes) -> bytes:
    """The first bytes that come back for these."""
    where = urlsplit(hub.base)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as line:
        with contextlib.suppress(OSError):  # the hub may hang up in the middle of what it refuses
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(65536):
                got += part
        return got


def test_health_needs_no_token(hub: RunningHub) -> None:
    answer = Person(hub.base, "", None).get("/healthz")

    assert answer.status == 200
    assert answer.json["ok"] is True


def test_metrics_are_what_prometheus_reads_and_name_nobody(hub: RunningHub, ana: Person, doc: str) -> None:
    text = ana.get("/metrics").body.decode()

    assert "# TYPE flowide_hub_commands_total counter" in text
    assert 'flowide_hub_command_seconds_bucket{le="+Inf"}' in text
    assert ana.space not in text and "ana" not in text.split("version", maxsplit=1)[0]
    for line in text.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1"])
@pytest.mark.parametrize("path", ["/healthz", "/v1/me", "artifacts"])
def test_web_pages_are_refused(ana: Person, origin: str, path: str) -> None:
    answer = ana.get(path, Origin=origin)

    assert (answer.status, answer.code) == (403, "role")


def test_web_pages_get_no_stream(ana: Person) -> None:
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as refused, ana.stream(headers={"Origin": "http://evil.example"}):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]"])
def test_a_name_that_is_not_the_hubs_is_refused(ana: Person, host: str) -> None:
    answer = ana.get("/healthz", Host=host)

    assert answer.status in {400, 403}


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:80", "[::1]:7"])
def test_the_names_of_this_machine_are_the_hubs(ana: Person, host: str) -> None:
    assert ana.get("/healthz", Host=host).status == 200


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer " + "x" * 5000, "Bearer \x80", "x"],
)
def test_without_a_token_of_the_space_nothing_is_told(
    hub: RunningHub, ana: Person, header: str | None
) -> None:
    nobody = Person(hub.base, ana.space, None, address=own_address())

    answer = nobody.get("artifacts", **({} if header is None else {"Authorization": header}))

    assert (answer.status, answer.code) == (401, "auth")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_is_worth_nothing(hub: RunningHub, ana: Person) -> None:
    nobody = Person(hub.base, ana.space, None, address=own_address())

    assert nobody.get(f"artifacts?token={ana.token}&access_token={ana.token}").status == 401


def test_who_guesses_is_told_to_wait_and_others_are_not(hub: RunningHub, ana: Person) -> None:
    guesser = Person(hub.base, ana.space, "flw_guess", address=own_address())

    answers = [guesser.get("artifacts") for _ in range(12)]

    assert [answer.status for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "60"
    assert ana.get("artifacts").status == 200


def test_wrong_codes_count_as_guesses(hub: RunningHub) -> None:
    guesser = Person(hub.base, "none", None, address=own_address())

    statuses = [
        guesser.http("POST", "/v1/join", {"code": f"{n}", "handle": "eve", "device": "x"}).status
        for n in range(12)
    ]

    assert statuses == [403] * 10 + [429] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"client":"c","cmds":[{}]}',
        b'{"client":"c","cmds":{}}',
        b'{"cmds":[]}',
        b'{"client":"c","cmds":[{"id":"1","cmd":"x","args":[]}]}',
        b"[" * 200_000,
        b'{"client":"c","cmds":' + b"[" * 200_000,
        b'{"client":"\\ud800","cmds":[]}',
        b'{"client":"c","cmds":[{"id":"1","cmd":"lock.cancel","args":{"ticket":NaN}}]}',
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_body_that_is_none_gets_one_clear_refusal(ana: Person, body: bytes) -> None:
    answer = ana.http("POST", "commands", body)

    assert (answer.status, answer.code) == (400, "bad_args")
    assert "Traceback" not in answer.body.decode()


def test_a_body_above_the_bound_is_refused(ana: Person) -> None:
    answer = ana.http("POST", "commands", b'{"client":"' + b"x" * (1024 * 1024) + b'","cmds":[]}')

    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST /v1/join HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/join HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
        b"GET /v1/spaces/%ff%fe/artifacts HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"",
    ],
    ids=lambda data: repr(data)[:40],
)
def test_what_is_no_request_is_refused_and_the_hub_goes_on(hub: RunningHub, ana: Person, data: bytes) -> None:
    got = raw(hub, data)

    assert got == b"" or got.split(b" ", 2)[1][:1] == b"4"
    assert ana.get("/healthz").status == 200


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"])
def test_other_methods_are_refused(ana: Person, method: str) -> None:
    assert ana.http(method, "artifacts").status in {400, 405}


def test_nothing_of_all_this_was_a_fault(hub: RunningHub, ana: Person) -> None:
    """What nobody foresaw is counted."""
    faults = [line for line in ana.get("/metrics").body.decode().splitlines() if "faults_total " in line]

    assert faults[-1].endswith(" 0"), hub.log.read_text()[-2000:]
    assert "Traceback" not in hub.log.read_text()


def test_every_line_of_the_log_is_a_json_object(hub: RunningHub, ana: Person) -> None:
    import json

    lines = hub.log.read_text().splitlines()

    assert all({"ts", "level", "event"} <= set(json.loads(line)) for line in lines)
    assert any(json.loads(line)["event"] == "hub.started" for line in lines)
