"""What must be given is given; the rest as there is room; nothing is left out in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.agents.context import Item, Kind, decode, encode, fit, quoted, tokens_of, without_marks
from flowide.errors import BadInput


def item(name: str, size: int, *, kind: Kind = "artifact", must: bool = False, missing: str = "") -> Item:
    return Item(kind=kind, name=name, text="x" * (4 * size), reason="r", must=must, missing=missing)


def test_a_token_is_taken_for_four_bytes() -> None:
    assert [tokens_of(text) for text in ("", "a", "abcd", "abcde", "ööö")] == [0, 1, 1, 2, 2]


def test_all_is_given_when_there_is_room() -> None:
    fitted = fit("edwin", [item("a", 10), item("b", 20)], 30)

    assert [each.name for each in fitted.items] == ["a", "b"]
    assert (fitted.manifest.tokens, fitted.manifest.budget) == (30, 30)


def test_what_has_no_room_is_listed_with_the_reason() -> None:
    fitted = fit("edwin", [item("a", 10), item("b", 25), item("c", 5)], 20)

    assert [each.name for each in fitted.items] == ["a", "c"]
    [left] = fitted.manifest.left_out
    assert (left.name, left.tokens, left.why) == ("b", 25, "takes 25 tokens, 10 are left")


def test_what_must_be_given_comes_first_wherever_it_stands() -> None:
    fitted = fit("edwin", [item("a", 10), item("D1", 15, kind="decision", must=True)], 20)

    assert [each.name for each in fitted.items] == ["D1"]


def test_a_budget_that_is_too_small_for_what_must_be_given_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        fit("edwin", [item("D1", 15, must=True), item("pin", 10, must=True)], 20)

    assert refused.value.data == {"tokens": 25, "budget": 20}


def test_a_conversation_has_no_holes() -> None:
    messages = [item(f"#{n}", size, kind="message") for n, size in [(1, 1), (2, 1), (3, 50), (4, 5)]]

    fitted = fit("edwin", messages, 20, order=[3, 2, 1, 0])

    assert [each.name for each in fitted.items] == ["#4"]
    assert [each.why for each in fitted.manifest.left_out] == [
        "older than #3, which had no room",
        "older than #3, which had no room",
        "takes 50 tokens, 15 are left",
    ]


def test_what_is_missing_is_listed() -> None:
    fitted = fit("edwin", [item("a", 0, missing="it was never a text")], 20)

    assert fitted.items == []
    assert [(each.name, each.why, each.sha256) for each in fitted.manifest.left_out] == [
        ("a", "it was never a text", None)
    ]


def test_a_manifest_survives_storage() -> None:
    manifest = fit("edwin", [item("a", 10), item("b", 25)], 20).manifest

    assert decode(encode(manifest)) == manifest


ITEMS = st.lists(
    st.builds(
        item,
        st.text("abc", min_size=1, max_size=3),
        st.integers(0, 40),
        kind=st.sampled_from(["artifact", "message", "decision"]),
        must=st.booleans(),
    ),
    max_size=12,
)


@given(ITEMS, st.integers(0, 200))
def test_nothing_is_lost_and_nothing_is_over(items: list[Item], budget: int) -> None:
    try:
        fitted = fit("edwin", items, budget)
    except BadInput:
        assert sum(tokens_of(each.text) for each in items if each.must) > budget
        return

    assert fitted == fit("edwin", items, budget)
    assert fitted.manifest.tokens == sum(tokens_of(each.text) for each in fitted.items) <= budget
    assert all(each in fitted.items for each in items if each.must)
    assert len(fitted.manifest.items) == len(items)
    assert all(each.why for each in fitted.manifest.left_out)


@given(st.text())
def test_marks_cannot_be_closed_by_what_stands_between_them(text: str) -> None:
    lines = quoted(text).split("\n")

    assert lines[0].strip("<>") == lines[-1].strip("</>")
    assert lines[-1] not in lines[1:-1]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_that_a_model_repeats_are_no_part_of_its_answer(newline: str) -> None:
    reply = newline.join(["One.", *quoted("the text").split("\n"), "Two."])

    assert without_marks(reply, "the text") == newline.join(["One.", "the text", "Two."])
    assert without_marks(quoted("the text"), "the text") == "the text\n"


def test_marks_that_stand_in_the_text_itself_stay() -> None:
    text = quoted("an example")

    assert without_marks(f"{text}\nand more", f"Prompts look like this:\n{text}\n") == f"{text}\nand more"
