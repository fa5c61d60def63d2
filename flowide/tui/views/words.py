"""Times, sizes and counts as people say them."""

from __future__ import annotations

from datetime import datetime, tzinfo


def clock_time(ts: str | None, zone: tzinfo | None = None) -> str:
    """`10:41` of an RFC 3339 time, in the local zone when `zone` is None; empty for None."""
    if ts is None:
        return ""
    return datetime.fromisoformat(ts).astimezone(zone).strftime("%H:%M")


def minutes(ms: int) -> str:
    """`0:42`, `12:05`, `1:02:03`; negative times are 0:00."""
    seconds = max(0, ms) // 1000
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{seconds // 60}:{seconds % 60:02}"


def duration(ms: int) -> str:
    """`340 ms`, `2.1 s`, `1:12`."""
    if ms < 1000:
        return f"{ms} ms"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else minutes(ms)


def between(start: str, end: str | None, now: datetime) -> int:
    """Milliseconds from one RFC 3339 time to another, to `now` while there is no end."""
    finish = now if end is None else datetime.fromisoformat(end)
    return max(0, int((finish - datetime.fromisoformat(start)).total_seconds() * 1000))


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 run`, `3 runs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u202f")


def size_words(size: int) -> str:
    """`812 bytes`, `12 KiB`, `3.4 MiB`."""
    if size < 1024:
        return count(size, "byte")
    return f"{size / 1024:.0f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"


def dollars(micros: int | None) -> str:
    """`$0.04`; empty when the cost is unknown or nothing."""
    if not micros:
        return ""
    return f"${micros / 1_000_000:.2f}" if micros >= 10_000 else f"${micros / 1_000_000:.4f}"
