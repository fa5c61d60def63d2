"""What waits for a person, from a picture of the space."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flowide.domain import rows
from flowide.space.queries import LockState
from flowide.space.remote.standing import Standing
from flowide.tui import notifying
from flowide.tui.views.actors import presence
from flowide.tui.views.snapshot import Person, Snapshot
from flowide.tui.views.spans import plain
from flowide.tui.views.waiting import age, in_full, news, rows_of, urgent, waiting, waiting_badge

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def gate(id: str, kind: str = "approve", **more: Any) -> rows.Gate:
    known: dict[str, Any] = {
        "run": None, "step": None, "question": f"Question {id}?", "options": [], "context": {}, "status": "open",
        "answer": None, "reason": None, "by": None, "seq": 1, "ts": "2026-01-02T11:56:00Z",
    }  # fmt: skip
    return rows.Gate(id=id, kind=kind, **{**known, **more})


def lock(holder: str, client: str, *waiting: str) -> LockState:
    queue = [
        rows.Ticket(
            id=f"t-{who}", artifact="a1", actor=who, kind="human", for_=None, client="x", purpose="a fix",
            ttl_ms=30_000, seq=1,
        )
        for who in waiting
    ]  # fmt: skip
    held = rows.Lock(artifact="a1", state="held", fence=1, actor=holder, kind="human", client=client)
    return LockState(path="docs/plan.md", lock=held, queue=queue, expires_ms=9000, idle_ms=0, version=1)


def picture(**more: Any) -> Snapshot:
    return Snapshot(me="ana", client="c1", head=7, **more)


def shown(state: Snapshot) -> str:
    return "\n".join(plain(row.left) + plain(row.right) for row in rows_of(waiting(state), {}, 60, NOW))


def test_what_stands_still_comes_first_by_kind_with_its_age_and_answers() -> None:
    state = picture(
        gates=[
            gate("g1", "conflict", context={"path": "docs/plan.md"}),
            gate("g2", options=["once", "always"]),
            gate("g3", "hunks"),
        ]
    )
    text = shown(state)
    assert text.index("QUESTIONS") < text.index("REVIEWS") < text.index("CONFLICTS")
    assert "4 min" in text
    assert "1 once   2 always" in text
    assert urgent(state) == 3
    assert plain(waiting_badge(state)).split() == ["?", "3", "^g"]


def test_who_waits_for_a_lock_of_this_window_is_listed_and_nobody_else() -> None:
    assert "mia waits for your lock: a fix" in shown(picture(locks=[lock("ana", "c1", "mia")]))
    assert "Nothing waits for you." in shown(picture(locks=[lock("ana", "elsewhere", "mia")]))


@pytest.mark.parametrize("whole", [False, True])
def test_long_words_are_cut_only_where_all_of_them_stand_beside(whole: bool) -> None:
    words = " ".join(f"word{n}" for n in range(40))
    found = waiting(picture(gates=[gate("g1", question=words)]))

    said = " ".join(plain(row.left).strip() for row in rows_of(found, {}, 60, NOW, whole=whole))

    assert (words in said) == whole
    assert ("…" in said) != whole


def test_news_are_what_was_not_there_before() -> None:
    before = picture(gates=[gate("g1")])
    after = picture(gates=[gate("g1"), gate("g2")], locks=[lock("ana", "c1", "mia")])
    assert [each.item.ref for each in news(before, after)] == ["g2", "docs/plan.md"]
    assert news(after, after) == []


def test_a_question_in_full_shows_the_change_it_asks_about() -> None:
    state = picture(
        gates=[gate("g1", "verdict", context={"path": "plan.md", "diff": "@@ 1 @@\n-old\n+new\n"})]
    )
    [one] = waiting(state)
    text = [plain(row.left) for row in in_full(one, state, {}, 40)]
    assert "-old" in text
    assert "+new" in text


def test_foreign_words_are_no_control_sequences() -> None:
    state = picture(gates=[gate("g1", question="Is \x1b[31mthis\x07 red?")])
    assert "\x1b" not in shown(state)
    assert "\x07" not in shown(state)


@pytest.mark.parametrize(
    ("past", "said"),
    [(20, "now"), (5 * 60, "5 min"), (3 * 3600, "3 h"), (50 * 3600, "2 d")],
)
def test_ages_are_told_in_one_unit(past: int, said: str) -> None:
    assert age((NOW - timedelta(seconds=past)).isoformat(), NOW) == said


def test_nothing_is_said_of_a_hub_while_it_is_there_or_there_is_none() -> None:
    since = "2026-01-02T11:56:00Z"
    assert "offline" not in plain(presence(picture(), {}))
    assert "offline" not in plain(presence(picture(standing=Standing("online", since)), {}))
    gone = picture(standing=Standing("offline", since, "no answer", 3), here=(Person("mia"),))
    assert "offline since" in plain(presence(gone, {}))
    assert "3 to be sent" in plain(presence(gone, {}))
    assert "● mia" in plain(presence(gone, {}))


@pytest.mark.parametrize(
    ("wish", "env", "sent"),
    [
        ("off", {"TERM": "xterm"}, ""),
        ("bell", {"TERM": "xterm"}, "\a"),
        ("desktop", {"TERM": "xterm"}, "\x1b]9;FlowIDE: a, b\x1b\\"),
        ("desktop", {"TERM": "foot"}, "\x1b]777;notify;FlowIDE;a, b\x1b\\"),
        ("desktop", {"TERM": "tmux", "TMUX": "x"}, "\x1bPtmux;\x1b\x1b]9;FlowIDE: a, b\x1b\x1b\\\x1b\\"),
        ("on", {"TERM": "linux"}, "\a"),
    ],
)
def test_a_notification_is_what_the_terminal_understands(
    wish: notifying.Notify, env: dict[str, str], sent: str
) -> None:
    assert notifying.sequence("a; b", wish, env) == sent


def test_a_notification_cannot_be_broken_out_of() -> None:
    assert "\x1b[2J" not in notifying.sequence("x\x1b\\\x1b[2J\a", "desktop", {"TERM": "xterm"})
