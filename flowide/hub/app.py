"""The addresses of a hub."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

import msgspec
from msgspec import UNSET, Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from flowide import __version__
from flowide.domain.actors import Actor, Caller
from flowide.domain.commands import MAX_BLOB, JoinMember
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, FlowError, Limit, Mismatch, NotAllowed, NotFound
from flowide.hub import reads
from flowide.hub.answers import STATUS, json_answer, refusal
from flowide.hub.bodies import body_of, json_of, number
from flowide.hub.feed import event_json
from flowide.hub.guard import Guard
from flowide.hub.hub import Hub
from flowide.hub.keeper import Room
from flowide.hub.packing import packed, part, takes_gzip, unpacked
from flowide.hub.seats import Seat
from flowide.hub.snapshots import pieces
from flowide.hub.stream import StreamApp
from flowide.hub.taking_in import take_in
from flowide.space.keys import digest_of, new_token
from flowide.space.wire import snapshot
from flowide.space.wire.calls import Call
from flowide.space.wire.frames import MAX_FRAME, Cmds, Res

Endpoint = Callable[[Request], Awaitable[Response]]
Within = Callable[[Hub, Request, Room, Seat], Awaitable[Response]]
MAX_WAIT_S = 60
MAX_PAGE = 1000


class Join(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/join`."""

    code: str
    handle: str
    device: str


def make_app(hub: Hub) -> Guard:
    """The ASGI application."""

    def within(answer: Within) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            room, seat = await hub.enter(request.path_params["space"], request.headers, address_of(request))
            return await answer(hub, request, room, seat)

        return endpoint

    def outside(answer: Callable[[Hub, Request], Awaitable[Response]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await answer(hub, request)

        return endpoint

    space = "/v1/spaces/{space}"
    routes = [
        Route("/healthz", outside(health), methods=["GET"]),
        Route("/metrics", outside(metrics), methods=["GET"]),
        Route("/openapi.json", outside(openapi), methods=["GET"]),
        Route("/v1/me", outside(me), methods=["GET"]),
        Route("/v1/join", outside(join), methods=["POST"]),
        Route(f"{space}/commands", within(commands), methods=["POST"]),
        Route(f"{space}/ask", within(ask), methods=["POST"]),
        Route(f"{space}/events", within(events), methods=["GET"]),
        Route(f"{space}/snapshot", within(whole), methods=["GET"]),
        Route(f"{space}/blobs/{{sha256}}", within(blob), methods=["GET", "PUT"]),
        Route(f"{space}/import", within(take_in), methods=["POST"]),
        Route(f"{space}/locks", within(reads.locks), methods=["GET"]),
        Route(f"{space}/artifacts/{{id}}", within(reads.artifact), methods=["GET"]),
        Route(f"{space}/drafts/{{id}}", within(reads.draft), methods=["GET"]),
        *[Route(space + each.path, within(reads.reader(each)), methods=["GET"]) for each in reads.READS],
        WebSocketRoute(f"{space}/stream", StreamApp(hub)),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown, FlowError: _refused})
    return Guard(app, hub)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said: FlowError = NotFound("there is no such address", hint="See /openapi.json.")
    if error.status_code == 405:
        said = BadInput(f"{request.method} is not possible here", hint="See /openapi.json.")
    return json_answer({"err": said.to_dict()}, status=error.status_code, headers=dict(error.headers or {}))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, FlowError)
    return refusal(error)


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return "" if request.client is None else request.client.host


async def health(hub: Hub, request: Request) -> Response:
    """Whether the hub and its database work."""
    try:
        found = await hub.keeper.names()
    except FlowError as failed:
        return refusal(failed)
    return json_answer({"ok": True, "version": __version__, "spaces": len(found)})


async def metrics(hub: Hub, request: Request) -> Response:
    """Counters."""
    text = hub.metrics.text(spaces=len(hub.keeper.rooms), streams=len(hub.streams))
    return Response(text, media_type="text/plain; version=0.0.4")


async def openapi(hub: Hub, request: Request) -> Response:
    """The document that describes these addresses."""
    from flowide.hub.openapi import document

    return packed(request, msgspec.json.encode(document()), "application/json")


