"""Ids of what a step makes: the same in every attempt, so that it is made once."""

from __future__ import annotations

from hashlib import sha256


def stable_id(run: str, key: str) -> str:
    """An id in the form of a UUID (version 8, RFC 9562: custom) for what `key` of a run makes."""
    raw = bytearray(sha256(f"{run}:{key}".encode()).digest()[:16])
    raw[6] = 0x80 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
