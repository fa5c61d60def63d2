"""Foreign text on its way to a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flowide.patterns import lazy

_SEQUENCES = lazy(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # OSC, DCS, SOS, PM, APC up to their end
    r"|\x1b[ -/]*[0-~]"  # two-byte sequences
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|[\x90\x98\x9d-\x9f].*?(?:\x1b\\|\x07|\x9c|$)",
    re.DOTALL,
)
_CONTROLS = lazy(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # change the direction of what is shown
    "\u2028\u2029\ufeff]"
)


def printable(text: str) -> str:
    """The text without terminal control sequences, control characters and changes of direction.

    Line breaks (`\\n`; `\\r\\n` becomes that) and tabs stay.
    """
    plain = text.replace("\r\n", "\n")
    if plain.isascii() and plain.isprintable():
        return plain
    return _CONTROLS.sub("", _SEQUENCES.sub("", plain))


def one_line(text: str, width: int = 10_000) -> str:
    """The printable text on one line, cut to `width` characters with an ellipsis."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: max(1, width) - 1] + "…"


def close_to(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known words that somebody may have meant, likeliest first."""
    from difflib import get_close_matches  # slow to load, and seldom needed

    return get_close_matches(word, list(known), n=most)
