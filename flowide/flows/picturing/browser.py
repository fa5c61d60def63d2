"""A browser, driven through the Playwright MCP server: the user's own, or one that is found on this machine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from flowide.agents.api import Image
from flowide.agents.tools.connection import Connection
from flowide.agents.tools.results import Answer
from flowide.agents.tools.servers import Server
from flowide.agents.tools.toolbox import Toolbox
from flowide.errors import FlowError, NotFound, Unavailable
from flowide.patterns import lazy
from flowide.settings import McpServer

NAME = "playwright"
"""Of the server in settings and `.mcp.json`; without one, programs on the PATH are looked for."""
_SERVERS = ("playwright-mcp", "mcp-server-playwright")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_TREE = lazy(r"```yaml\n(.*?)```", re.DOTALL)
_ERRORS = lazy(r"Console: (\d+) errors")
LONGEST_TREE = 8000
"""Characters of an accessibility tree."""


class Picture(Struct, frozen=True, kw_only=True):
    """What a browser shows of a page."""

    image: Image
    tree: str
    """What is on it as a screen reader tells it, YAML."""
    console_errors: int
    title: str


def found_server(env: Mapping[str, str]) -> Server:
    """The server that is used when nobody set one up.

    Raises:
        NotFound: It, or a browser, is not installed.
    """
    path = env.get("PATH")
    program = next((found for name in _SERVERS if (found := shutil.which(name, path=path))), None)
    browser = next((found for name in _BROWSERS if (found := shutil.which(name, path=path))), None)
    if browser is None and sys.platform == "darwin" and os.path.exists(_MAC):
        browser = _MAC
    if browser is None:
        raise NotFound("there is no browser here", hint="Install chromium; see docs/tools.md.")
    if program is None:
        raise NotFound(
            "there is no Playwright MCP server here",
            hint="npm install -g @playwright/mcp, or set up [mcp.playwright]; see docs/tools.md.",
        )
    args = ["--headless", "--isolated", "--executable-path", browser]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        args.append("--no-sandbox")  # Chromium's own does not work for root
    spec = McpServer(command=program, args=args)
    return Server(name=NAME, spec=spec, origin="built in", source="programs on the PATH")


def browser(box: Toolbox, env: Mapping[str, str]) -> Connection:
    """The way to a browser; it is started by the first picture.

    Raises:
        NotFound: There is none.
        NotAllowed: It comes with a project that is not trusted.
    """
    if NAME not in box.servers:
        box.servers[NAME] = found_server(env)
    return box.connection(NAME)


async def picture_of(browser: Connection, address: str, *, width: int, height: int) -> Picture:
    """Open a page and look at it.

    Raises:
        Unavailable: The browser does not start, or cannot show the page.
    """
    await _called(browser, "browser_resize", {"width": width, "height": height})
    opened = await _called(browser, "browser_navigate", {"url": address})
    shot = await _called(browser, "browser_take_screenshot", {"type": "png", "scale": "css"}, pictures=True)
    seen = await _called(browser, "browser_snapshot", {})
    tree = _TREE.search(seen.text)
    errors = _ERRORS.search(opened.text)
    title = re.search(r"Page Title: (.*)", opened.text)
    return Picture(
        image=shot.images[0],
        tree=(tree[1] if tree else "").strip()[:LONGEST_TREE],
        console_errors=int(errors[1]) if errors else 0,
        title=title[1].strip()[:200] if title else "",
    )


async def _called(
    browser: Connection, tool: str, arguments: dict[str, object], *, pictures: bool = False
) -> Answer:
    answer = await browser.call(tool, arguments)
    if answer.failed:
        raise Unavailable(f"the browser: {' '.join(answer.text.split())[:300]}")
    if pictures and not answer.images:
        raise Unavailable(f"the browser made no picture: {' '.join(answer.text.split())[:300]}")
    return answer


def reason(error: FlowError) -> str:
    """Why there are no pictures, and what to do."""
    return f"{error.message}. {error.hint}".strip()


def shown_at(folder: Path, page: str) -> str:
    """Whether a browser can show this file by itself; why not, else empty."""
    if not (folder / page).is_file() and not (folder / page / "index.html").is_file():
        return f"there is no page {page[:200]}"
    if (folder / page).is_dir() or page.casefold().endswith((".html", ".htm", ".svg", ".xhtml")):
        return ""
    return f"a browser does not show {page[:200]} by itself: name the page that does, --set page=…"
