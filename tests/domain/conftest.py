"""Fixtures for the rules."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from tests.domain.board import Board


@pytest.fixture
def board() -> Board:
    """A space with nothing in it."""
    return Board()


@pytest.fixture
def doc(board: Board) -> str:
    """Id of an artifact `doc.md` at version 1."""
    id: str = board.do(c.CreateArtifact(path="doc.md", kind="document", text="one\n")).artifact
    return id
