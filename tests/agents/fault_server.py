"""A model server on loopback that speaks the OpenAI dialect and misbehaves on demand.

The name of the model says how each request for it is answered: `ok` always answers, `500+500+ok` fails twice first,
the last one goes on for ever. `what~anything` is `what` with a count of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

WORDS = ["Locks ", "are ", "held ", "by ", "one ", "at ", "a ", "time."]
TEXT = "".join(WORDS)
THOUGHT = "What would Edwin say?"
HUGE = "0123456789abcdef" * 131_072
"""Two mebibytes in one event."""
CONTROLS = "\x1b]0;owned\x07\x1b[2Jred\x1b[31m \u202etxt.exe\x9b5n \x00end"
USAGE = {"prompt_tokens": 11, "completion_tokens": 8, "total_tokens": 19}


class Happened(asyncio.Event):
    """An event that other threads can wait for as well."""

    def __init__(self) -> None:
        super().__init__()
        self._elsewhere: threading.Event = threading.Event()

    def set(self) -> None:
        super().set()
        self._elsewhere.set()

    def wait_here(self, timeout_s: float) -> bool:
        """Wait in a thread without the event loop; whether it happened."""
        return self._elsewhere.wait(timeout_s)


class FaultServer:
    """Serves inside the running event loop, as an async context manager."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        """Bodies of the requests, each with its `authorization`."""
        self.disconnected = Happened()
        """Somebody hung up on an answer that was not complete."""
        self.answering = Happened()
        """A request has been read, and what comes before its fault has been sent."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.gate = asyncio.Event()
        """Answers of the model `gated` wait for this."""
        self.numbers = itertools.count(1)
        """What the model `author` writes next."""
        self._counts: Counter[str] = Counter()
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> FaultServer:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    def asked(self, model: str) -> list[dict[str, Any]]:
        """The requests for a model."""
        return [request for request in self.requests if request["model"] == model]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, Answer(self, writer))
        except asyncio.CancelledError:
            pass  # the server closes
        finally:
            self.in_flight -= 1
            self._handlers.discard(handler)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, answer: Answer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.requests.append({**body, "authorization": headers.get("authorization", "")})
        name = body["model"]
        plan = name.partition("~")[0].split("+")
        kind = plan[min(self._counts[name], len(plan) - 1)]
        self._counts[name] += 1
        answer.body = body
        answering = asyncio.ensure_future(BEHAVIOURS[kind](answer))
        hung_up = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done() and not isinstance(answering.exception(), ConnectionError):
                answering.result()
            else:
                self.disconnected.set()
        finally:
            for task in (answering, hung_up):
                task.cancel()
            await asyncio.gather(answering, hung_up, return_exceptions=True)


class Answer:
    """One answer, as it is written."""

    def __init__(self, server: FaultServer, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.body: dict[str, Any] = {}
        self._writer = writer

    async def status(self, code: int, body: Any, **headers: str) -> None:
        """A whole answer that is no stream."""
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, str) else "application/json"
        lines = [
            f"HTTP/1.1 {code} X",
            f"content-type: {kind}",
            f"content-length: {len(data)}",
            "connection: close",
        ]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    async def begin(self) -> None:
        """The head of a stream."""
        await self.raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
            b"connection: close\r\n\r\n"
        )

    async def data(self, data: bytes) -> None:
        """Bytes of the stream."""
        await self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def event(self, value: Any) -> None:
        """One event."""
        text = value if isinstance(value, str) else json.dumps(value)
        await self.data(f"data: {text}\n\n".encode())

    async def delta(self, finish: str | None = None, **delta: Any) -> None:
        """An event with the next part of the message."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        await self.event({**self._envelope(), "choices": [choice]})

    async def words(self, words: list[str] = WORDS) -> None:
        """The text, a word at a time."""
        for word in words:
            await self.delta(content=word)

    async def finish(self, reason: str = "stop", usage: dict[str, Any] | None = USAGE) -> None:
        """The regular end."""
        await self.delta(finish=reason)
        if usage is not None:
            await self.event({**self._envelope(), "choices": [], "usage": usage})
        await self.event("[DONE]")
        await self.end()

    async def end(self) -> None:
        """The end of the stream as HTTP sees it."""
        await self.raw(b"0\r\n\r\n")

    async def stand_still(self) -> None:
        """Say nothing more until the other end hangs up."""
        self.server.answering.set()
        await asyncio.Event().wait()

    def reset(self) -> None:
        """Close with RST, as a crashing server or a middlebox does."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def _envelope(self) -> dict[str, Any]:
        return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "served-model"}


