"""Drafts that ended without a save."""

from __future__ import annotations

from typing import Literal

from flowide.domain.rows.base import Row


class Draft(Row, frozen=True):
    """An orphan draft: text whose fence has ended. Kept until its owner adopts or discards it."""

    TABLE = "drafts"
    KEY = ("id",)
    INDEXES = (("artifact",),)

    id: str
    artifact: str
    fence: int
    base: int
    actor: str
    sha256: str
    size: int
    why: str
    state: Literal["kept", "adopted", "discarded"]
    seq: int
    ts: str
