"""What every query is."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

R = TypeVar("R")


class Query(Struct, Generic[R], frozen=True):
    """A question; `R` is the type of its answer."""