async def me(hub: Hub, request: Request) -> Response:
    """Who the token belongs to."""
    room, seat = await hub.find(request.headers, address_of(request))
    return json_answer(
        {
            "member": seat.member,
            "kind": seat.kind,
            "role": seat.role,
            "for": seat.for_,
            "device": seat.device,
            "token_id": seat.token,
            "space": room.space.name,
            "hub": await room.hub(),
        }
    )


async def join(hub: Hub, request: Request) -> Response:
    """Become a member with an invitation; the token is told this once."""
    asked = await json_of(request, Join, MAX_FRAME)
    token, token_id = new_token(), uuid7()
    command = JoinMember(
        code=asked.code, handle=asked.handle, device=asked.device, digest=digest_of(token), token=token_id
    )
    for name in await hub.keeper.names():
        room = await hub.keeper.room(name)
        if room is None or not await room.invites(asked.code):
            continue
        outcome = await room.space.execute(command, Caller(Actor(asked.handle), token_id, uuid7()))
        if isinstance(outcome, FlowError):
            return refusal(outcome)
        return json_answer(
            {
                "token": token,
                "token_id": token_id,
                "member": outcome.ok.member,
                "kind": outcome.ok.kind,
                "role": outcome.ok.role,
                "for": outcome.ok.for_,
                "space": name,
            }
        )
    failed = hub.failed(address_of(request))
    if isinstance(failed, Limit):
        raise failed
    raise NotAllowed(
        "this code is no invitation, or not any more", hint="Ask an owner for a new one: `flowide invite`."
    )


async def commands(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """Carry out commands, each with its own answer."""
    sent = await json_of(request, Cmds, MAX_FRAME)
    results = await hub.desk(room, seat).commands(sent)
    answer = Res(results, max([room.feed.seq, *[each.seq for each in results]]))
    waits = [each.err["data"]["retry_ms"] for each in results if each.err and "retry_ms" in each.err["data"]]
    if results and len(waits) == len(results):
        retry = {"Retry-After": str(-(-min(waits) // 1000))}
        return json_answer(answer, status=STATUS["limit"], headers=retry)
    return json_answer(answer)


async def ask(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """Answer a question of the protocol."""
    call = await json_of(request, Call, MAX_FRAME)
    result = await hub.desk(room, seat).question(call)
    status = 200 if result.err is UNSET else STATUS.get(result.err["code"], 400)
    return json_answer(result, status=status)


async def events(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """Events after a position; with `wait`, it is answered when there are any or the seconds are over."""
    after = number(request, "after", 0, 2**53)
    limit = max(1, number(request, "limit", 256, MAX_PAGE))
    wait_s = number(request, "wait", 0, MAX_WAIT_S)
    rows = await room.space.look(lambda store: store.bodies(after, limit))
    if not rows and wait_s and await room.feed.grows(after, wait_s):
        rows = await room.space.look(lambda store: store.bodies(after, limit))
    head = max(room.feed.seq, rows[-1][0] if rows else 0)
    hub.metrics.events_sent += len(rows)
    body = b'{"events":[' + b",".join(map(event_json, rows)) + b'],"head":' + str(head).encode() + b"}"
    return packed(request, body, "application/json")


async def whole(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """The snapshot: the log, and the tables that follow from it."""
    small = takes_gzip(request)
    lines = pieces(room.space, await room.hub(), small=small)
    headers = {"Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if small else {})}
    return StreamingResponse(lines, headers=headers, media_type=snapshot.MEDIA_TYPE)


async def blob(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """A content by its SHA-256, or a range of it; PUT stores one."""
    if request.method == "PUT":
        return await put_blob(hub, request, room, seat)
    digest = request.path_params["sha256"]
    data = await room.space.look(lambda store: store.blob(digest))
    if data is None:
        raise NotFound(f"there is no blob {digest[:80]}")
    tag = f'"{digest}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, immutable, max-age=31536000"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return part(request, data, headers) or packed(request, data, "application/octet-stream", headers)


async def put_blob(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """Store a content under its SHA-256."""
    if seat.role == "viewer":
        raise NotAllowed(f"{seat.member} is a viewer here and stores nothing")
    data = unpacked(request, await body_of(request, MAX_BLOB), MAX_BLOB)
    digest = request.path_params["sha256"]
    if sha256(data).hexdigest() != digest:
        raise Mismatch("these bytes have another SHA-256 than the address says", hint="Send them again.")
    await room.put_blob(digest, data)
    return json_answer({"sha256": digest, "size": len(data)}, status=201)
