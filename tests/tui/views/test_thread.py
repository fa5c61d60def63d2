"""A thread as rows: foreign text stays text, code folds, states are told."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowide.domain import rows
from flowide.space.queries import ThreadView
from flowide.tui.views.spans import Row, plain, width_of
from flowide.tui.views.thread import (
    Page,
    Spot,
    Talk,
    completions,
    joined,
    thread_rows,
    wrapped,
)

NOW = "2026-03-01T10:41:00Z"
BOOK = {"ana": "agent-1", "edwin": "agent-2"}


def message(number: int, text: str, actor: str = "ana", **more: Any) -> rows.Message:
    given: dict[str, Any] = dict(
        thread="t", number=number, id=f"m{number}", text=text, actor=actor, kind="human", for_=None, depth=0,
        asks=[], unasked=[], edits={}, refs=[], reply_to=None, model=None, run=None, step=None, manifest=None,
        input_tokens=0, output_tokens=0, cost_micros=None, seq=number, ts=NOW,
    )  # fmt: skip
    return rows.Message(**given | more)


def turn(number: int, state: str, **more: Any) -> rows.Turn:
    given: dict[str, Any] = dict(
        message=f"m{number}", agent="edwin", thread="t", number=number, state=state, edit=None, asker="ana",
        asker_kind="human", run="r", step="s", manifest=None, reply=None, why="", error=None, seq=9, ts=NOW,
    )  # fmt: skip
    return rows.Turn(**given | more)


def decision(status: str, text: str = "Eight entries.", **more: Any) -> rows.Decision:
    given: dict[str, Any] = dict(
        id="d", number=3, text=text, status=status, thread="t", message="m1", refs=[], run=None, actor="edwin",
        kind="agent", agreed_by=None, superseded_by=None, reason="", seq=9, ts=NOW, changed=NOW,
    )  # fmt: skip
    return rows.Decision(**given | more)


def talk(*messages: rows.Message, turns: tuple[rows.Turn, ...] = (), **more: Any) -> Talk:
    thread = rows.Thread(
        id="t", title="talk", about="a", agent=None, depth=3, rate=12, pins=[], run=None, actor="ana",
        count=len(messages), chain=0, seq=1, ts=NOW, last_seq=1, last_ts=NOW, last_actor="ana",
    )  # fmt: skip
    return Talk(ThreadView(thread, None, list(messages), list(turns)), **more)


def page(width: int = 44, *unfolded: Spot) -> Page:
    return Page(width, BOOK, frozenset(unfolded), UTC)


def said(found: list[Row]) -> list[str]:
    return [plain(row.left) for row in found]


def test_a_message_begins_with_its_author_in_their_colour_its_model_and_the_version_it_is_about() -> None:
    refs = [{"kind": "artifact", "artifact": "a", "version": 13}]
    asked = message(1, "@edwin #x?", refs=refs)
    answer = message(2, "Fair.", "edwin", model="gpt", reply_to="m1")
    found = thread_rows(talk(asked, answer), page())
    head = found[3]
    assert head.left[0] == ("edwin", "agent-2 b")
    assert plain(head.left) == "edwin  gpt · v13"
    assert plain(head.right) == "#2 10:41"


def test_names_that_are_known_have_their_colour_others_are_text() -> None:
    [_, line] = thread_rows(talk(message(1, "@edwin and @nobody")), page())
    assert line.left == (("@edwin", "agent-2"), (" and ", ""), ("@nobody", ""))


def test_control_sequences_and_markup_are_shown_as_text() -> None:
    found = thread_rows(talk(message(1, "[b]x[/b] \x1b[31mred\x1b]0;t\x07", "e\x1bvil")), page())
    whole = "".join(said(found))
    assert "[b]x[/b] ␛[31mred␛]0;t␇" in whole
    assert not any(ord(each) < 32 or each == "\x7f" for each in whole)


def test_long_code_is_folded_with_its_line_count_and_shown_when_it_is_unfolded() -> None:
    code = "\n".join(f"line {n}" for n in range(12))
    one = talk(message(1, f"See:\n```python\n{code}\n```\nDone."))
    assert said(thread_rows(one, page()))[1:] == ["See:", "  ▸ 12 lines of python", "Done."]
    opened = said(thread_rows(one, page(44, Spot("code", "m1", 1))))
    assert opened[2:5] == ["  ▾ 12 lines of python", "  line 0", "  line 1"]


def test_short_code_and_a_fence_that_never_ends_are_shown() -> None:
    assert said(thread_rows(talk(message(1, "```\na\n```")), page()))[1:] == ["  a"]
    assert said(thread_rows(talk(message(1, "```\na\n~~~\nb")), page()))[1:] == ["  a", "  ~~~", "  b"]


def test_an_answer_that_is_being_written_stands_last_and_ends_with_the_cursor() -> None:
    one = talk(message(1, "@edwin?"), turns=(turn(1, "taken"),), live={("m1", "edwin"): "So far\nso goo"})
    found = thread_rows(one, page())
    assert said(found)[-2:] == ["So far", "so goo▍"]
    assert {row.key for row in found[3:]} == {Spot("turn", "m1", agent="edwin")}
    assert plain(found[3].right) == "esc stops"


def test_an_answer_that_failed_says_why_and_how_to_go_on() -> None:
    failed = turn(1, "failed", error={"message": "no key for edwin"})
    found = thread_rows(talk(message(1, "@edwin?"), turns=(failed,)), page())
    assert said(found)[2:] == ["✗ edwin  does not answer", "  no key for edwin"]
    assert plain(found[2].right) == "r asks again"


def test_a_decision_stands_under_the_message_it_came_from_with_its_state() -> None:
    one = message(1, "Decision: Eight entries.")
    for status, head in (("open", "◇ D3 open"), ("superseded", "○ D3 superseded")):
        assert said(thread_rows(talk(one, decisions=[decision(status)]), page()))[2:] == [head]
    agreed = decision("agreed", "Other words.", agreed_by="ana")
    assert said(thread_rows(talk(one, decisions=[agreed]), page()))[2:] == [
        "✓ D3 agreed by ana",
        "  Other words.",
    ]


def test_earlier_messages_that_were_not_read_are_told() -> None:
    found = thread_rows(talk(message(9_951, "late")), page())
    assert (plain(found[0].left), found[0].key) == ("↑ 9\u202f950 earlier messages", Spot("earlier", ""))


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(8, 50))
def test_no_line_is_wider_than_its_place(text: str, width: int) -> None:
    for row in thread_rows(talk(message(1, text)), page(width)):
        assert width_of(row.left) <= max(width, 30)


def test_paragraphs_are_made_one_where_their_author_broke_them_for_width() -> None:
    long = "word " * 13 + "end"
    assert joined([long, "goes on", "", "short", "stays"]) == [f"{long} goes on", "", "short", "stays"]
    assert joined([f"- {long}", "  goes on", "- next"]) == [f"- {long} goes on", "- next"]
    assert joined([long, "- a list", f"> {long}", "after a quote"]) == [
        long, "- a list", f"> {long}", "after a quote",
    ]  # fmt: skip
    assert joined([f"| {long} |", "text"]) == [f"| {long} |", "text"]


@given(st.text("ab 日本 -", max_size=120), st.integers(8, 30))
def test_wrapping_loses_no_word(text: str, width: int) -> None:
    parts = wrapped(text, width)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(cell_len(part) <= width for part in parts)


def test_names_and_paths_are_completed_at_the_cursor() -> None:
    paths = ["docs/plan.md", "src/shop.py", "my notes.md"]
    assert completions("hi @e", ["edwin", "quinn"], paths) == ("@e", ["@edwin"])
    assert completions("@", ["edwin"], paths)[1] == ["@edwin", "@all"]
    assert completions("see #pl", [], paths) == ("#pl", ["#docs/plan.md"])
    assert completions("#my", [], paths)[1] == ['#"my notes.md"']
    assert completions("ana@e", ["edwin"], paths) == ("", [])
    assert completions("nothing ", ["edwin"], paths) == ("", [])
