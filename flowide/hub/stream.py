"""The WebSocket of one client: its commands and questions in, the log and live texts out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from flowide.domain.events import GENESIS
from flowide.domain.limits import MAX_NAME, MAX_PATH
from flowide.errors import BadInput, FlowError, TooLarge, Unavailable
from flowide.hub.answers import status_of
from flowide.hub.feed import frames
from flowide.hub.hub import Hub
from flowide.hub.keeper import Room
from flowide.hub.line import Line, framed
from flowide.hub.live import MAX_WATCHED
from flowide.hub.seats import Seat
from flowide.space.clock import wall_now
from flowide.space.local import LONG_QUERIES
from flowide.space.wire.calls import Result
from flowide.space.wire.frames import (
    EVENTS_A_FRAME,
    MAX_FRAME,
    SUBPROTOCOL,
    Ask,
    Bye,
    Cmds,
    FromHub,
    Hello,
    Ping,
    Pong,
    Present,
    Res,
    Resync,
    Sub,
    UpToDate,
    encode,
    from_client,
)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_STUCK_S = 15.0
"""A reader that takes nothing for so long while it catches up is cut off."""
_LONG_AT_ONCE = 4
"""Long questions of one client that are answered side by side."""
_PROTOCOL_ERROR = 1008
_GOING_AWAY = 1001
_LONG = frozenset(kind.__name__ for kind in LONG_QUERIES)


class Cursor(msgspec.Struct, frozen=True):
    """Up to where a client has the log."""

    seq: int
    chain: str


class Stream:
    """One connected client."""

    def __init__(self, hub: Hub, room: Room, seat: Seat, line: Line, client: str) -> None:
        self.hub = hub
        self.room = room
        self.seat = seat
        self.seq = 0
        self.heard = time.monotonic()
        """When the client last said something."""
        self._line = line
        self._desk = hub.desk(room, seat)
        self._client = client
        self._since = wall_now()
        self._at: tuple[str | None, str | None, str | None] = (None, None, None)
        """Path, thread and run that the client looks at."""
        self._long: set[asyncio.Task[None]] = set()
        self._catching_up: asyncio.Task[None] | None = None

    async def run(self, cursor: Cursor, receive: Receive) -> None:
        """Serve the client until it goes."""
        self.say(
            Hello(
                (await self.room.space.position()).seq,
                self.hub.policy.ttl_ms,
                self.hub.limits(),
                await self.room.hub(),
            )
        )
        why = await self._mismatch(cursor)
        if why is not None:
            self.say(Resync(why))
            self.bye("resync", retry_ms=0)
            return
        self.seq = cursor.seq
        self.room.presences.come(self)
        self._catching_up = asyncio.create_task(self._catch_up(), name="catch up")
        try:
            await self._listen(receive)
        finally:
            self.room.feed.leave(self)
            self.room.live.leave(self)
            self.room.presences.go(self)
            for artifact, fence in self._desk.drafting.items():
                self.room.live.interrupted(artifact, fence)
            tasks = [self._catching_up, *self._long]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _mismatch(self, cursor: Cursor) -> str | None:
        """Why a cursor is not on this log; None when it is."""
        if cursor.seq == 0:
            return None if cursor.chain in {"", GENESIS} else "the cursor is of another log"
        rows = await self.room.space.look(lambda store: store.bodies(cursor.seq - 1, 1))
        if not rows:
            return "the cursor is ahead of this log"
        return None if rows[0][1] == cursor.chain else "the cursor is of another log"

    async def _catch_up(self) -> None:
        """Send what the client has not got, then follow with everybody."""
        while True:
            rows = await self.room.space.look(lambda store: store.bodies(self.seq, EVENTS_A_FRAME))
            for first, last, frame in frames(rows):
                self.hub.metrics.events_sent += last - first + 1
                self._line.write(frame)
                self.seq = last
            if not await self._line.calm(_STUCK_S):
                self.bye("slow", retry_ms=1000)
                return
            if len(rows) < EVENTS_A_FRAME and self.room.feed.join(self):
                self.say(UpToDate(self.seq))
                return

    async def _listen(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            self.heard = time.monotonic()
            try:
                frame = from_client(message["bytes"])
            except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
                self.bye("bad_args", message=f"this is no frame: {error}")
                return
            if not self._line.open:
                return
            await self._take(frame)

    async def _take(self, frame: Cmds | Ask | Sub | Pong) -> None:
        if isinstance(frame, Cmds):
            if not self._client:
                self._client = frame.client[:MAX_NAME]
                self.room.presences.changed()
            self._answer(await self._desk.commands(frame))
        elif isinstance(frame, Ask) and frame.call.cmd in _LONG:
            while len(self._long) >= _LONG_AT_ONCE:
                await asyncio.wait(self._long, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._ask(frame), name="question")
            self._long.add(task)
            task.add_done_callback(self._long.discard)
        elif isinstance(frame, Ask):
            await self._ask(frame)
        elif isinstance(frame, Sub):
            await self._subscribe(frame)

    async def _subscribe(self, sub: Sub) -> None:
        topics = {("draft", each) for each in sub.drafts} | {("run", each) for each in sub.runs}
        if len(topics) > MAX_WATCHED:
            self.bye("limit", message=f"at most {MAX_WATCHED} drafts and runs are watched at once")
            return
        at = (_short(sub.at, MAX_PATH), _short(sub.at_thread, MAX_NAME), _short(sub.at_run, MAX_NAME))
        if at != self._at:
            self._at = at
            self.room.presences.changed()
        await self.room.live.watch(self, topics)

    async def _ask(self, ask: Ask) -> None:
        self._answer([await self._desk.question(ask.call)])

    def _answer(self, results: list[Result]) -> None:
        head = max([self.room.feed.seq, *[each.seq for each in results]])
        answer = encode(Res(results, head))
        if len(answer) > MAX_FRAME:
            large = TooLarge("the answer does not fit into a frame", hint="Ask over HTTP.")
            answer = encode(Res([Result(each.id, each.seq, err=large.to_dict()) for each in results], head))
        self._send(framed(answer))

    def take(self, first: int, last: int, frame: bytes) -> None:
        """Events that are new in the log."""
        self.seq = last
        self.hub.metrics.events_sent += last - first + 1
        self._send(frame)

    def live(self, frame: bytes) -> None:
        """Live text or presence: left out for a client that is slow."""
        if not self._line.is_full:
            self._line.write(frame)

    def reseat(self, seat: Seat | None) -> None:
        """Go on with the role that the member has now, or end."""
        if seat is None:
            self.bye("auth", message="this token was revoked")
        else:
            self.seat = self._desk.seat = seat

    def present(self) -> Present:
        """How others see this client."""
        seat = self.seat
        return Present(seat.member, seat.kind, self._client, self._since, seat.for_, *self._at)

    def say(self, frame: FromHub) -> None:
        """Send a frame."""
        self._send(framed(encode(frame)))

    def _send(self, frame: bytes) -> None:
        if self._line.is_full:
            self.bye("slow", retry_ms=1000)
        else:
            self._line.write(frame)

    def ping(self) -> None:
        """Look whether the client is still there, and cut it off when it is not."""
        if time.monotonic() - self.heard > self.hub.manner.drop_s:
            self.bye("timeout", retry_ms=0)
        else:
            self.say(Ping(time.monotonic_ns() // 1_000_000))

    def bye(self, code: str, *, retry_ms: int | None = None, message: str = "") -> None:
        """Tell the client why, and close."""
        if self._line.open:
            self.hub.metrics.byes[code] += 1
            self.hub.journal.write("info", "stream.bye", code=code, member=self.seat.member)
            self._line.write(framed(encode(Bye(code, retry_ms, message[:300]))))
            self._line.close(_GOING_AWAY if retry_ms is not None else _PROTOCOL_ERROR, message or code)
            self.room.feed.leave(self)


def _short(said: str | None, most: int) -> str | None:
    return None if said is None else said[:most]


class StreamApp:
    """The ASGI application behind `…/stream`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        address = (scope.get("client") or ("", 0))[0]
        try:
            cursor = _cursor(scope)
            room, seat = await self._hub.enter(scope["path_params"]["space"], headers, address)
            if SUBPROTOCOL not in scope.get("subprotocols", []):
                raise BadInput(
                    f"this is not the protocol {SUBPROTOCOL}",
                    hint=f"Send Sec-WebSocket-Protocol: {SUBPROTOCOL}.",
                )
            self._hub.check_streams(room, seat)
            if self._hub.stopping:
                raise Unavailable("this hub is stopping", hint="Come back in a moment.")
        except FlowError as refused:
            await refuse(send, refused)
            return
        try:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL, "headers": []})
        except OSError:
            return  # the client is gone already
        stream = Stream(self._hub, room, seat, Line(scope["state"]["line"]), _client(scope))
        room.streams.add(stream)
        self._hub.journal.write("info", "stream.open", space=room.space.name, member=seat.member)
        try:
            await stream.run(cursor, receive)
        except FlowError as failed:
            stream.bye(failed.code, retry_ms=1000, message=failed.message)
        finally:
            room.streams.discard(stream)
            self._hub.journal.write("info", "stream.closed", space=room.space.name, member=seat.member)


def _cursor(scope: MutableMapping[str, Any]) -> Cursor:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    after, chain = query.get("after", ["0"])[0], query.get("chain", [""])[0]
    if not after.isascii() or not after.isdigit() or len(after) > 18 or len(chain) > 64:
        raise BadInput("the cursor is wrong", hint="It is ?after=SEQ&chain=64 hex digits.")
    return Cursor(int(after), chain)


def _client(scope: MutableMapping[str, Any]) -> str:
    """The client that says its id at once; others say it with their first command."""
    query: dict[str, list[str]] = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query.get("client", [""])[0][:MAX_NAME]


async def refuse(send: Send, refused: FlowError) -> None:
    """Answer a handshake with a refusal over HTTP."""
    body = msgspec.json.encode({"err": refused.to_dict()})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status_of(refused), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
