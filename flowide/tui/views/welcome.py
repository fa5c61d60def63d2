"""What the artifact pane says while nothing is open: what can be done here, now."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Span

KEYS = (
    ("enter", "opens the file at the cursor"),
    ("/", "finds a file by parts of its name"),
    ("e", "edits the open file under its lock; others see who has it, watch, and wait in line"),
    ("v", "has agents write several variations of it, to compare and to mix"),
    ("^p", "lists every command; ? shows the keys"),
)
_DEMO = (
    (
        "This is a small example project. Its agents are scripted: their answers are prepared, everything else "
        "is real.",
        "Press v: edwin and quinn write variations of cache.py, and its tests and benchmark run on each.",
    ),
    (
        "In the grid: n goes to the next piece, space picks it into a mix, enter builds the mix, a accepts. "
        "s puts one on the short list, g asks for more like it.",
    ),
    (
        "Accepted: it is a version now. H shows its history, and with b where each line is from; L the whole story.",
    ),
)


def demo_words(state: Snapshot) -> Sequence[str]:
    """What to do next in the demo, in a few sentences."""
    if not state.sets:
        return _DEMO[0]
    accepted = any(artifact.version > 1 for artifact in state.artifacts)
    return _DEMO[2] if accepted else _DEMO[1]


def welcome(state: Snapshot, width: int) -> list[Sequence[Span]]:
    """Lines of at most `width` cells."""
    lines: list[Sequence[Span]] = [[], [("Nothing is open yet.", "b")], []]
    for key, words in KEYS:
        first, *rest = _wrap(words, width - 12)
        lines.append([(f"{key:<7}", "key"), (first, "quiet")])
        lines += [[("       ", ""), (part, "quiet")] for part in rest]
    if state.head and all(seat.by_name_only for seat in state.seats):
        lines.append([])
        text = "There are no agents yet: `flowide agents new edwin` makes one, `flowide doctor` says what was found."
        lines += [[(part, "warn")] for part in _wrap(text, width - 4)]
    return lines


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(16, width)) or [""]