Behaviour = Callable[[Answer], Coroutine[Any, Any, None]]
BEHAVIOURS: dict[str, Behaviour] = {}


def _behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    def note(function: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = function
        return function

    return note


def _error(code: int, message: str, kind: str = "error", **headers: str) -> None:
    async def answer(self: Answer) -> None:
        said = message.replace("{key}", self.server.requests[-1]["authorization"])
        await self.status(code, {"error": {"message": said, "type": kind, "code": kind}}, **headers)

    name = str(code) + ("-after" if headers else "")
    BEHAVIOURS.setdefault(name, answer)


_error(401, "Incorrect API key provided: {key}", "invalid_api_key")
_error(403, "You may not use this model", "permission_denied")
_error(404, "The model `404` does not exist", "model_not_found")
_error(402, "Pay first", "payment_required")
_error(429, "Slow down", "rate_limit_exceeded")
_error(429, "Slow down", "rate_limit_exceeded", retry_after_ms="30")
_error(502, "Upstream gone", "bad_gateway")
_error(500, "Our \x1b[31mbug\x1b[0m at key {key}", "server_error")
_error(503, "Overloaded", "overloaded")


@_behaviour("429-hour")
async def _429_hour(answer: Answer) -> None:
    await answer.status(429, {"error": {"message": "Come back later", "code": "rate"}}, retry_after="3600")


@_behaviour("too-long")
async def _too_long(answer: Answer) -> None:
    message = (
        "This model's maximum context length is 8 tokens. However, your messages resulted in 900 tokens."
    )
    await answer.status(
        400, {"error": {"message": message, "type": "x", "code": "context_length_exceeded", "param": None}}
    )


@_behaviour("refuses-temperature")
async def _refuses_temperature(answer: Answer) -> None:
    if "temperature" not in answer.body:
        await _ok(answer)
        return
    message = "Unsupported value: 'temperature' does not support 0.7 with this model."
    await answer.status(
        400, {"error": {"message": message, "param": "temperature", "code": "unsupported_value"}}
    )


@_behaviour("html")
async def _html(answer: Answer) -> None:
    await answer.status(502, "<!DOCTYPE html><html><body>Bad gateway</body></html>")


@_behaviour("html-200")
async def _html_200(answer: Answer) -> None:
    """A captive portal, or a proxy's own page."""
    await answer.status(200, "<!DOCTYPE html><html><body>Please log in</body></html>")


@_behaviour("error-200")
async def _error_200(answer: Answer) -> None:
    await answer.status(200, {"error": {"message": "The engine is out of memory", "code": 500}})


@_behaviour("json-200")
async def _json_200(answer: Answer) -> None:
    """A whole answer where a stream was asked for."""
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    await answer.status(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "served-model",
                              "choices": [choice], "usage": USAGE})  # fmt: skip


@_behaviour("ok")
async def _ok(answer: Answer) -> None:
    if not answer.body.get("stream"):
        await _json_200(answer)
        return
    await answer.begin()
    await answer.words()
    await answer.finish()


@_behaviour("gpt-4o-mini")
async def _listed(answer: Answer) -> None:
    """A name that has a price."""
    await _ok(answer)


@_behaviour("gated")
async def _gated(answer: Answer) -> None:
    await answer.server.gate.wait()
    await _ok(answer)


@_behaviour("echo")
async def _echo(answer: Answer) -> None:
    await answer.begin()
    await answer.words([answer.body["messages"][-1]["content"]])
    await answer.finish()


@_behaviour("no-usage")
async def _no_usage(answer: Answer) -> None:
    await answer.begin()
    await answer.words()
    await answer.finish(usage=None)


@_behaviour("author")
async def _author(answer: Answer) -> None:
    """A good colleague: another module each time it is asked for one, verdicts and picks as JSON."""
    prompt = answer.body["messages"][-1]["content"]
    await asyncio.sleep(0.1)
    await answer.begin()
    if '"verdicts"' in prompt:
        shown = re.findall(r"^Variation (\d+)", prompt, re.M)
        said = [{"variation": int(each), "score": 5, "strengths": [f"good in {each}"]} for each in shown]
        await answer.words([json.dumps({"verdicts": said})])
    elif '"takes"' in prompt:
        await answer.words([json.dumps({"base": 1, "takes": [{"variation": 2, "piece": "helper"}]})])
    else:
        number = next(answer.server.numbers)
        code = f"def main():\n    return helper() + {number}\n\n\ndef helper():\n    return {number * 100}\n"
        await answer.words([f"Number {number}.\n\n```python\n", code, "```\n"])
    await answer.finish()


@_behaviour("reasoning")
async def _reasoning(answer: Answer) -> None:
    await answer.begin()
    await answer.delta(reasoning_content=THOUGHT)
    await answer.words()
    await answer.finish()


