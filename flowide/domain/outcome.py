"""Collects what a decision does, while a rule is making it."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from flowide.domain.facts import Fact
from flowide.domain.rows import Row
from flowide.domain.view import Decision


class Outcome:
    """The parts of a `Decision`, growing."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.put: list[Row] = []
        self.drop: list[Row] = []
        self.blobs: dict[str, bytes] = {}

    def blob(self, data: bytes) -> str:
        """Have the bytes stored; returns their SHA-256."""
        digest = sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def decision(self, ok: Struct) -> Decision:
        """The decision with this answer."""
        return Decision(ok=ok, facts=self.facts, put=self.put, drop=self.drop, blobs=self.blobs)
