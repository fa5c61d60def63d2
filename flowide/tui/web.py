"""The app in a browser: a page, a socket, and a process of the app for each tab.

Only who has the address, with the secret in it, gets in; pages of other sites do not.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.server import Server

COOKIE = "flowide"
PAGES = Path(__file__).with_name("page")


class FlowServer(Server):
    """Serves one command line, the app's, to browsers that know the secret."""

    def __init__(self, command: str, *, host: str, port: int, title: str, public_url: str | None) -> None:
        super().__init__(
            command, host=host, port=port, title=title, public_url=public_url or _url(host, port)
        )
        self.secret = secrets.token_urlsafe(24)
        self.templates_path = PAGES
        self._hosts = _names(self.public_url) | _names(_url(host, port))

    @property
    def address(self) -> str:
        """What a person opens."""
        return f"{self.public_url}/?key={self.secret}"

    def initialize_logging(self) -> None:
        """What goes wrong is told by the app itself."""

    async def on_startup(self, app: web.Application) -> None:
        """Whoever serves has said what is to be said."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard())
        return app

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.host not in self._hosts or not self._from_here(request):
                raise web.HTTPForbidden(text="This is not the address FlowIDE is served at.\n")
            given = request.query.get("key", "")
            if given and hmac.compare_digest(given, self.secret):
                if request.host != urlsplit(self.public_url).netloc:
                    # The socket is at the one name, and so must be the cookie.
                    raise web.HTTPFound(self.address)
                answer = web.HTTPFound("/")
                secure = self.public_url.startswith("https:")
                answer.set_cookie(COOKIE, self.secret, httponly=True, samesite="Strict", secure=secure)
                raise answer
            if not hmac.compare_digest(request.cookies.get(COOKIE, ""), self.secret):
                raise web.HTTPForbidden(
                    text="Open the whole address that `flowide web` printed, with its key.\n"
                )
            answered = await handler(request)
            if not answered.prepared:
                answered.headers["Cache-Control"] = "no-store"
                answered.headers["X-Frame-Options"] = "DENY"
            return answered

        return guard

    def _from_here(self, request: web.Request) -> bool:
        """Whether a browser says that the page which asks is our own; programs say nothing."""
        origin = request.headers.get("Origin")
        return origin is None or urlsplit(origin).netloc in self._hosts


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def child_environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the app is told of its terminal, which is the browser."""
    return {
        **{name: value for name, value in env.items() if name not in {"TMUX", "NO_COLOR", "VTE_VERSION"}},
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }


def _url(host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}"


def _names(url: str) -> set[str]:
    """Values of Host that mean an address; the loopback goes by two names."""
    parts = urlsplit(url)
    found = {parts.netloc}
    if parts.port and parts.hostname and is_loopback(parts.hostname):
        found |= {f"localhost:{parts.port}", f"127.0.0.1:{parts.port}", f"[::1]:{parts.port}"}
    return found
