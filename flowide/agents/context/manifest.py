"""The list of what an agent was given, and of what it was not."""

from __future__ import annotations

import msgspec
from msgspec import Struct

ESTIMATE = "1 token = 4 bytes of UTF-8, rounded up"


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item, given or left out."""

    kind: str
    name: str
    id: str | None = None
    version: int | None = None
    sha256: str | None = None
    """Of the text as it was sent; None when there was none."""
    tokens: int = 0
    reason: str = ""
    included: bool = True
    why: str = ""
    """Why it was left out."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What one answer was based on; stored with it as JSON."""

    agent: str
    budget: int
    """Tokens the items together may take."""
    tokens: int
    """Of the items that were given, by `estimate`."""
    estimate: str = ESTIMATE
    items: list[Entry] = []
    """In the order of the prompt, then what was left out."""

    @property
    def given(self) -> list[Entry]:
        """What the agent gets."""
        return [each for each in self.items if each.included]

    @property
    def left_out(self) -> list[Entry]:
        """What it does not get, each with `why`."""
        return [each for each in self.items if not each.included]


def encode(manifest: Manifest) -> bytes:
    """Canonical JSON."""
    return msgspec.json.encode(manifest, order="sorted")


def decode(data: bytes) -> Manifest:
    """A stored manifest."""
    return msgspec.json.decode(data, type=Manifest)
