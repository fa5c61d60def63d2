"""Who may speak to a hub at all: names it is called by, and web pages that may call it."""

from __future__ import annotations

from typing import Any

from starlette.requests import ClientDisconnect

from flowide.errors import FlowError, NotAllowed
from flowide.hub.answers import refusal
from flowide.hub.hub import Hub

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Refuses requests before any address sees them; an error that nobody foresaw is one clear answer too."""

    def __init__(self, app: Any, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        why = self._objection(scope)
        if why is not None:
            await _answer(scope, receive, send, NotAllowed(why))
            return
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except FlowError as refused:
            if not started:
                await _answer(scope, receive, send, refused)
        except ClientDisconnect:
            return
        except Exception as error:
            self._hub.metrics.fault(f"{scope['path'][:200]}: {type(error).__name__}: {error}")
            if not started:
                await _answer(
                    scope, receive, send, FlowError("this is a mistake in the hub; its log has more")
                )

    def _objection(self, scope: Any) -> str | None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._hub.manner.origins:
            return "web pages may not call this hub"
        hosts = self._hub.manner.hosts
        if hosts is not None and _name(headers.get(b"host", b"").decode("latin-1")) not in hosts:
            return "this hub is not called by that name"
        return None


def _name(host: str) -> str:
    """A `Host` header without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].casefold()


async def _answer(scope: Any, receive: Any, send: Any, error: FlowError) -> None:
    if scope["type"] == "http":
        await refusal(error)(scope, receive, send)
        return
    from flowide.hub.stream import refuse

    await refuse(send, error)
