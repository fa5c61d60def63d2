"""Differences between two texts, line by line, at a bounded cost."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Span = tuple[int, int, int, int]
"""`a[a0:a1]` gives way to `b[b0:b1]`."""

_SMALL = 250_000
"""Lines of one side times lines of the other: up to here they are compared exactly."""
_MOST_PAIRS = 200_000
"""Equal pairs of lines that are compared exactly when nothing else guides, in up to `_LARGE` comparisons."""
_LARGE = 4_000_000


def unified(before: bytes, after: bytes, name_before: str, name_after: str, *, context: int = 3) -> str:
    """A unified diff, as `diff -u` prints it; empty when nothing differs."""
    from flowide.project.kinds import is_text

    if before == after:
        return ""
    if not (is_text(before) and is_text(after)):
        return f"Binary files {name_before} and {name_after} differ\n"
    a, b = split_lines(before.decode()), split_lines(after.decode())
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
    spans = changed(
        split_lines(before.decode("utf-8", "replace")), split_lines(after.decode("utf-8", "replace"))
    )
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
    size = (a1 - a0) * (b1 - b0)
    anchors = [] if size <= _SMALL else _anchors(a, b, (a0, a1, b0, b1), in_a, in_b)
    if anchors:
        for at_a, at_b in [*anchors, (a1, b1)]:
            yield from _between(a, b, (a0, at_a, b0, at_b))
            a0, b0 = at_a + 1, at_b + 1
        return
    if size <= _SMALL or (
        size <= _LARGE and sum(times * in_b[line] for line, times in in_a.items()) <= _MOST_PAIRS
    ):
        matcher = SequenceMatcher(None, a[a0:a1], b[b0:b1], autojunk=False)
        for tag, i0, i1, j0, j1 in matcher.get_opcodes():
            if tag != "equal":
                yield a0 + i0, a0 + i1, b0 + j0, b0 + j1
        return
    yield a0, a1, b0, b1


def _anchors(
    a: Sequence[str], b: Sequence[str], within: Span, in_a: Counter[str], in_b: Counter[str]
) -> list[tuple[int, int]]:
    """The longest rising sequence of lines that occur once on both sides (the heart of patience diff).

    Without any such line, of lines that occur equally often: the first one goes with the first one.
    """
    a0, a1, b0, b1 = within
    for most in (1, len(a)):
        wanted = {line for line, times in in_a.items() if times <= most and in_b[line] == times}
        if wanted:
            left, right = _occurrences(a, a0, a1, wanted), _occurrences(b, b0, b1, wanted)
            return _rising([(at, right[line]) for line, at in left.items()])
    return []


def _occurrences(lines: Sequence[str], start: int, end: int, wanted: set[str]) -> dict[tuple[str, int], int]:
    """Where each wanted line stands for the first time, the second time …, in order."""
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], int] = {}
    for at in range(start, end):
        line = lines[at]
        if line in wanted:
            found[line, seen[line]] = at
            seen[line] += 1
    return found


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest sequence of pairs, which come by their first number, whose second ones rise too."""
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


def split_lines(text: str) -> list[str]:
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
