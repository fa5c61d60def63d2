"""Drafts that ended without a save."""

from __future__ import annotations

from typing import Literal

from flowide.domain.rows.base import Row


class Draft(Row, frozen=True):
    """Text whose fence has ended, or that never had one. Kept until it is adopted, discarded or too old."""

    TABLE = "drafts"
    KEY = ("id",)
    INDEXES = (("artifact", "state"),)

    id: str
    artifact: str
    fence: int
    base: int
    actor: str
    sha256: str
    size: int
    why: str
    state: Literal["kept", "adopted", "discarded", "expired"]
    seq: int
    ts: str
