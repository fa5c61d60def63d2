"""Looking at a space over HTTP: each address is a question of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from flowide.domain import rows
from flowide.domain.commands import MAX_INLINE
from flowide.errors import BadInput, NotFound
from flowide.hub.bodies import number
from flowide.hub.hub import Hub
from flowide.hub.keeper import Room
from flowide.hub.packing import packed
from flowide.hub.seats import Seat
from flowide.space import queries as q

Asked = Callable[[Request], q.Query[Any]]


class Read(msgspec.Struct, frozen=True):
    """An address below a space."""

    path: str
    about: str
    """One line for the OpenAPI document."""
    asks: Asked
    parameters: tuple[str, ...] = ()
    """Of the query string; with `!` at the end when one is needed."""


def _text(request: Request, name: str) -> str | None:
    return request.query_params.get(name)


def _needed(request: Request, name: str) -> str:
    text = request.query_params.get(name)
    if not text:
        raise BadInput(f"{name} is missing", hint=f"Add ?{name}=…")
    return text


def _id(request: Request) -> str:
    return str(request.path_params["id"])


READS: tuple[Read, ...] = (
    Read(
        "/artifacts",
        "All artifacts by path",
        lambda r: q.Artifacts(deleted=_text(r, "deleted") in {"1", "true"}),
        ("deleted",),
    ),
    Read("/artifacts/{id}/history", "Versions of an artifact, oldest first", lambda r: q.History(_id(r))),
    Read("/drafts", "Orphan drafts, newest first", lambda r: q.Drafts(_text(r, "artifact")), ("artifact",)),
    Read("/threads", "Threads", lambda r: q.Threads(_text(r, "about")), ("about",)),
    Read(
        "/threads/{id}",
        "A thread with its newest messages",
        lambda r: q.ThreadMessages(
            _id(r), number(r, "limit", 50, 1000), number(r, "before", 0, 2**53) or None
        ),
        ("limit", "before"),
    ),
    Read("/variations", "Sets of variations", lambda r: q.VariationSets()),
    Read("/variations/{id}", "A set with its variations and checks", lambda r: q.OneVariationSet(_id(r))),
    Read("/runs", "Runs, newest first", lambda r: q.Runs(number(r, "limit", 100, 1000)), ("limit",)),
    Read("/runs/{id}", "A run with its steps and questions", lambda r: q.OneRun(_id(r))),
    Read("/gates", "Questions to people", lambda r: q.Gates(_text(r, "status") or "open"), ("status",)),
    Read("/decisions", "Decisions by number", lambda r: q.Decisions(_text(r, "status")), ("status",)),
    Read("/reviews", "Reviews", lambda r: q.Reviews(_text(r, "status")), ("status",)),
    Read("/members", "Who takes part", lambda r: q.Members()),
    Read("/tokens", "Devices that may act for members", lambda r: q.Tokens(_text(r, "member")), ("member",)),
    Read(
        "/search",
        "Texts that hold all words",
        lambda r: q.Search(_needed(r, "q"), number(r, "limit", 50, 200)),
        ("q!", "limit"),
    ),
)  # fmt: skip
_OF_VERSION = ("version", "base", "path", "sha256", "size", "fence", "note", "actor", "ts")


def reader(read: Read) -> Callable[[Hub, Request, Room, Seat], Any]:
    """The endpoint of a read."""

    async def endpoint(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
        seq, found = await room.space.read(read.asks(request))
        return answer(request, seq, found)

    return endpoint


async def locks(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """Locks that are not free, with who waits for them."""
    seq, found = await room.space.read(q.Locks(_text(request, "artifact")))
    return answer(request, seq, [_lock(each) for each in found])


def _lock(state: q.LockState) -> dict[str, Any]:
    lock = state.lock
    return {
        "artifact": lock.artifact,
        "path": state.path,
        "state": lock.state,
        "fence": lock.fence,
        "version": state.version,
        "holder": lock.actor,
        "client": lock.client,
        "kind": lock.kind,
        "for": lock.for_,
        "purpose": lock.purpose,
        "since": lock.since,
        "expires_ms": state.expires_ms,
        "idle_ms": state.idle_ms,
        "queue": [
            {"ticket": each.id, "actor": each.actor, "kind": each.kind, "client": each.client}
            for each in state.queue
        ],
    }


async def artifact(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """An artifact by id, with the text of its newest or of one version."""
    row: rows.Artifact = (await room.space.read(q.FindArtifact(_id(request))))[1]
    wanted = number(request, "version", 0, 2**31) or row.version
    seq, versions = await room.space.read(q.History(row.id))
    version = next((each for each in versions if each.version == wanted), None)
    if version is None:
        raise NotFound(f"{row.path} has no version {wanted}", hint=f"It has versions 1 to {row.version}.")
    data = await room.space.look(lambda store: store.blob(version.sha256))
    of_version = {name: plain(getattr(version, name)) for name in _OF_VERSION}
    return answer(request, seq, {**plain(row), **of_version, "head": row.version, "text": _as_text(data)})


async def draft(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """An orphan draft by id, or the live draft of an artifact."""
    id = _id(request)
    seq, live = await room.space.read(q.LiveDraft(id))
    if live is not None:
        return answer(request, seq, live)
    seq, drafts = await room.space.read(q.Drafts(ended=True))
    row = next((each for each in drafts if each.id == id), None)
    if row is None:
        raise NotFound(f"there is no draft {id[:80]}", hint="List them at …/drafts.")
    _, data = await room.space.read(q.DraftContent(row.id))
    return answer(request, seq, {**plain(row), "text": _as_text(data)})


def _as_text(data: bytes | None) -> str | None:
    """A content as text; None when it is none, or too long: it is at …/blobs then."""
    if data is None or len(data) > MAX_INLINE:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def answer(request: Request, seq: int, found: Any) -> Response:
    """What was found, with a position of the log that it holds at least."""
    return packed(request, msgspec.json.encode({"seq": seq, "ok": plain(found)}), "application/json")


def plain(value: Any) -> Any:
    """As JSON values; a field that is a word of Python, `for_`, goes by its own name."""
    return _named(msgspec.to_builtins(value))


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.removesuffix("_"): _named(each) for name, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list) else value
