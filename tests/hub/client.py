"""A client of a hub that knows nothing but the protocol: JSON over HTTP and a WebSocket, none of FlowIDE's code."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import time
import uuid
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

GENESIS = "00" * 32
_addresses = itertools.count(2)


def uuid7() -> str:
    """A UUIDv7 (RFC 9562)."""
    bits = (time.time_ns() // 1_000_000) << 80 | 0x7 << 76 | int.from_bytes(os.urandom(2), "big") >> 4 << 64
    return str(uuid.UUID(int=bits | 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2))


def own_address() -> str:
    """A loopback address that nobody has used yet: failed tries are counted by address."""
    number = next(_addresses) + os.getpid() % 200 * 300
    return f"127.1.{number // 250 % 250 + 1}.{number % 250 + 1}"


class Answer:
    """A status, headers in lower case, and a body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """Of the refusal."""
        err = self.json.get("err")
        return None if err is None else str(err["code"])


class Person:
    """Somebody with a token of a space; `client` is their process."""

    def __init__(self, base: str, space: str, token: str | None, *, address: str = "127.0.0.1") -> None:
        self.base = base
        self.space = space
        self.token = token
        self.address = address
        self.client = str(uuid.uuid4())

    def again(self) -> Person:
        """The same person with another process."""
        return Person(self.base, self.space, self.token, address=self.address)

    # --- HTTP -----------------------------------------------------------------------------------------

    def http(
        self, method: str, path: str, body: bytes | Any = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request; a body that is not bytes goes as JSON. A path without / is one of the space."""
        where = urlsplit(self.base)
        line = http.client.HTTPConnection(
            where.hostname or "", where.port, timeout=20, source_address=(self.address, 0)
        )
        with contextlib.closing(line):
            sent = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            target = path if path.startswith("/") else f"/v1/spaces/{self.space}/{path}"
            line.request(method, target, data, {**sent, **(headers or {})})
            answer = line.getresponse()
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            )

    def get(self, path: str, **headers: str) -> Answer:
        return self.http(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def post(self, *cmds: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        """Results of commands sent over HTTP."""
        answer = self.http("POST", "commands", {"client": self.client, "cmds": list(cmds), **more})
        assert answer.status == 200, answer.body
        results: list[dict[str, Any]] = answer.json["results"]
        return results

    def do(self, cmd: str, **args: Any) -> dict[str, Any]:
        """The `ok` of a command that has to succeed."""
        [result] = self.post(command(cmd, **args))
        assert "err" not in result, result
        ok: dict[str, Any] = result["ok"]
        return ok

    def refused(self, cmd: str, **args: Any) -> dict[str, Any]:
        """The `err` of a command that has to be refused."""
        [result] = self.post(command(cmd, **args))
        err: dict[str, Any] = result["err"]
        return err

    def put_blob(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        assert self.http("PUT", f"blobs/{digest}", data).status == 201
        return digest

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """All events of the log."""
        found: list[dict[str, Any]] = []
        while page := self.get(f"events?after={after}&limit=1000").json["events"]:
            found += page
            after = page[-1]["seq"]
        return found

    # --- the stream -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def stream(
        self, after: int = 0, chain: str = GENESIS, *, subprotocol: str | None = "flowide.1", **more: Any
    ) -> Iterator[Stream]:
        """A WebSocket from a cursor on."""
        url = f"{self.base.replace('http', 'ws')}/v1/spaces/{self.space}/stream?after={after}&chain={chain}"
        with connect(
            url,
            subprotocols=[subprotocol] if subprotocol else None,  # type: ignore[list-item] # any text
            additional_headers={"Authorization": f"Bearer {self.token}", **more.pop("headers", {})},
            source_address=(self.address, 0),
            compression=None,
            proxy=None,
            max_size=32 * 1024 * 1024,
            ping_interval=None,
            open_timeout=30,
            close_timeout=2,
            **more,
        ) as line:
            yield Stream(self, line)


class Stream:
    """What comes over the WebSocket, kept until it is asked for."""

    def __init__(self, person: Person, line: ClientConnection) -> None:
        self.person = person
        self.line = line
        self.events: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        """All frames so far."""

    def next(self, timeout_s: float = 10) -> dict[str, Any]:
        """The next frame; pings are answered."""
        frame: dict[str, Any] = json.loads(self.line.recv(timeout=timeout_s))
        self.seen.append(frame)
        if frame["type"] == "ev":
            self.events += frame["e"]
        if frame["type"] == "ping":
            self.send({"type": "pong", "t": frame["t"]})
        return frame

    def until(self, kind: str, timeout_s: float = 10) -> dict[str, Any]:
        """The next frame of this type."""
        deadline = time.monotonic() + timeout_s
        while True:
            frame = self.next(max(0.01, deadline - time.monotonic()))
            if frame["type"] == kind:
                return frame

    def event(self, kind: str, timeout_s: float = 10) -> dict[str, Any]:
        """The first event of this type, which may have come already."""
        deadline = time.monotonic() + timeout_s
        while True:
            for event in self.events:
                if event["type"] == kind:
                    return event
            self.next(max(0.01, deadline - time.monotonic()))

    def send(self, frame: Any) -> None:
        self.line.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def post(self, *cmds: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        """Results of commands."""
        self.send({"type": "cmds", "client": self.person.client, "cmds": list(cmds), **more})
        results: list[dict[str, Any]] = self.until("res")["results"]
        return results

    def ask(self, question: str, **args: Any) -> dict[str, Any]:
        """The result of a question."""
        self.send({"type": "ask", "call": {"id": "q", "cmd": question, "args": args}})
        result: dict[str, Any] = self.until("res")["results"][0]
        return result


def command(cmd: str, id: str | None = None, **args: Any) -> dict[str, Any]:
    """A command with an id of its own; `for_` is sent as `for`."""
    return {
        "id": id or uuid7(),
        "cmd": cmd,
        "args": {name.removesuffix("_"): value for name, value in args.items()},
    }


def chained(events: list[dict[str, Any]], chain: str = GENESIS) -> str:
    """The chain value after these events, each checked."""
    for event in events:
        body = {name: value for name, value in event.items() if name != "chain"}
        data = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        chain = sha256(bytes.fromhex(chain) + data).hexdigest()
        assert event["chain"] == chain, event
    return chain
