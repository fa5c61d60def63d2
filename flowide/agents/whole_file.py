"""An answer that holds a whole file, byte for byte: for agents that write files instead of talking."""

from __future__ import annotations

import re

from flowide.patterns import lazy

_OPENING = lazy(r"^(`{4,})flowide-file (.+)\n", re.MULTILINE)


def with_file(words: str, path: str, text: str) -> str:
    """The words, then the file in a fence that is longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(4, longest + 1)
    words = _OPENING.sub(r"\1text\n", words)  # what an agent quotes is not its answer
    said = f"{words.rstrip()}\n\n" if words.strip() else ""
    return f"{said}{fence}flowide-file {path}\n{text}\n{fence}\n"


def file_in(reply: str, path: str) -> str | None:
    """The text of the file `path` in such an answer, exactly; None when there is none."""
    for opening in _OPENING.finditer(reply):
        end = reply.rfind(f"\n{opening[1]}\n", opening.end() - 1)
        if opening[2] == path and end >= opening.end() - 1:
            return reply[opening.end() : end]
    return None
