"""Identifiers."""

from __future__ import annotations

import os
import time

_RANDOM_BITS = 0x0FFF_3FFF_FFFF_FFFF_FFFF
_MARKS = 0x7000_8000_0000_0000_0000
"""Version 7 and variant 10."""


def uuid7() -> str:
    """A time-ordered UUID (RFC 9562, version 7): 48 bits of Unix milliseconds, then random bits."""
    random = int.from_bytes(os.urandom(10), "big") & _RANDOM_BITS | _MARKS
    text = f"{time.time_ns() // 1_000_000:012x}{random:020x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
