"""Versions of an artifact as rows, and one of them in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from flowide.domain import rows
from flowide.project.blame import Blame
from flowide.tui.views.actors import colour_of
from flowide.tui.views.grid import short_name
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.views.words import clock_time

LOOSE = "(lines)"
"""Name of what is in no piece: imports, blank lines between functions."""
SIGNS = {"agent": "◐", "human": "●"}


def version_rows(
    versions: Sequence[rows.Version],
    book: Mapping[str, str],
    *,
    compared_with: int | None,
    now: datetime,
    zone: tzinfo | None = None,
) -> list[Row]:
    """Two lines a version, newest first: who and when; then the note, or where it comes from."""
    found: list[Row] = []
    for each in versions:
        colour = colour_of(book, each.actor)
        here = each.version == compared_with
        left: tuple[Span, ...] = (
            (f"{'▸' if here else ' '}v{each.version:<3} ", "accent b" if here else "b"),
            (f"{SIGNS.get(each.kind, '○')} ", colour),
            (clean(each.actor), f"{colour} b"),
        )
        found.append(Row(left, ((day_time(each.ts, now, zone), "quiet"),), each.version))
        found.append(Row((("      ", ""), (what(each), "quiet"))))
    return found


def what(version: rows.Version) -> str:
    """The note of a version; without one, what it came from."""
    if version.note:
        return clean(" ".join(version.note.split()))
    made = next((each for each in version.parents if each.get("set")), None)
    if made is not None:
        return f"variation {made.get('variation', '?')} accepted"
    return "first version" if version.version == 1 else "saved"


def day_time(ts: str, now: datetime, zone: tzinfo | None = None) -> str:
    """`10:41` today, `25 Nov` this year, else `25 Nov 2025`."""
    when, today = datetime.fromisoformat(ts).astimezone(zone), now.astimezone(zone)
    if when.date() == today.date():
        return clock_time(ts, zone)
    return when.strftime("%-d %b" if when.year == today.year else "%-d %b %Y")


def about(version: rows.Version, commit: str | None) -> list[Span]:
    """Everything about who made a version: kind, model, run, commit."""
    spans: list[Span] = [(f"v{version.version}", "b"), (" by ", "quiet"), (clean(version.actor), "b")]
    if version.kind == "agent":
        spans.append((f" ai · {clean(version.model or 'model unknown')}", "quiet"))
    elif version.kind == "human":
        spans.append((" person", "quiet"))
    if version.for_ and version.for_ != version.actor:
        spans.append((f" for {clean(version.for_)}", "quiet"))
    if version.run:
        spans.append((f" · run {version.run[:13]}", "quiet"))
    if commit:
        spans.append((f" · commit {commit[:12]}", "quiet"))
    return spans


def same_origin(one: Blame | None, other: Blame | None) -> bool:
    """Whether two pieces came in the same version from the same author and source."""
    if one is None or other is None:
        return one is other
    return (one.version, one.actor, one.source) == (other.version, other.actor, other.source)


def origin_words(piece: Blame) -> str:
    """`v2 · variation 4`: since when a piece is as it is, and what it came with."""
    source = piece.source if piece.variation is None else f"variation {piece.variation}"
    return f"v{piece.version} · {clean(' '.join(source.split()))}"


def innermost(lines: int, pieces: Sequence[Blame]) -> list[Blame | None]:
    """The smallest piece that each line is in; None where none is."""
    found: list[Blame | None] = [None] * lines
    for piece in sorted(pieces, key=lambda each: each.start_line - each.end_line):
        for at in range(max(0, piece.start_line - 1), min(lines, piece.end_line)):
            found[at] = piece
    return found


def around_words(piece: Blame | None) -> list[Span]:
    """`in LRUCache.get, v3`: the piece around a line, and its newest version."""
    if piece is None:
        return []
    return [("in ", "quiet"), (short_name(piece.piece), ""), (f", changed in v{piece.version} ", "quiet")]


def origin_line(piece: Blame, book: Mapping[str, str]) -> list[Span]:
    """An origin, in full."""
    colour = colour_of(book, piece.actor)
    spans: list[Span] = [
        (f"{SIGNS.get(piece.actor_kind, '○')} ", colour),
        (clean(piece.actor), f"{colour} b"),
    ]
    if piece.model:
        spans.append((f" {clean(piece.model)}", "quiet"))
    spans.append((f"  {origin_words(piece)}", "quiet"))
    if piece.saved_by != piece.actor:
        spans.append((f"  accepted by {clean(piece.saved_by)}", "quiet"))
    return spans
