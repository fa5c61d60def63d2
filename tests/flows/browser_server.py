"""An MCP server that stands in for Playwright's: it really fetches the page, and tells its headings as a tree."""

from __future__ import annotations

import base64
import re
import urllib.request

from mcp.server.mcpserver import Image, MCPServer

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
server = MCPServer("browser")
page = ""


@server.tool()
def browser_resize(width: int, height: int) -> str:
    """Of the window."""
    return f"{width}x{height}"


@server.tool()
def browser_navigate(url: str) -> str:
    """Fetches the page."""
    global page  # noqa: PLW0603 - the browser has one page
    if "broken" in url:
        raise ValueError("net::ERR_FAILED")
    with urllib.request.urlopen(url, timeout=10) as answer:
        page = answer.read().decode()
        policy = answer.headers["Content-Security-Policy"]
    title = re.search(r"<title>(.*?)</title>", page)
    return f"- Page Title: {title[1] if title else ''}\n- Console: 2 errors, 0 warnings\n- {policy}"


@server.tool()
def browser_take_screenshot(type: str = "png", scale: str = "css") -> Image:
    """A pixel."""
    return Image(data=PIXEL, format="png")


@server.tool()
def browser_snapshot() -> str:
    """The headings."""
    found = "\n".join(f"- heading {each!r}" for each in re.findall(r"<h\d[^>]*>(.*?)</h\d>", page))
    return f"### Snapshot\n```yaml\n{found}\n```"


if __name__ == "__main__":
    server.run()
