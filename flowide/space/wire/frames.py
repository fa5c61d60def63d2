"""The frames of the stream, in both directions; each has its `type`. Docs: docs/protocol.md, "Stream"."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from flowide.domain.events import Event
from flowide.space.wire.calls import Call, Result

SUBPROTOCOL = "flowide.1"
MAX_FRAME = 1024 * 1024
"""Bytes of one frame."""
EVENTS_A_FRAME = 256


class Hello(Struct, frozen=True, tag="hello"):
    """The first frame of the hub."""

    head: int
    ttl_ms: int
    limits: dict[str, int]
    hub: str
    """Id of the space as this hub keeps it: another one is another log, even under the same name."""


class Ev(Struct, frozen=True, tag="ev"):
    """The next events, at most `EVENTS_A_FRAME`."""

    e: list[Event]


class UpToDate(Struct, frozen=True, tag="up_to_date"):
    """All events up to here have been sent."""

    seq: int


class DraftText(Struct, frozen=True, tag="draft"):
    """A part of a live draft, at a byte offset; what stood after it is gone when `cut`."""

    artifact: str
    fence: int
    off: int
    text: str
    cut: bool = False


class StepText(Struct, frozen=True, tag="step"):
    """A part of the answer that a step of a run is getting, at a byte offset."""

    run: str
    key: str
    off: int
    text: str


class DraftEnd(Struct, frozen=True, tag="draft_end"):
    """No more text comes under this fence."""

    artifact: str
    fence: int
    why: str


class Present(Struct, frozen=True, rename={"for_": "for"}):
    """One client that is connected."""

    actor: str
    kind: str
    client: str
    since: str
    """RFC 3339 UTC."""
    for_: str | None = None
    at: str | None = None
    """Path of the artifact this client looks at; None = not said."""
    at_thread: str | None = None
    """Id of the thread this client reads or writes in."""
    at_run: str | None = None
    """Id of the run this client follows."""


class Presence(Struct, frozen=True, tag="presence"):
    """All who are connected, or who came and went."""

    here: list[Present]


class Res(Struct, frozen=True, tag="res"):
    """Answers to commands and questions, in the order asked."""

    results: list[Result]
    head: int


class Ping(Struct, frozen=True, tag="ping"):
    """Alive? Answer with `pong` and the same `t`."""

    t: int


class Resync(Struct, frozen=True, tag="resync"):
    """Your cursor is not on this log: fetch the snapshot."""

    why: str


class Bye(Struct, frozen=True, tag="bye"):
    """The hub closes the stream."""

    code: str
    retry_ms: int | None
    """When to come back; None = do not."""
    message: str = ""
    """What was wrong, for people."""


FromHub = Hello | Ev | UpToDate | DraftText | StepText | DraftEnd | Presence | Res | Ping | Resync | Bye


class Cmds(Struct, frozen=True, tag="cmds", rename={"as_": "as"}):
    """Commands to carry out in order; the body of `POST …/commands` is the same without the type."""

    client: str
    cmds: list[Call]
    as_: dict[str, Any] | None = None
    """`{"id", "kind": "agent"}`: act as an agent of yours. None = as who the token belongs to."""
    deadline_ms: int | None = None
    """Milliseconds left; what has not begun by then is not carried out. None = no limit."""


class Ask(Struct, frozen=True, tag="ask"):
    """A question: `cmd` is its name in `QUERIES`."""

    call: Call


class Sub(Struct, frozen=True, tag="sub"):
    """Which live drafts (artifact ids) and steps (run ids) are wanted from now on; replaces what was."""

    drafts: list[str]
    runs: list[str] = []
    at: str | None = None
    """Path of the artifact being looked at, for presence."""
    at_thread: str | None = None
    """Id of the thread being read."""
    at_run: str | None = None
    """Id of the run being followed."""


class Pong(Struct, frozen=True, tag="pong"):
    t: int


FromClient = Cmds | Ask | Sub | Pong

_encoder = msgspec.json.Encoder()
_from_hub: msgspec.json.Decoder[FromHub] = msgspec.json.Decoder(FromHub)
_from_client: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)


def encode(frame: FromHub | FromClient) -> bytes:
    """A frame as UTF-8 JSON."""
    return _encoder.encode(frame)


def from_hub(data: bytes | str) -> FromHub:
    """A frame of the hub.

    Raises:
        msgspec.MsgspecError: It is none; of a newer hub, unknown types are skipped by the caller.
    """
    return _from_hub.decode(data)


def from_client(data: bytes | str) -> FromClient:
    """A frame of a client.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return _from_client.decode(data)
