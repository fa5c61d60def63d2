"""Differences between two texts, line by line, at a bounded cost."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Span = tuple[int, int, int, int]
"""`a[a0:a1]` gives way to `b[b0:b1]`."""

_MOST_PAIRS = 200_000
"""Equal pairs of lines that are compared exactly; above that, lines that occur once on both sides guide."""


def unified(before: bytes, after: bytes, name_before: str, name_after: str, *, context: int = 3) -> str:
    """A unified diff, as `diff -u` prints it; empty when nothing differs."""
    from flowide.project.kinds import is_text

    if before == after:
        return ""
    if not (is_text(before) and is_text(after)):
        return f"Binary files {name_before} and {name_after} differ\n"
    a, b = _lines(before.decode()), _lines(after.decode())
    out = [f"--- {name_before}\n", f"+++ {name_after}\n"]
    for group in _groups(changed(a, b), context):
        start_a, start_b = max(0, group[0][0] - context), max(0, group[0][2] - context)
        end_a, end_b = min(len(a), group[-1][1] + context), min(len(b), group[-1][3] + context)
        out.append(f"@@ -{_range(start_a, end_a)} +{_range(start_b, end_b)} @@\n")
        at = start_a
        for a0, a1, b0, b1 in group:
            out += [_marked(" ", line) for line in a[at:a0]]
            out += [_marked("-", line) for line in a[a0:a1]]
            out += [_marked("+", line) for line in b[b0:b1]]
            at = a1
        out += [_marked(" ", line) for line in a[at:end_a]]
    return "".join(out)


def counts(before: bytes, after: bytes) -> tuple[int, int]:
    """Lines added and lines removed."""
    spans = changed(_lines(before.decode("utf-8", "replace")), _lines(after.decode("utf-8", "replace")))
    return sum(b1 - b0 for _, _, b0, b1 in spans), sum(a1 - a0 for a0, a1, _, _ in spans)


def changed(a: Sequence[str], b: Sequence[str]) -> list[Span]:
    """What has to be replaced to make `b` of `a`, in order, nothing adjoining."""
    spans: list[Span] = []
    for a0, a1, b0, b1 in _between(a, b, (0, len(a), 0, len(b))):
        if spans and spans[-1][1] == a0 and spans[-1][3] == b0:
            spans[-1] = (spans[-1][0], a1, spans[-1][2], b1)
        else:
            spans.append((a0, a1, b0, b1))
    return spans


def _between(a: Sequence[str], b: Sequence[str], within: Span) -> Iterator[Span]:
    a0, a1, b0, b1 = within
    while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
        a0, b0 = a0 + 1, b0 + 1
    while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
        a1, b1 = a1 - 1, b1 - 1
    if a0 == a1 or b0 == b1:
        if (a0, b0) != (a1, b1):
            yield a0, a1, b0, b1
        return
    in_a, in_b = Counter(a[a0:a1]), Counter(b[b0:b1])
    if sum(times * in_b[line] for line, times in in_a.items()) <= _MOST_PAIRS:
        matcher = SequenceMatcher(None, a[a0:a1], b[b0:b1], autojunk=False)
        for tag, i0, i1, j0, j1 in matcher.get_opcodes():
            if tag != "equal":
                yield a0 + i0, a0 + i1, b0 + j0, b0 + j1
        return
    unique = {line for line in in_a if in_a[line] == in_b[line] == 1}
    anchors = _anchors(a, b, (a0, a1, b0, b1), unique)
    if not anchors:
        yield a0, a1, b0, b1
        return
    for at_a, at_b in [*anchors, (a1, b1)]:
        yield from _between(a, b, (a0, at_a, b0, at_b))
        a0, b0 = at_a + 1, at_b + 1


def _anchors(a: Sequence[str], b: Sequence[str], within: Span, unique: set[str]) -> list[tuple[int, int]]:
    """The longest rising sequence of lines that occur once on both sides (the heart of patience diff)."""
    a0, a1, b0, b1 = within
    in_b = {b[at]: at for at in range(b0, b1) if b[at] in unique}
    pairs = [(at, in_b[a[at]]) for at in range(a0, a1) if a[at] in unique]
    tails: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for index, (_, at_b) in enumerate(pairs):
        pile = bisect.bisect_left(tails, at_b)
        before.append(tops[pile - 1] if pile else -1)
        tails[pile : pile + 1] = [at_b]
        tops[pile : pile + 1] = [index]
    rising = []
    index = tops[-1] if tops else -1
    while index >= 0:
        rising.append(pairs[index])
        index = before[index]
    return rising[::-1]


def _groups(spans: Sequence[Span], context: int) -> Iterator[list[Span]]:
    group: list[Span] = []
    for span in spans:
        if group and span[0] - group[-1][1] > 2 * context:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _lines(text: str) -> list[str]:
    """Lines with their `\\n`, and nothing else taken for a line break."""
    lines = text.split("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def _marked(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _range(start: int, end: int) -> str:
    if end - start == 1:
        return str(start + 1)
    return f"{start + 1 if end > start else start},{end - start}"
