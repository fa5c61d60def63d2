"""Whether this terminal can show the app, and with how many colours. Loads nothing of Textual."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping

from flowide.errors import BadInput

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""What draws in a browser, as whoever serves the app names it."""


USUAL = (80, 24)
"""Columns and rows."""


def check(env: Mapping[str, str] = os.environ) -> None:
    """Raise BadInput unless there is a terminal that can show a full screen, or `flowide web` shows it."""
    if env.get("TEXTUAL_DRIVER") == WEB_DRIVER:
        return
    if env.get("TERM", "") in {"", "dumb", "unknown"}:
        raise BadInput(
            f"the app needs a real terminal, and TERM is {env.get('TERM') or 'not set'}",
            hint="Use `flowide run --headless`, or set TERM, for instance to xterm-256color.",
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput(
            "the app needs a terminal, and this is a pipe or a file",
            hint="Use `flowide run --headless`; `flowide --help` lists what works without a screen.",
        )


def give_size() -> None:
    """Have a terminal without a size, as a serial line or `script` makes one, be of the usual size.

    Textual's parts take different ones for it otherwise, and lay the screen out in turns for ever. A size that the
    terminal gets later counts as ever.
    """
    import fcntl
    import struct
    import termios

    with contextlib.suppress(OSError):
        columns, rows = os.get_terminal_size(sys.stdin.fileno())
        if not columns or not rows:
            size = struct.pack("HHHH", rows or USUAL[1], columns or USUAL[0], 0, 0)
            fcntl.ioctl(sys.stdin.fileno(), termios.TIOCSWINSZ, size)


def few_colours(env: Mapping[str, str] = os.environ) -> bool:
    """Whether colours must come from the terminal's own sixteen, or be left out."""
    if env.get("NO_COLOR"):
        return True
    wish = env.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if wish != "auto":
        return wish == "standard"
    if env.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return False
    term = env.get("TERM", "")
    return not ("256color" in term or "truecolor" in term or "direct" in term or "kitty" in term)


def few_signs(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal's font has hardly more than ASCII: a console, or no UTF-8."""
    encoding = (env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "").lower()
    return env.get("TERM", "") in {"linux", "vt100", "vt102", "vt220"} or (
        encoding not in {"", "c", "posix"} and "utf" not in encoding
    )


def theme_for(env: Mapping[str, str], wish: str, default: str) -> str:
    """The theme to start with: the wished one where the terminal can show it."""
    if few_colours(env):
        light = env.get("COLORFGBG", "").rpartition(";")[2] in {"7", "15"}
        return "ansi-light" if light else "ansi-dark"
    return wish or default
