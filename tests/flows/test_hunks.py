"""Taking a change in parts, and reading what people and agents say about a text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.errors import BadInput, Incomplete
from flowide.flows.reviewing.hunks import apply, hunks_of, read_answer, refusals
from flowide.flows.reviewing.verdicts import read_answer as read_verdict
from flowide.flows.reviewing.verdicts import read_reply

BEFORE = "a\nb\nc\nd\ne\n"
AFTER = "a\nB\nc\nd\nE\nf\n"
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=12).map("".join)


def test_a_change_falls_into_hunks() -> None:
    assert [(each.number, each.diff) for each in hunks_of(BEFORE, AFTER)] == [
        (1, "@@ line 2 @@\n-b\n+B"),
        (2, "@@ line 5 @@\n-e\n+E\n+f"),
    ]


def test_some_of_it_is_taken() -> None:
    assert apply(BEFORE, AFTER, {1}) == "a\nB\nc\nd\ne\n"
    assert apply(BEFORE, AFTER, {2}) == "a\nb\nc\nd\nE\nf\n"


@given(LINES, LINES, st.booleans(), st.booleans())
def test_all_gives_the_new_text_and_none_the_old(before: str, after: str, cut: bool, short: bool) -> None:
    before, after = before[: -1 if cut else None], after[: -1 if short else None]
    found = hunks_of(before, after)

    assert apply(before, after, {each.number for each in found}) == after
    assert apply(before, after, ()) == before


@pytest.mark.parametrize(
    ("answer", "reason", "numbers", "why"),
    [
        ("all", None, {1, 2, 3, 4}, {}),
        ("None.", None, set(), {1: "", 2: "", 3: "", 4: ""}),
        ("none", "Too clever", set(), dict.fromkeys((1, 2, 3, 4), "Too clever")),
        ("1,3", None, {1, 3}, {2: "", 4: ""}),
        ("1, 3-4", "no", {1, 3, 4}, {2: "no"}),
        ("1,3; 2: changes the meaning; 4: wrong", "other", {1, 3}, {2: "changes the meaning", 4: "wrong"}),
        ("approve", None, {1, 2, 3, 4}, {}),
    ],
)
def test_answers_name_what_is_taken(
    answer: str, reason: str | None, numbers: set[int], why: dict[int, str]
) -> None:
    taken = read_answer(answer, reason, 4)

    assert (set(taken.numbers), taken.why) == (numbers, why)


@pytest.mark.parametrize("answer", ["", "some", "5", "0", "1; 9: x", "1; because", "1-99999999999"])
def test_answers_that_name_nothing_are_refused(answer: str) -> None:
    with pytest.raises(BadInput):
        read_answer(answer, None, 4)


def test_what_is_refused_is_kept_with_its_reason() -> None:
    assert refusals(hunks_of(BEFORE, AFTER), {2: "no"}) == [
        {"hunk": 2, "diff": "@@ line 5 @@\n-e\n+E\n+f", "why": "no"}
    ]


def test_a_verdict_is_found_in_what_agents_say_around_it() -> None:
    reply = {"verdict": "reject", "reasons": [{"kind": "clarity", "text": "Too long.", "where": "Risks"}, "Vague."],
             "summary": "No.", "back_to": "draft"}  # fmt: skip

    found = read_reply(f"Here:\n```json\n{json.dumps(reply)}\n```\nBye", ["draft"])

    assert (found.verdict, found.summary, found.back_to) == ("reject", "No.", "draft")
    assert [(each.kind, each.text, each.where) for each in found.reasons] == [
        ("clarity", "Too long.", "Risks"),
        ("other", "Vague.", ""),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no JSON", "no JSON"),
        ({"verdict": "maybe", "reasons": []}, "fit"),
        ({"verdict": "reject", "reasons": []}, "needs reasons"),
        ({"verdict": "reject"}, "fit"),
        ({"verdict": "reject", "reasons": "bad"}, "fit"),
        ({"verdict": "reject", "reasons": [{"kind": "taste", "text": "x"}]}, "reasons[0].kind is 'taste'"),
        ({"verdict": "reject", "reasons": ["ok", {"kind": "style"}]}, "reasons[1] must have"),
        ({"verdict": "reject", "reasons": ["x"] * 51}, "too many"),
    ],
)
def test_a_malformed_verdict_says_what_is_wrong_with_it(value: Any, said: str) -> None:
    with pytest.raises(Incomplete, match=said.replace("[", r"\[").replace("]", r"\]")):
        read_reply(value if isinstance(value, str) else json.dumps(value))


def test_a_way_back_that_is_no_stage_is_passed_over() -> None:
    reply = json.dumps({"verdict": "reject", "reasons": ["x"], "back_to": "nowhere"})

    assert read_reply(reply, ["draft"]).back_to is None


@pytest.mark.parametrize(
    ("answer", "reason", "verdict", "reasons", "back_to"),
    [
        ("approve", None, "approve", [], None),
        ("Approve.", None, "approve", [], None),
        ("reject", "too long", "reject", ["too long"], None),
        ("reject: too long", None, "reject", ["too long"], None),
        ("reject to draft: too long", "and dull", "reject", ["too long", "and dull"], "draft"),
        ("reject, back to draft - too long", None, "reject", ["too long"], "draft"),
        ("comment: nice\nand short", None, "comment", ["nice\nand short"], None),
    ],
)
def test_what_people_answer(
    answer: str, reason: str | None, verdict: str, reasons: list[str], back_to: str | None
) -> None:
    found = read_verdict(answer, reason, ["draft", "edit"])

    assert (found.verdict, [each.text for each in found.reasons], found.back_to) == (
        verdict,
        reasons,
        back_to,
    )


@pytest.mark.parametrize("answer", ["", "maybe", "reject", "reject to nowhere: x", "approved"])
def test_what_is_no_verdict_is_refused(answer: str) -> None:
    with pytest.raises(BadInput):
        read_verdict(answer, None, ["draft", "edit"])
