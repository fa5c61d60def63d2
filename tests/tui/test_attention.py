"""Whether somebody looks at the app."""

from __future__ import annotations

import pytest
from textual import events

from flowide.tui import attention
from flowide.tui.attention import Attention


def test_a_person_whose_terminal_tells_nothing_is_elsewhere_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = Attention()
    assert not here.is_elsewhere
    monkeypatch.setattr(attention, "AWAY_S", -1.0)
    assert here.is_elsewhere


def test_a_terminal_that_tells_is_believed() -> None:
    here = Attention()
    here.note(events.AppBlur())
    assert here.is_elsewhere
    here.note(events.AppFocus())
    assert not here.is_elsewhere


def test_whoever_presses_a_key_is_here() -> None:
    here = Attention()
    here.note(events.AppBlur())
    here.note(events.Key("a", "a"))
    assert not here.is_elsewhere
