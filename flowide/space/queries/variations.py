"""Questions about variation sets."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


class VariationView(Struct, frozen=True):
    """A variation with its checks."""

    variation: rows.Variation
    checks: list[rows.Check]


class SetView(Struct, frozen=True):
    """A set with all its variations, by number."""

    set: rows.VariationSet
    variations: list[VariationView]


class VariationSets(Query[list[rows.VariationSet]], frozen=True):
    """All sets, newest first."""


class OneVariationSet(Query[SetView], frozen=True):
    """One set, by id, by a unique start of its id, or `last`.

    Raises:
        NotFound: With what there is in its hint.
    """

    ref: str


class VariationText(Query[str], frozen=True):
    """Text of a variation; number 0 is the base the set starts from (empty when there is none)."""

    set: str
    number: int
