"""What a lock means for the person in front of it."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from flowide.domain import rows
from flowide.space.queries import LockState
from flowide.tui.views.locks import busy_words, lock_bar, lock_word
from flowide.tui.views.spans import plain

SINCE = "2026-03-01T10:41:00.000Z"


def state(**lock: Any) -> LockState:
    fields: dict[str, Any] = {"artifact": "a", "state": "held", "fence": 3, "actor": "edwin", "client": "c2"}
    return LockState(rows.Lock(**{**fields, **lock}), "a.py", 2, 42_000, 0, [])


def bar(given: LockState | None, **more: Any) -> str:
    return plain(lock_bar(given, "ana", "c1", {}, zone=UTC, **more))


def test_a_free_lock_says_how_to_take_it() -> None:
    assert bar(None) == " free · press e to edit"
    assert lock_word(None, "ana", "c1")[0] == "free"


def test_a_held_lock_says_who_for_what_since_when_and_how_long_still() -> None:
    said = bar(state(purpose="drafting", since=SINCE), written=" · +2 lines so far")
    assert said == " ■ LOCKED edwin · drafting · since 10:41 · 0:42 left · +2 lines so far"


def test_ones_own_lock_in_another_window_is_told_apart() -> None:
    assert "ana, elsewhere" in bar(state(actor="ana"))
    assert "you are editing" in bar(state(actor="ana", client="c1"))


def test_a_lapsed_lock_may_be_taken_over() -> None:
    assert "e takes over; their draft is kept" in bar(state(state="lapsed"))
    assert lock_word(state(state="lapsed"), "ana", "c1")[0] == "□ edwin, lapsed"


def test_a_refusal_says_who_since_when_for_what_and_what_to_do() -> None:
    data = {"holder": "mia", "since": SINCE, "purpose": "renaming", "queue": 2}
    assert busy_words(data, UTC) == (
        "mia holds it since 10:41. for: renaming. 2 others wait. "
        "press w to wait in line; it opens when the lock is yours."
    )


def test_foreign_words_in_a_lock_are_shown_literally() -> None:
    assert "\x1b" not in bar(state(purpose="\x1b[31mred"))
