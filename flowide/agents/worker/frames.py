"""What goes through the socket between FlowIDE and its model worker: a length of four bytes, then JSON."""

from __future__ import annotations

import asyncio
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from flowide.agents.api import Message, Tool, ToolCall, Usage

T = TypeVar("T")

LARGEST = 256 * 1024 * 1024
"""Bytes of a frame; a longer one means that the stream is out of step."""
TEXT_CHARS = 32 * 1024
"""The most text that one frame carries."""


class Call(Struct, frozen=True, tag="call", kw_only=True):
    """Make one attempt."""

    id: int
    model: str
    messages: list[Message]
    api_base: str | None = None
    api_key: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    json_schema: dict[str, Any] | None = None
    tools: list[Tool] = []
    silence_s: float = 60.0
    """Seconds without a byte after which the attempt has failed."""
    connect_s: float = 10.0
    price_in: float | None = None
    """US dollars per million tokens."""
    price_out: float | None = None
    without: list[str] = []
    """Parameters that the provider has refused."""


class Cancel(Struct, frozen=True, tag="cancel"):
    """Stop an attempt; answered by `Cancelled`."""

    id: int


ToWorker = Call | Cancel


class Ready(Struct, frozen=True, tag="ready"):
    """litellm is loaded."""

    litellm: str


class Text(Struct, frozen=True, tag="text"):
    """The next part of the answer."""

    id: int
    text: str


class Thought(Struct, frozen=True, tag="thought"):
    """The next part of the reasoning."""

    id: int
    text: str


class Done(Struct, frozen=True, tag="done"):
    """The provider said that the answer is complete, and it is usable."""

    id: int
    model: str
    usage: Usage
    json_text: str | None = None
    """The JSON in the answer, when a schema was given."""
    tool_calls: list[ToolCall] = []
    """What the model asks for, when tools were offered."""


FaultKind = Literal["auth", "bad_request", "unavailable", "silent", "incomplete", "rejected", "unsupported"]


class Fault(Struct, frozen=True, kw_only=True):
    """Why an attempt failed."""

    kind: FaultKind
    message: str
    retry: bool = False
    """Another attempt may do better."""
    status: int | None = None
    """HTTP status of the provider."""
    retry_after_s: float | None = None
    parameter: str = ""
    """What the provider refuses, with `unsupported`."""
    reask: str = ""
    """What to tell the model about its last answer."""


class Failed(Struct, frozen=True, tag="failed"):
    """The attempt failed."""

    id: int
    fault: Fault
    usage: Usage | None = None
    """What it used all the same; None = nothing was answered, or nobody knows."""


class Cancelled(Struct, frozen=True, tag="cancelled"):
    """The attempt was stopped and its connection closed."""

    id: int


FromWorker = Ready | Text | Thought | Done | Failed | Cancelled


def pack(frame: ToWorker | FromWorker) -> bytes:
    """A frame as bytes."""
    body = msgspec.json.encode(frame)
    return len(body).to_bytes(4, "big") + body


async def receive(reader: asyncio.StreamReader, decoder: msgspec.json.Decoder[T]) -> T | None:
    """The next frame; None at the end of the stream.

    Raises:
        ValueError: What came is no frame.
    """
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > LARGEST:
            raise ValueError(f"a frame of {size} bytes")
        return decoder.decode(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def valid_unicode(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 can carry, replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
