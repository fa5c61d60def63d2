"""Only code verifies: a sentence counts when what it cites is there."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowide.errors import NotFound
from flowide.flows.research.claims import UNVERIFIED, Claim, checked, line_of, sentences
from flowide.flows.research.sources import PART, Source, matching, parts_of

TEXTS = {"S1": "First line.\nThe cache\nholds   two entries at most.\n", "S2": "Nothing of use."}
GOOD = Claim("S1.1", "a.md", 1, "Two at most.", "holds two entries", 3)
ALSO = Claim("S1.2", "a.md", 1, "First.", "First line.", 1)
BAD = Claim("S2.1", "b.md", 2, "Three.", "holds three entries", None)


def marked(document: str) -> str:
    text, _ = checked(document, [GOOD, ALSO, BAD], TEXTS)
    return text.partition("\n## Sources")[0]


@pytest.mark.parametrize(
    "sentence",
    [
        "It holds two [S1.1].",
        "It holds two. [S1.1]",
        "It holds two [S1.1, S1.2].",
        "It holds two [S1.1] [S1.2].",
        "- It holds two [S1.1]",
        "> It holds two [S1.1].",
        "It is said that it “holds two entries at most” [S1.1].",
        'So-called "entries" [S1.1].',
        "# What it holds",
        "How many does it hold?",
        "It holds:",
        "```\nanything at all\n```",
        "| a | b |\n|---|---|\n| two | [S1.1] |",
        "Title\n=====",
        "---\ntitle: anything\n---",
        "It holds, e.g. Two of them, i.e. Dr. A. Smith's [S1.1].",
    ],
)
def test_what_is_there_or_claims_nothing_is_not_marked(sentence: str) -> None:
    assert UNVERIFIED not in marked(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "It holds three.",
        "It holds three [S2.1].",
        "It holds three [S9.9].",
        "It holds three [S1].",
        "It holds three [S1.1, S2.1].",
        "It holds three [S1.1, S9.9].",
        "It is said that it “holds four entries at most” [S1.1].",
        "- It holds three",
        "1. It holds three",
        "| three | [S2.1] |",
        "It holds three. Is it so?",
    ],
)
def test_what_is_not_there_is_marked_once(sentence: str) -> None:
    assert marked(sentence).count(UNVERIFIED) == 1


def test_a_mark_stands_behind_its_sentence() -> None:
    text = marked("It holds two [S1.1]. It is fast. It has a line [S1.2].")

    assert text == f"It holds two [S1.1]. It is fast. {UNVERIFIED} It has a line [S1.2].\n"


def test_a_writer_cannot_verify_or_mark_by_itself() -> None:
    text, count = checked(f"It holds two [S1.1]. {UNVERIFIED}", [GOOD], TEXTS)

    assert UNVERIFIED not in text
    assert count == {"verified": 1, "unverified": 0}


def test_sources_are_listed_with_version_and_line_or_as_missing() -> None:
    text, _ = checked("Two [S1.1]. Three [S2.1].", [GOOD, ALSO, BAD], TEXTS)

    assert text.split("## Sources\n\n")[1].splitlines() == [
        '- S1.1: a.md, version 1, line 3: "holds two entries"',
        '- S2.1: b.md, version 2. Not found there: "holds three entries"',
    ]


@pytest.mark.parametrize(
    ("quote", "line"),
    [("The cache holds two", 2), ("First line.", 1), ("holds three", None), ("", None), ("the cache", None)],
)
def test_a_quote_is_found_when_only_its_white_space_differs(quote: str, line: int | None) -> None:
    assert line_of(quote, TEXTS["S1"]) == line


@given(st.text(max_size=200))
def test_sentences_lose_nothing(text: str) -> None:
    assert "".join(sentences(text)) == text


@example("|1|")
@given(st.text(alphabet="ab.!? \n|-#`>*[]S1.", max_size=120))
def test_a_check_only_adds_marks(text: str) -> None:
    assert marked(text).replace(f" {UNVERIFIED}", "").split() == text.split()


@given(st.text(alphabet="ab \n", max_size=400), st.integers(1, 200))
def test_parts_lose_nothing(text: str, times: int) -> None:
    long = text * times

    parts = parts_of(Source("S1", "a.md", "id", 1), long)

    assert "".join(part.text for part in parts) == long
    assert all(len(part.text) <= PART for part in parts)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.md", ["a.md"]),
        ("*.md", ["a.md"]),
        ("./docs/*.md", ["docs/b.md"]),
        ("docs/**/*.md", ["docs/b.md", "docs/x/c.md"]),
        ("**/*.md", ["a.md", "docs/b.md", "docs/x/c.md"]),
        ("docs/**", ["docs/b.md", "docs/x/c.md"]),
        ("?.md", ["a.md"]),
        ("docs", ["docs/b.md", "docs/x/c.md"]),
        ("./docs/x/", ["docs/x/c.md"]),
        ("docs/*", ["docs/b.md"]),
    ],
)
def test_patterns_name_files(pattern: str, found: list[str]) -> None:
    assert matching([pattern], ["a.md", "docs/b.md", "docs/x/c.md", "src/d.py"]) == found


@pytest.mark.parametrize("pattern", ["b.md", "*.txt", "../a.md", "/a.md", "a+.md", "doc", "*/"])
def test_a_pattern_that_names_nothing_is_told(pattern: str) -> None:
    with pytest.raises(NotFound, match="no file of the project matches"):
        matching(["a.md", pattern], ["a.md", "docs/b.md"])
