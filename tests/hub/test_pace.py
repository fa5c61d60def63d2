"""How many commands one client may send: a bucket that fills steadily."""

from __future__ import annotations

import pytest

from flowide.domain.actors import Actor
from flowide.hub.calls import Pace, Paces


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(pace: Pace, tries: int) -> int:
    return sum(pace.take() == 0 for _ in range(tries))


def test_a_burst_is_taken_and_then_so_many_a_second() -> None:
    clock = Clock()
    pace = Pace(50, 200, clock)

    assert taken(pace, 300) == 200
    clock.now += 1
    assert taken(pace, 300) == 50
    clock.now += 100
    assert taken(pace, 300) == 200


def test_who_has_to_wait_is_told_how_long() -> None:
    clock = Clock()
    pace = Pace(50, 1, clock)
    pace.take()

    assert pace.take() == pytest.approx(0.02)
    clock.now += 0.02
    assert pace.take() == 0


def test_every_token_and_actor_has_a_pace_of_its_own() -> None:
    paces = Paces()

    assert paces.of("one", Actor("ana")) is paces.of("one", Actor("ana"))
    assert paces.of("one", Actor("ana")) is not paces.of("two", Actor("ana"))
    assert paces.of("one", Actor("ana")) is not paces.of("one", Actor("edwin", "agent", "ana"))


def test_what_is_remembered_of_clients_is_bounded() -> None:
    paces = Paces()
    for number in range(20_000):
        paces.of(str(number), Actor("ana"))

    assert len(paces) <= 10_000


def test_names_of_agents_do_not_make_a_token_faster() -> None:
    paces = Paces()
    agents = [Actor(f"agent{number}", "agent", "ana") for number in range(100)]

    sent = sum(taken(paces.of("one", agent), 100) for agent in agents)

    assert 1000 <= sent < 4000  # of 8,000; some more come in while this runs
