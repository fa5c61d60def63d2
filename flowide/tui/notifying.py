"""Telling a person who looks elsewhere: the bell, and a notification of the desktop, through the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from flowide.text import one_line

Notify = Literal["on", "bell", "desktop", "off"]
"""What is done when something begins to wait; `on` = bell and desktop."""
LONGEST = 120
"""Characters of a notification."""
BELL = "\a"


def sequence(words: str, wish: Notify, env: Mapping[str, str]) -> str:
    """What to write to the terminal; empty = nothing."""
    found = BELL if wish in {"on", "bell"} else ""
    if wish in {"on", "desktop"} and _may_know(env):
        found += _desktop(one_line(words, LONGEST).replace(";", ","), env)
    return found


def _may_know(env: Mapping[str, str]) -> bool:
    """Whether the terminal takes unknown OSC sequences quietly; the Linux console prints them."""
    return env.get("TERM", "") not in {"linux", "vt100", "vt220", "dumb", ""}


def _desktop(words: str, env: Mapping[str, str]) -> str:
    """OSC 777 for those who know it, OSC 9 for the others; through tmux to the terminal around it."""
    term = env.get("TERM", "")
    speaks_777 = term.startswith(("foot", "rxvt")) or "VTE_VERSION" in env
    told = f"\x1b]777;notify;FlowIDE;{words}\x1b\\" if speaks_777 else f"\x1b]9;FlowIDE: {words}\x1b\\"
    if "TMUX" in env:
        return "\x1bPtmux;" + told.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return told
