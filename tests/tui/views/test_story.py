"""The log in words, and which of it is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from flowide.domain.events import Event
from flowide.tui.views.spans import plain
from flowide.tui.views.story import Place, Sieve, families, log_rows, place_of, sieve_spans

PATHS = {"a": "src/a.py"}


def event(type: str, seq: int = 1, actor: str = "mia", **data: Any) -> Event:
    return Event(1, seq, "00", "2026-11-26T10:00:00Z", {"id": actor, "kind": "human"}, "c", "x", type, data)


LOCKED = event(
    "lock.acquired", artifact="a", fence=1, holder={"actor": "mia"}, purpose="drafting", took_over=None
)
MADE = event(
    "variation.created", 2, "edwin", set="s", number=3, author="edwin", model="m", size=9, origin="generated"
)


@pytest.mark.parametrize(
    ("sieve", "wanted"),
    [
        (Sieve(), [LOCKED, MADE]),
        (Sieve(actor="mia"), [LOCKED]),
        (Sieve(family="variation"), [MADE]),
        (Sieve(artifact="a"), [LOCKED]),
        (Sieve(words="DRAFTING a.py"), [LOCKED]),
        (Sieve(words="edwin variation"), [MADE]),
        (Sieve(actor="mia", family="variation"), []),
    ],
)
def test_only_what_is_wanted_goes_through(sieve: Sieve, wanted: list[Event]) -> None:
    assert [each for each in (LOCKED, MADE) if sieve.fits(each, PATHS)] == wanted


def test_what_is_wanted_is_told_in_words() -> None:
    sieve = Sieve(actor="mia", family="lock", artifact="a", words=" now ")
    assert plain(sieve_spans(sieve, PATHS)) == "  by mia  about lock  file src/a.py  with now"
    assert sieve_spans(Sieve(), PATHS) == []
    assert Sieve(words="  ").open


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (LOCKED, Place("artifact", "a")),
        (MADE, Place("variation", "s", 3)),
        (event("artifact.saved", artifact="a", version=4), Place("artifact", "a", 4)),
        (event("message.posted", thread="t", number=2), Place("thread", "t")),
        (event("run.step", run="r", key="x"), Place("run", "r")),
        (event("decision.agreed", decision="d", thread=None), Place("decision", "d")),
        (event("something.else"), None),
    ],
    ids=lambda each: getattr(each, "type", ""),
)
def test_an_event_leads_to_what_it_is_about(found: Event, place: Place | None) -> None:
    assert place_of(found) == place


def test_every_type_belongs_to_a_family() -> None:
    assert {"lock", "artifact", "variation", "run", "gate", "message", "decision"} <= set(families())


def test_the_newest_event_is_the_first_row() -> None:
    assert [row.key for row in log_rows([LOCKED, MADE], PATHS, {})] == [2, 1]
