"""What a word of a message can become."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from flowide.tui.views.offers import named, offer_rows, offers, refusal, slash_name, slash_word
from flowide.tui.views.snapshot import Seat, Snapshot
from flowide.tui.views.spans import plain

STATE = Snapshot(me="ana", seats=(Seat(handle="edwin", role="drafter", label="a model"), Seat(handle="eve")))


def wholes(text: str) -> list[str]:
    return [each.whole for each in offers(text, text, STATE)[1]]


def test_every_command_has_a_name_of_its_own_that_can_be_typed() -> None:
    names = [slash_name(each) for each in named()]
    assert [name for name, many in Counter(names).items() if many > 1] == []
    assert all(re.fullmatch(r"/[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


def test_a_slash_alone_lists_all_commands_with_what_they_do_and_their_keys() -> None:
    _, found = offers("/", "/", STATE)
    assert len(found) == len(named())
    history = next(row for row in offer_rows(found) if plain(row.left).startswith("/history "))
    assert "Versions of the open file" in plain(history.left)
    assert plain(history.right).strip() == "H"


def test_the_name_that_is_typed_is_first_then_those_that_begin_like_it_then_others() -> None:
    assert wholes("/review")[0] == "/review"
    found = wholes("/thread")
    assert found[0] == "/thread"
    assert "/new-thread" in found
    assert wholes("/EDIT")[:2] == ["/edit", "/edit-in-editor"]


@pytest.mark.parametrize("text", ["a /edit", "/edit now", "/usr/bin", " /edit", "/edit\n", "//"])
def test_a_slash_elsewhere_offers_nothing(text: str) -> None:
    assert wholes(text) == []


def test_agents_are_offered_with_their_roles() -> None:
    word, found = offers("well, @e", "well, @e", STATE)
    assert (word, [(each.whole, each.help) for each in found]) == (
        "@e",
        [("@edwin", "drafter · a model"), ("@eve", "")],
    )


def test_what_is_no_command_is_told_with_what_may_be_meant() -> None:
    assert "no command /histroy" in refusal("/histroy")
    assert "Did you mean /history?" in refusal("/histroy")
    assert "/edit takes no words" in refusal("/edit the plan")
    assert "␛" in refusal("/\x1b[31m")


def test_only_a_message_that_begins_with_a_slash_names_a_command() -> None:
    assert slash_word("/usr/bin is missing") == "/usr/bin"
    assert slash_word(" /usr/bin is missing") == ""
    assert slash_word("and /or") == ""