@_behaviour("think")
async def _think(answer: Answer) -> None:
    await answer.begin()
    await answer.words(["<thi", "nk>", THOUGHT, "</thi", "nk>\n\n", *WORDS])
    await answer.finish()


@_behaviour("json")
async def _json(answer: Answer) -> None:
    await answer.begin()
    await answer.words(["Here it is:\n```json\n", '{"pick": ', "4}", "\n```\n"])
    await answer.finish()


@_behaviour("stall")
async def _stall(answer: Answer) -> None:
    await answer.stand_still()


@_behaviour("stall-stream")
async def _stall_stream(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.stand_still()


@_behaviour("drip")
async def _drip(answer: Answer) -> None:
    """Always something, never the end."""
    await answer.begin()
    while True:
        await answer.delta(content="drip ")
        answer.server.answering.set()
        await asyncio.sleep(0.02)


@_behaviour("slow")
async def _slow(answer: Answer) -> None:
    """A letter at a time, in events that arrive in pieces."""
    await answer.begin()
    for letter in TEXT:
        event = json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": letter}}]})
        half = len(event) // 2
        await answer.data(b": ping\n\ndata: " + event[:half].encode())
        await asyncio.sleep(0.002)
        await answer.data(event[half:].encode() + b"\n\n")
    await answer.finish()


@_behaviour("reset")
async def _reset(answer: Answer) -> None:
    answer.reset()


@_behaviour("reset-stream")
async def _reset_stream(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await asyncio.sleep(0.05)  # a reset overtakes what the other end has not read
    answer.reset()


@_behaviour("cut")
async def _cut(answer: Answer) -> None:
    """Closed regularly, in the middle of the HTTP body."""
    await answer.begin()
    await answer.words(WORDS[:3])


@_behaviour("truncated")
async def _truncated(answer: Answer) -> None:
    """Good HTTP, but the model never said that it was done."""
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.end()


@_behaviour("truncated-done")
async def _truncated_done(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.event("[DONE]")
    await answer.end()


@_behaviour("length")
async def _length(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.finish("length")


@_behaviour("filter")
async def _filter(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.finish("content_filter")


@_behaviour("empty")
async def _empty(answer: Answer) -> None:
    await answer.begin()
    await answer.finish()


@_behaviour("blank")
async def _blank(answer: Answer) -> None:
    await answer.begin()
    await answer.words([" \n", "\n"])
    await answer.finish()


@_behaviour("nothing")
async def _nothing(answer: Answer) -> None:
    await answer.begin()
    await answer.end()


@_behaviour("malformed")
async def _malformed(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.event('{"id": "c1", "choices": [{"index": 0, "del')
    await answer.finish()


@_behaviour("error-event")
async def _error_event(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:3])
    await answer.event(
        {"error": {"message": "The engine is out of memory", "type": "server_error", "code": 500}}
    )
    await answer.end()


@_behaviour("invalid-utf8")
async def _invalid_utf8(answer: Answer) -> None:
    await answer.begin()
    await answer.data(
        b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"caf\xe9 "}}]}\n\n'
    )
    await answer.data(
        b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"\\ud800 ok"}}]}\n\n'
    )
    await answer.finish()


@_behaviour("controls")
async def _controls(answer: Answer) -> None:
    await answer.begin()
    await answer.words([CONTROLS])
    await answer.finish()


@_behaviour("huge")
async def _huge(answer: Answer) -> None:
    await answer.begin()
    await answer.words([HUGE])
    await answer.finish()


@_behaviour("endless")
async def _endless(answer: Answer) -> None:
    """As much as the other end takes."""
    await answer.begin()
    while True:
        await answer.words([HUGE])


@_behaviour("never-closes")
async def _never_closes(answer: Answer) -> None:
    """Complete, but the connection stays open."""
    await answer.begin()
    await answer.words()
    await answer.delta(finish="stop")
    await answer.event({"id": "c1", "model": "served-model", "choices": [], "usage": USAGE})
    await answer.event("[DONE]")
    await answer.stand_still()


@contextlib.contextmanager
def refused_url() -> Iterator[str]:
    """The address of a port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


@contextlib.contextmanager
def serving() -> Iterator[FaultServer]:
    """A server in a thread of its own, for tests without an event loop."""
    started: threading.Event = threading.Event()
    made: list[FaultServer] = []
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        async with FaultServer() as server:
            made.append(server)
            stop.append(lambda: loop.call_soon_threadsafe(done.set))
            started.set()
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(10)
    try:
        yield made[0]
    finally:
        stop[0]()
        thread.join(10)
