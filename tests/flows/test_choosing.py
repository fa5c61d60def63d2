"""Answers to "which variation?"."""

from __future__ import annotations

import pytest

from flowide.errors import BadInput
from flowide.flows.choosing import Choice, read_answer

PIECES = {
    2: {"Cache": b"", "Cache._evict": b"new", "Cache.get": b"", "_shrink": b"x"},
    4: {"Cache": b"", "Cache._evict": b"old", "Cache.get": b""},
}


@pytest.mark.parametrize("answer", ["4", " 4 ", "#4", "variation 4", "number 4."])
def test_a_number_picks(answer: str) -> None:
    assert read_answer(answer, PIECES) == Choice(base=4)


@pytest.mark.parametrize(
    "answer",
    [
        "4 but with the _evict of 2",
        "4 with _evict from number 2",
        "number 4 but with the evict method of number 2",
        "4 with 2:Cache._evict",
        "#4 + the Cache._evict of #2.",
    ],
)
def test_a_sentence_blends(answer: str) -> None:
    assert read_answer(answer, PIECES) == Choice(base=4, takes=[(2, "Cache._evict")])


def test_several_pieces_of_several_variations() -> None:
    choice = read_answer("4 with the _evict of 2 and 2:Cache.get", PIECES)

    assert choice == Choice(base=4, takes=[(2, "Cache._evict"), (2, "Cache.get")])


@pytest.mark.parametrize(
    ("answer", "more", "wish"),
    [
        ("more", 3, ""),
        ("more 2", 2, ""),
        ("give me 4 more", 4, ""),
        ("more 2 with fewer locks", 2, "with fewer locks"),
        ("more: shorter names", 3, "shorter names"),
    ],
)
def test_more_is_asked_for_with_a_wish(answer: str, more: int, wish: str) -> None:
    assert read_answer(answer, PIECES) == Choice(more=more, wish=wish)


def test_a_rejection_has_its_reason() -> None:
    assert read_answer("reject: too long", PIECES) == Choice(rejected=True, reason="too long")


@pytest.mark.parametrize(
    "answer", ["the nicest", "", "4 with the nicest helper of 2", "whatever you think", "٤"]
)
def test_what_is_not_plain_is_left_to_an_agent(answer: str) -> None:
    assert read_answer(answer, PIECES) in (None, Choice(base=4))


@pytest.mark.parametrize("answer", ["7", "4 with 2:Cache.nope", "4 with 9:Cache.get", "more 50"])
def test_what_is_not_there_is_said(answer: str) -> None:
    with pytest.raises(BadInput):
        read_answer(answer, PIECES)


@pytest.mark.parametrize(
    ("answer", "takes"),
    [
        ("2 with 3:The answer", [(3, "The answer")]),
        ("2 with 3:Risks and limits", [(3, "Risks and limits")]),
        ("2 with 3:Risks and limits and 1:The answer", [(3, "Risks and limits"), (1, "The answer")]),
        ("2 but with 3:The answer, 1:The answer.", [(3, "The answer"), (1, "The answer")]),
    ],
)
def test_headings_of_several_words_are_picked_by_name(answer: str, takes: list[tuple[int, str]]) -> None:
    pieces = {number: {"The answer": b"x", "Risks and limits": b"y"} for number in (1, 2, 3)}

    choice = read_answer(answer, pieces)

    assert choice is not None
    assert (choice.base, choice.takes) == (2, takes)
