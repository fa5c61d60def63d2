"""Reasoning that a model writes in front of its answer, parted from it however it is cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from flowide.agents.worker.thinking import ThinkingSplitter


def split(parts: list[str]) -> tuple[str, str]:
    """Reasoning and answer."""
    splitter = ThinkingSplitter()
    said = [each for part in parts for each in splitter.feed(part)]
    said += list(splitter.end())
    return (
        "".join(text for thought, text in said if thought),
        "".join(text for thought, text in said if not thought),
    )


def cut(text: str, places: list[int]) -> list[str]:
    at = sorted({0, *(place % (len(text) + 1) for place in places), len(text)})
    return [text[start:end] for start, end in pairwise(at)]


@settings(deadline=None)
@given(st.text(), st.text(min_size=1), st.lists(st.integers(min_value=0)))
def test_it_does_not_matter_where_the_text_is_cut(thought: str, answer: str, places: list[int]) -> None:
    whole = f"<think>{thought}</think>\n\n{answer}"

    assert split(cut(whole, places)) == split([whole])


@settings(deadline=None)
@given(st.text(), st.lists(st.integers(min_value=0)))
def test_an_answer_without_reasoning_comes_through_unchanged(answer: str, places: list[int]) -> None:
    if not answer.lstrip().startswith("<think>"):
        assert split(cut(answer, places)) == ("", answer)


def test_reasoning_goes_to_one_side_and_the_answer_to_the_other() -> None:
    assert split(["<thi", "nk>Hm.", "</thi", "nk>\n\n# Notes\n"]) == ("Hm.", "# Notes\n")


def test_a_tag_in_the_middle_of_an_answer_is_text() -> None:
    assert split(["Use <think>", " tags </think>."]) == ("", "Use <think> tags </think>.")


def test_reasoning_that_never_ends_is_no_answer() -> None:
    assert split(["<think>Hm", "m</th"]) == ("Hmm</th", "")
