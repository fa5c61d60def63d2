"""Who is spoken to, and what is pointed at."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain.mentions import edit_wishes, parse, prose_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@edwin what do you think?", ["edwin"]),
        ("what do you think, @edwin?", ["edwin"]),
        ("@Edwin and @QUINN: hello", ["edwin", "quinn"]),
        ("(@edwin) [@quinn] *@mara* _@ana_ \"@rod\"", ["edwin", "quinn", "mara", "ana", "rod"]),
        ("@edwin's turn", ["edwin"]),
        ("@edwin. Then @quinn.", ["edwin", "quinn"]),
        ("@edwin @edwin", ["edwin"]),
        ("@all please", ["all"]),
        ("@code-reviewer_2, look", ["code-reviewer_2"]),
        ("line one\n@edwin", ["edwin"]),
        ("für @edwin…", ["edwin"]),
        ("mail ana@example.com", []),
        ("mail @example.com", []),
        ("a.b+c@edwin", []),
        ("@types/node and @edwin", ["edwin"]),
        ("\\@edwin", []),
        ("@@edwin", []),
        ("@edwin@host", []),
        ("@édwin @edwiné", []),
        ("@ edwin", []),
        ("@-edwin", []),
        ("see https://x.org/@edwin", []),
        ("`@edwin`", []),
        ("``a ` @edwin`` @quinn", ["quinn"]),
        ("a ` stray @edwin", ["edwin"]),
        ("`open\n\n@edwin`", ["edwin"]),
        ("```py\n@edwin\n```\n@quinn", ["quinn"]),
        ("~~~\n@edwin\n```\n@quinn\n~~~\n@mara", ["mara"]),
        ("```\n@edwin never closed", []),
        ("> @edwin said\n@quinn", ["quinn"]),
        ("", []),
        ("@" + "a" * 200, []),
    ],
)  # fmt: skip
def test_mentions(text: str, names: list[str]) -> None:
    assert parse(text).names == names


@pytest.mark.parametrize(
    ("text", "asked", "meant"),
    [
        ("@edwin what do you think of what @quinn just said about #a.md", ["edwin"], ["quinn"]),
        ("What @quinn said, @quinn?", ["quinn"], ["quinn"]),
        ("@edwin, is @quinn's last message right?", ["edwin"], ["quinn"]),
        ("what @mara has just proposed", [], ["mara"]),
        ("what @mara does", ["mara"], []),
        ("`what @mara said`", [], []),
    ],
)
def test_whose_words_are_meant_is_not_asked(text: str, asked: list[str], meant: list[str]) -> None:
    parsed = parse(text)

    assert parsed.names == asked
    assert [each.name for each in parsed.said] == meant


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see #docs/a.md", [("docs/a.md", None, None)]),
        ("see #docs/a.md.", [("docs/a.md", None, None)]),
        ("(#a.md@3)", [("a.md", 3, None)]),
        ("#cache.py:LRUCache.get?", [("cache.py", None, "LRUCache.get")]),
        ("#cache.py@2:LRUCache._evict.", [("cache.py", 2, "LRUCache._evict")]),
        ('#a.md:"Open risks" now', [("a.md", None, "Open risks")]),
        ('#"my notes.md"@4', [("my notes.md", 4, None)]),
        ("#a.md: what now", [("a.md", None, None)]),
        ("#12 and #0192f1aa", [("12", None, None), ("0192f1aa", None, None)]),
        ("# Heading\n## Other", []),
        ("x#y &#123; http://a/#frag", []),
        ("`#a.md`", []),
        ("#a.md,#b.md;#c.md", [("a.md", None, None), ("b.md", None, None), ("c.md", None, None)]),
        ("#ä/ö.md", [("ä/ö.md", None, None)]),
    ],
)
def test_references(text: str, found: list[tuple[str, int | None, str | None]]) -> None:
    assert [(each.target, each.version, each.piece) for each in parse(text).references] == found


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("@mara apply that to #x.md", [("mara", "x.md")]),
        ("@mara please apply that to #x.md.", [("mara", "x.md")]),
        ("@mara, could you fix the typo in #x.md?", [("mara", "x.md")]),
        ("Good. @mara: rewrite #x.md:Risks so that it is short", [("mara", "x.md")]),
        ("@mara remove the second list from #x.md", [("mara", "x.md")]),
        ("@edwin what do you think? @mara apply it to #x.md", [("mara", "x.md")]),
        ("@mara add your thoughts on #x.md", []),
        ("@mara what would you change in #x.md?", []),
        ("@mara would you change anything in #x.md?", []),
        ("@mara fix what @quinn said about #x.md", []),
        ("@mara I changed it. Look at #x.md", []),
        ("@mara `apply that to #x.md`", []),
        ("@mara update me on #x.md", []),
        ("@mara applying that to #x.md was wrong", []),
        ("@mara make a list of #x.md", []),
        ("@mara create something like #x.md", []),
        ("@mara create #x.md", []),
    ],
)
def test_who_is_asked_to_change_what(text: str, wishes: list[tuple[str, str]]) -> None:
    assert [(each.name, each.reference.target) for each in edit_wishes(text) if each.changes] == wishes


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        ("@mara create #x.md", True),
        ("@mara, please draft the new file #x.md with what we said", True),
        ("@mara write that up in #x.md", True),
        ("@mara put it into a new file #x.md", True),
        ("@mara save that as #x.md", True),
        ("@mara make a page called #x.md", True),
        ("@mara write a poem about #x.md", False),
        ("@mara make a list of #x.md", False),
        ("@mara what would #x.md be?", False),
        ("@mara create nothing. See #x.md", False),
    ],
)
def test_who_is_asked_to_make_a_file(text: str, makes: bool) -> None:
    assert any(each.makes for each in edit_wishes(text)) == makes


@given(st.text(alphabet=st.sampled_from("@#`~>\n .:\"'abZ19_-/\\é"), max_size=120))
def test_whatever_is_said_spans_are_what_they_say(text: str) -> None:
    parsed = parse(text)

    assert len(prose_of(text)) == len(text)
    for mention in parsed.mentions:
        assert text[mention.start : mention.end].lower() == f"@{mention.name}"
    for reference in parsed.references:
        assert text[reference.start] == "#"
        assert reference.target in text[reference.start : reference.end]


@given(st.text(max_size=60), st.sampled_from(["```\n{}\n```\n", "`{}`", "> {}\n"]))
def test_code_and_quotes_speak_to_nobody(words: str, around: str) -> None:
    inside = words.replace("`", "").replace("\r", "").replace("\n", " ").replace("\v", "")
    inside = " ".join((inside + " @edwin #a.md").splitlines())

    parsed = parse(around.format(inside))

    assert parsed.mentions == [] and parsed.references == []


@pytest.mark.parametrize(
    "text", ["`" * 50_000, "`a``b" * 20_000, "@a" * 50_000, "#a:" * 40_000, "@mara fix " * 9000]
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    began = time.monotonic()

    edit_wishes(text)

    assert time.monotonic() - began < 10
