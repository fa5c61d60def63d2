"""Runs, questions and drafts in the work pane, and what may be typed as an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowide.domain import rows
from flowide.flows.api import Budget
from flowide.space.queries import RunView
from flowide.tui.views.gates import Answer, change, change_role, facts, parse_answer
from flowide.tui.views.run_tree import Going, run_rows, run_title
from flowide.tui.views.runs import Item, side_rows
from flowide.tui.views.snapshot import Looked, Person, Snapshot
from flowide.tui.views.spans import Row, plain
from flowide.tui.views.welcome import welcome

NOW = datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC)
STARTED = "2026-03-01T10:00:00.000Z"


def gate(**more: Any) -> rows.Gate:
    fields: dict[str, Any] = {
        "id": "g", "run": "r", "step": "choose#1", "kind": "choose", "question": "Which one?", "options": [],
        "context": {}, "status": "open", "answer": None, "reason": None, "by": None, "seq": 9, "ts": STARTED,
    }  # fmt: skip
    return rows.Gate(**{**fields, **more})


def step(key: str, status: Any, **more: Any) -> rows.Step:
    fields: dict[str, Any] = {
        "run": "r", "key": key, "kind": key.partition("#")[0], "status": status, "actor": "ana", "attempt": 1,
        "result": {}, "error": None, "usage": {}, "seq": 1, "started": STARTED, "finished": None,
    }  # fmt: skip
    return rows.Step(**{**fields, **more})


def run(
    steps: list[rows.Step], gates: list[rows.Gate] | None = None, *, alive: bool = True, **more: Any
) -> RunView:
    fields: dict[str, Any] = {
        "id": "r", "flow": "variations", "flow_sha256": "", "flow_text": "", "inputs": {"brief": "shorter"},
        "options": {}, "status": "running", "queued": False, "fence": 1, "actor": "ana", "client": "c", "outputs": {},
        "totals": {}, "error": None, "exit_code": None, "seq": 1, "started": STARTED, "finished": None,
    }  # fmt: skip
    return RunView(rows.Run(**{**fields, **more}), steps, gates or [], alive)


def thread(id: str, title: str) -> rows.Thread:
    return rows.Thread(
        id=id, title=title, about=None, agent=None, depth=0, rate=0, pins=[], run=None, actor="ana", count=3,
        chain=0, seq=1, ts=STARTED, last_seq=1, last_ts=STARTED, last_actor="ana",
    )  # fmt: skip


def text(found: list[Row]) -> str:
    return "\n".join(f"{plain(row.left)} | {plain(row.right)}".rstrip(" |") for row in found)


def test_what_waits_for_the_person_stands_first_in_full() -> None:
    question = gate(question="Which of these variations shall become the next version of it?")
    state = Snapshot(me="ana", gates=[question], runs=[run([], [question])])
    found = side_rows(state, {}, 30, zone=UTC)
    assert text(found).startswith("WAITS FOR YOU | 1\n? Which of these variations\n  shall become the next")
    assert found[1].key == Item("gate", "g")
    assert "waits for an answer" in text(found)


def test_a_long_question_says_where_all_of_it_stands() -> None:
    words = " ".join(f"word{n}" for n in range(40))
    state = Snapshot(me="ana", gates=[gate(question=words), gate(id="h", question="Short?")])

    said = text(side_rows(state, {}, 30, zone=UTC)).split("\n")

    first = said.index(next(line for line in said if line.startswith("? word0")))
    assert said[first + 2].endswith("… ^g")
    assert max(len(line) for line in said[first : first + 3]) <= 30
    assert said[first + 3].startswith("? Short?")


def test_threads_and_runs_that_others_follow_are_marked() -> None:
    here = (Person("rod", Looked(thread="t")), Person("mia", Looked(run="r")), Person("ann", Looked("a.md")))
    state = Snapshot(
        me="ana", threads=[thread("t", "Eviction"), thread("u", "Else")], runs=[run([])], here=here
    )

    said = text(side_rows(state, {}, 30, zone=UTC)).split("\n")

    assert [line for line in said if "●" in line] == ["› Eviction | ● 3", "◐ variations | ● 10:00"]


def test_an_empty_space_says_what_to_do() -> None:
    said = text(side_rows(Snapshot(me="ana"), {}, 30, zone=UTC))
    assert "press v" in " ".join(said.split())
    assert "Nothing has run yet." in said


def test_no_line_of_the_welcome_is_wider_than_its_pane() -> None:
    for width in (20, 40, 80):
        lines = welcome(Snapshot(me="ana", head=5), width)
        assert max(len(plain(line)) for line in lines) <= max(width, 36)
    assert any("flowide agents new" in plain(line) for line in welcome(Snapshot(me="ana", head=5), 120))


def test_a_run_whose_process_is_gone_has_stopped_with_all_that_it_had_begun() -> None:
    view = run([step("vary#1", "started", result={"agent": "edwin"})], alive=False)
    left, _ = run_title(view, NOW)
    assert "stopped" in plain(left)
    said = text(run_rows(view, {"vary#1": "so far"}, {}, NOW, zone=UTC))
    assert "○ vary#1  edwin" in said
    assert "▍" not in said


def test_steps_show_who_works_how_long_it_took_and_the_last_words() -> None:
    view = run(
        [
            step("vary#1", "completed", result={"agent": "edwin"}, finished="2026-03-01T10:00:02.100Z"),
            step("vary#2", "started", result={"agent": "quinn"}),
            step("check", "failed", error={"message": "it does not parse"}),
        ]
    )
    said = text(run_rows(view, {"vary#2": "so far\nso good"}, {}, NOW, zone=UTC))
    assert "✓ vary#1  edwin | 2.1 s" in said
    assert "◐ vary#2  quinn" in said
    assert "so far so good▍" in said
    assert "it does not parse" in said
    assert "shorter" in said


def test_how_far_a_tool_is_stands_below_its_step_until_it_ends() -> None:
    going = step("draft/edwin/1", "started", kind="tool.call", result={"by": "edwin", "tool": "git/log"})
    live = {"draft/edwin/1": "40 % receiving \x1b[31mobjects"}

    said = text(run_rows(run([going]), live, {}, NOW, UTC))
    assert "git/log 40 % receiving " in said
    assert "\x1b" not in said
    assert "▍" not in said
    assert "git/log 7 of them" in text(run_rows(run([going]), {"draft/edwin/1": "7 of them"}, {}, NOW, UTC))

    ended = step("draft/edwin/1", "completed", kind="tool.call", result={"tool": "git/log"}, finished=STARTED)
    said = text(run_rows(run([ended]), live, {}, NOW, UTC))
    assert "git/log" in said
    assert "40 %" not in said


def test_rounds_branches_and_what_is_inside_of_them_are_a_tree_without_bookkeeping() -> None:
    view = run(
        [
            step("polish", "started", kind="repeat"),
            step("polish#1/write/base", "completed", kind="revise"),
            step("polish#1/write", "completed", result={"agent": "edwin"}, finished="2026-03-01T10:00:02Z"),
            step("both", "started", kind="parallel"),
            step("both/left/check", "failed", error={"message": "no"}),
        ]
    )
    lines = [plain(row.left) for row in run_rows(view, {}, {}, NOW, zone=UTC)]
    assert "  ◐ polish" in lines
    assert "  ▾ round 1" in lines
    assert "    ✓ write  edwin" in lines
    assert "    ▾ left" in lines
    assert "      ✗ check" in lines
    assert not any("base" in line for line in lines)
    assert any("base" in plain(row.left) for row in run_rows(view, {}, {}, NOW, everything=True))


def test_costs_are_told_by_agent_and_against_the_bounds_of_the_run() -> None:
    used = {"input_tokens": 900, "output_tokens": 100, "cost_micros": 300_000}
    view = run([step("vary#1", "completed", result={"agent": "edwin"}, usage=used)])
    bounds = Budget(cost_micros=400_000, tokens=2_000)
    said = text(run_rows(view, {}, {}, NOW, bounds=bounds))
    assert "$0.30 of $0.40" in said
    assert "1\u202f000 tokens of 2\u202f000 tokens" in said
    assert "edwin" in said
    assert "$0.30 of $0.40" in plain(run_title(view, NOW, bounds)[1])


def test_how_fast_an_answer_comes_is_drawn_once_it_comes() -> None:
    going = Going()
    assert going.words == ""
    for at, size in enumerate((0, 40, 120, 280)):
        going.note(float(at), size)
    assert going.words.endswith("23 tok/s")
    assert going.words[0] != going.words[2]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("4", Answer("4")),
        ("4 but with the _evict of 2", Answer("4 but with the _evict of 2")),
        ("reject too slow", Answer("reject", "too slow")),
    ],
)
def test_an_answer_to_which_one_is_passed_on_as_it_was_said(typed: str, expected: Answer) -> None:
    assert parse_answer(gate(), typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("approve", Answer("approve")),
        ("A looks fine", Answer("approve", "looks fine")),
        ("2 too long", Answer("reject", "too long")),
        ("yes", "Answer with one of: approve, reject."),
        ("", "Type an answer first; esc leaves the question open."),
    ],
)
def test_one_of_the_options_is_understood_by_number_or_start(typed: str, expected: object) -> None:
    assert parse_answer(gate(kind="approve", options=["approve", "reject"]), typed) == expected


OPTIONS = ["once", "session", "always", "deny"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("o", Answer("once")),
        ("d that is not yours", Answer("deny", "that is not yours")),
        ("a", "Type always in full: it is not asked again in this project."),
        ("always", Answer("always")),
        ("2", Answer("session")),
        ("3", Answer("deny")),
        ("4", "Answer with one of: once, session, always, deny."),
    ],
)
def test_a_permission_for_good_is_given_in_full_only(typed: str, expected: object) -> None:
    assert parse_answer(gate(kind="permission", options=OPTIONS), typed) == expected


def test_a_question_about_a_tool_says_whose_tool_it_is_and_what_for() -> None:
    context = {
        "agent": "mara", "tool": "files__write", "arguments": '{"path": "a.md"}', "server": "npx -y files",
        "about": "Writes\na file.\x1b[2J",
    }  # fmt: skip
    asked = gate(
        kind="permission", question='May @mara use files__write with {"path": "a.md"}?', context=context
    )

    assert facts(asked) == [("tool", "files__write"), ("which", "Writes a file.␛[2J"), ("of", "npx -y files")]
    assert change(asked) == []


def test_a_question_about_a_change_shows_it() -> None:
    context = {"agent": "coder", "tool": "edit", "title": "Edit", "diff": "@@ -1 +1 @@\n-one\n+two\n"}
    asked = gate(kind="permission", question="May @coder edit: a.py", context=context)

    assert change(asked) == ["@@ -1 +1 @@", "-one", "+two"]
    assert [change_role(line) for line in change(asked)] == ["quiet", "del", "add"]


def test_other_questions_have_no_such_facts() -> None:
    assert facts(gate(context={"tool": "x", "command": "y"})) == []
