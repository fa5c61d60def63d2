"""Identifiers."""

from __future__ import annotations

import os
import time


def uuid7() -> str:
    """A time-ordered UUID (RFC 9562, version 7): 48 bits of Unix milliseconds, then random bits."""
    raw = bytearray(time.time_ns().__floordiv__(1_000_000).to_bytes(6, "big") + os.urandom(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
