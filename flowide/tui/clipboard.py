"""Copying to the terminal's clipboard, and telling truthfully what is known of it."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping

MOST_BYTES = 74_994
"""Of text: what 100,000 bytes of OSC 52 hold, the limit of many terminals."""
TMUX_S = 2.0


def sequence(text: str) -> str:
    """OSC 52."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"


def deaf(env: Mapping[str, str] = os.environ) -> str:
    """The name of a terminal that is known to take no copies; empty = it may."""
    if env.get("TERM_PROGRAM") == "Apple_Terminal":
        return "Apple's Terminal"
    if env.get("TERM") == "linux":
        return "the Linux console"
    if env.get("VTE_VERSION", "").isdigit() and int(env["VTE_VERSION"]) < 7600:
        return "this terminal (VTE)"
    return ""


def to_tmux(text: str, env: Mapping[str, str] = os.environ) -> bool:
    """Put a text into tmux's buffer, which passes it on to the terminal; whether there is a tmux that took it."""
    if not env.get("TMUX"):
        return False
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode(),
            capture_output=True,
            timeout=TMUX_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def told(size: str, *, in_tmux: bool, env: Mapping[str, str] = os.environ) -> str:
    """What became of a copy, as far as anybody can know: a terminal never says whether it took it."""
    if in_tmux:
        return f"{size} copied to tmux's buffer (prefix ] pastes), and sent on to your terminal."
    known = deaf(env)
    if known:
        return f"{size} sent, but {known} does not take copies from programs. ^o Y saves to a file."
    return f"{size} sent to your terminal's clipboard. If pasting gives nothing, it took no copy: ^o Y saves to a file."
