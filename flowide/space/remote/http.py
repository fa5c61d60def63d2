"""What does not go over the stream: contents, the snapshot, and joining. Plain HTTP, for threads."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from flowide.errors import AuthFailed, FlowError, NotFound, Offline, Unavailable, from_dict
from flowide.space.remote.address import Address
from flowide.space.wire.snapshot import MEDIA_TYPE

TIMEOUT_S = 20.0
_LINE = 64 * 1024 * 1024
_PIECE = 512 * 1024


class Http:
    """Requests to one hub; each thread has a connection of its own while it asks."""

    def __init__(self, address: Address, token: str | None, *, timeout_s: float = TIMEOUT_S) -> None:
        """`token` None = nobody yet, as before joining; `timeout_s` = silence after which an answer is given up."""
        self.address = address
        self._token = token
        self._timeout_s = timeout_s
        self._idle: list[http.client.HTTPConnection] = []
        self._busy: set[http.client.HTTPConnection] = set()
        self._closed = False

    def blob(self, digest: str) -> bytes:
        """A content.

        Raises:
            NotFound: The hub has none of this name.
            Offline: No answer.
        """
        with self._asked("GET", self.address.path(f"/blobs/{digest}")) as answer:
            return answer.read()

    def put_blob(self, digest: str, data: bytes) -> None:
        """Give the hub a content.

        Raises:
            FlowError: The refusal.
            Offline: No answer.
        """
        with self._asked("PUT", self.address.path(f"/blobs/{digest}"), data, "application/octet-stream"):
            pass

    def snapshot(self) -> Iterator[bytes]:
        """The lines of a snapshot.

        Raises:
            FlowError: The refusal.
            Offline: No answer, or it broke off.
        """
        with self._asked("GET", self.address.path("/snapshot"), accept=MEDIA_TYPE) as answer:
            rest = b""
            while piece := answer.read(_PIECE):
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > _LINE:
                    raise Unavailable("the hub's snapshot holds a line that is too long")
                yield from lines
            if rest:
                yield rest

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON to a path of the API, e.g. `/v1/join`; the answer.

        Raises:
            FlowError: The refusal.
            Offline: No answer.
        """
        data = json.dumps(body).encode()
        with self._asked("POST", f"{self.address.prefix}{path}", data, "application/json") as answer:
            return _object(answer.read())

    def post_stream(self, path: str, pieces: Iterator[bytes], kind: str) -> dict[str, Any]:
        """Send something long to a path; the answer.

        Raises:
            FlowError: The refusal.
            Offline: No answer.
        """
        while self._idle:  # what is sent piece by piece cannot be sent twice, so the connection is a new one
            self._idle.pop().close()
        with self._asked("POST", path, pieces, kind) as answer:
            return _object(answer.read())

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at a path of the API, e.g. `/v1/me`."""
        with self._asked("GET", f"{self.address.prefix}{path}") as answer:
            return _object(answer.read())

    def abort(self) -> None:
        """End the requests that are on their way, from another thread."""
        for connection in tuple(self._busy):
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the connections; what is still on its way frees its own."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @contextlib.contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        data: bytes | Iterator[bytes] | None = None,
        kind: str = "",
        *,
        accept: str = "*/*",
    ) -> Iterator[http.client.HTTPResponse]:
        headers = {"Accept": accept, "User-Agent": "flowide"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if kind:
            headers["Content-Type"] = kind
        reused = bool(self._idle)
        connection = self._idle.pop() if reused else self._connection()
        self._busy.add(connection)
        try:
            try:
                answer = self._answer(connection, method, path, data, headers)
            except (http.client.HTTPException, ConnectionError):
                # The hub may have closed what was idle; all we ask may be asked twice.
                if not reused:
                    raise
                connection.close()
                answer = self._answer(connection, method, path, data, headers)
            if answer.status >= 400:
                raise _refusal(answer, path)
            yield answer
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Offline(
                f"{self.address.url} does not answer: {error or type(error).__name__}",
                hint="See whether the hub runs and the network is there; it is tried again.",
            ) from error
        except BaseException:
            connection.close()
            raise
        finally:
            self._busy.discard(connection)
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    @staticmethod
    def _answer(
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        data: bytes | Iterator[bytes] | None,
        headers: dict[str, str],
    ) -> http.client.HTTPResponse:
        connection.request(method, path, body=data, headers=headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        at = self.address
        if at.secure:
            return http.client.HTTPSConnection(
                at.host, at.port, timeout=self._timeout_s, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(at.host, at.port, timeout=self._timeout_s)


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise Unavailable(f"the hub's answer is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unavailable("the hub's answer is no JSON object")
    return found


def _refusal(answer: http.client.HTTPResponse, path: str) -> FlowError:
    """What a status of 400 and above means."""
    data = answer.read(65536)
    try:
        said = json.loads(data)
        return from_dict(said.get("err") or said.get("error") or said)
    except (ValueError, KeyError, AttributeError, TypeError):
        pass
    status = answer.status
    if status in {401, 403}:
        return AuthFailed(f"the hub refuses this token ({status})", hint="Join again, with a new invite.")
    if status == 404:
        return NotFound(f"the hub has nothing at {path[:200]}")
    return Unavailable(f"the hub answered with status {status}", hint="Try again in a moment.", status=status)
