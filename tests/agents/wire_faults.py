"""More ways in which a model server on loopback misbehaves, below the dialect; see `fault_server`."""

from __future__ import annotations

import gzip
import json
from typing import Any

from tests.agents.fault_server import TEXT, WORDS, Answer, _behaviour

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"


def _event(content: str | None = None, finish: str | None = None) -> bytes:
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"


WHOLE = b"".join(_event(word) for word in WORDS) + _event(finish="stop") + b"data: [DONE]\n\n"


@_behaviour("length-more")
async def _length_more(answer: Answer) -> None:
    """Fewer bytes than were announced."""
    await answer.raw(HEAD + b"content-length: 99999\r\n\r\n" + WHOLE[: len(WHOLE) // 2])


@_behaviour("length-less")
async def _length_less(answer: Answer) -> None:
    """More bytes than were announced: what is beyond does not count."""
    await answer.raw(HEAD + b"content-length: 200\r\n\r\n" + WHOLE)


@_behaviour("length-no-number")
async def _length_no_number(answer: Answer) -> None:
    await answer.raw(HEAD + b"content-length: many\r\n\r\n" + WHOLE)


@_behaviour("gzip-garbage")
async def _gzip_garbage(answer: Answer) -> None:
    await answer.raw(HEAD + b"content-encoding: gzip\r\n\r\n" + WHOLE)


@_behaviour("gzip-cut")
async def _gzip_cut(answer: Answer) -> None:
    packed = gzip.compress(WHOLE)
    await answer.raw(HEAD + b"content-encoding: gzip\r\n\r\n" + packed[: len(packed) // 2])


@_behaviour("gzip")
async def _gzip(answer: Answer) -> None:
    await answer.raw(HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(WHOLE))


@_behaviour("bad-chunk")
async def _bad_chunk(answer: Answer) -> None:
    await answer.begin()
    await answer.words(WORDS[:2])
    await answer.raw(b"zz\r\nwhat\r\n")


@_behaviour("comments-only")
async def _comments_only(answer: Answer) -> None:
    await answer.raw(HEAD + b"\r\n" + b": ping\n\n" * 50)


@_behaviour("http10")
async def _http10(answer: Answer) -> None:
    """Ends with the connection, and says no length; the answer is whole."""
    await answer.raw(b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + WHOLE)


@_behaviour("http10-cut")
async def _http10_cut(answer: Answer) -> None:
    await answer.raw(b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + WHOLE[:300])


@_behaviour("crlf")
async def _crlf(answer: Answer) -> None:
    await answer.raw(HEAD + b"\r\n" + WHOLE.replace(b"\n", b"\r\n"))


@_behaviour("no-space")
async def _no_space(answer: Answer) -> None:
    """`data:` without a blank after it, which is allowed."""
    await answer.raw(HEAD + b"\r\n" + WHOLE.replace(b"data: ", b"data:"))


@_behaviour("no-choices")
async def _no_choices(answer: Answer) -> None:
    await answer.raw(HEAD + b'\r\ndata: {"id": "c", "model": "m", "choices": []}\n\ndata: [DONE]\n\n')


@_behaviour("choices-null")
async def _choices_null(answer: Answer) -> None:
    await answer.raw(HEAD + b'\r\ndata: {"id": "c", "model": "m", "choices": null}\n\ndata: [DONE]\n\n')


@_behaviour("two-choices")
async def _two_choices(answer: Answer) -> None:
    """A second choice is never mixed into the first."""
    other = {"index": 1, "delta": {"content": "SECOND"}, "finish_reason": None}
    event = b"data: " + json.dumps({"id": "c", "model": "m", "choices": [other]}).encode() + b"\n\n"
    await answer.raw(HEAD + b"\r\n" + WHOLE.replace(b"\n\n", b"\n\n" + event, 3))


def _choice(index: int, content: Any, finish: str | None = None) -> bytes:
    choice = {"index": index, "delta": {"content": content}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"


@_behaviour("parts")
async def _parts(answer: Answer) -> None:
    """The text in a list, as some servers send it; what was thought does not belong to it."""
    half = len(TEXT) // 2
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    events = [
        _choice(0, [thinking, {"type": "text", "text": TEXT[:half]}]),
        _choice(0, TEXT[half:-1]),
        _choice(0, [{"type": "text", "text": TEXT[-1:]}]),
        _choice(0, None, "stop"),
    ]
    await answer.raw(HEAD + b"\r\n" + b"".join(events) + b"data: [DONE]\n\n")


@_behaviour("parts-odd")
async def _parts_odd(answer: Answer) -> None:
    """Something that is no text, in the middle of it."""
    events = [_choice(0, "one "), _choice(0, [{"type": "of_tomorrow"}]), _choice(0, "two", "stop")]
    await answer.raw(HEAD + b"\r\n" + b"".join(events) + b"data: [DONE]\n\n")


@_behaviour("other-ends")
async def _other_ends(answer: Answer) -> None:
    """Only an answer beside the first comes to its end."""
    events = [_choice(0, "one "), _choice(1, "SECOND"), _choice(1, None, "stop")]
    await answer.raw(HEAD + b"\r\n" + b"".join(events))


@_behaviour("refusal")
async def _refusal(answer: Answer) -> None:
    choice = {"index": 0, "delta": {"refusal": "I will not."}, "finish_reason": None}
    event = b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"
    await answer.raw(HEAD + b"\r\n" + event + _event(finish="stop") + b"data: [DONE]\n\n")


@_behaviour("no-object")
async def _no_object(answer: Answer) -> None:
    await answer.raw(HEAD + b"\r\ndata: 17\n\ndata: null\n\ndata: [DONE]\n\n")


@_behaviour("deep")
async def _deep(answer: Answer) -> None:
    await answer.raw(HEAD + b"\r\ndata: " + b"[" * 200_000 + b"\n\n")


@_behaviour("redirects")
async def _redirects(answer: Answer) -> None:
    await answer.status(307, {}, location=answer.server.url + "/chat/completions")


@_behaviour("huge-head")
async def _huge_head(answer: Answer) -> None:
    await answer.raw(b"HTTP/1.1 200 OK\r\nx-much: " + b"x" * 5_000_000 + b"\r\n\r\n" + WHOLE)


@_behaviour("no-http")
async def _no_http(answer: Answer) -> None:
    await answer.raw(b"SSH-2.0-OpenSSH_9.6\r\n")


@_behaviour("closed")
async def _closed(answer: Answer) -> None:
    """The request is read, and the connection closed."""


@_behaviour("204")
async def _204(answer: Answer) -> None:
    await answer.raw(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
