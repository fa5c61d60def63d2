"""`flowide drafts` and `flowide draft`: texts that outlived their lock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Here

SHOP = "src/shop.py"


def leave(flowide: Here, text: bytes, *, by: str = "ana") -> dict[str, Any]:
    """The draft of a save that came too late."""
    fence = flowide("lock", "acquire", SHOP, "--as", by, "--json").json["fence"]
    flowide("lock", "release", SHOP, "--as", by)
    flowide("save", SHOP, "--fence", str(fence), "--as", by, input=text)
    newest: dict[str, Any] = flowide("drafts", "--json").json[0]
    return newest


def test_without_drafts_the_list_is_empty(flowide: Here) -> None:
    said = flowide("drafts")

    assert (said.code, said.out) == (0, "")
    assert flowide("drafts", "--json").json == []


def test_drafts_are_listed_newest_first_with_whose_and_why(flowide: Here) -> None:
    first, second = leave(flowide, b"one\n"), leave(flowide, b"two\n", by="bob")

    listed = flowide("drafts", "--json").json

    assert [each["id"] for each in listed] == [second["id"], first["id"]]
    assert [(each["actor"], each["path"], each["size"]) for each in listed] == [
        ("bob", SHOP, 4),
        ("ana", SHOP, 4),
    ]
    assert all(each["why"] and each["ts"] and each["base"] for each in listed)
    assert len(flowide("drafts", "--artifact", SHOP, "--json").json) == 2


def test_a_draft_is_shown_by_id_by_its_start_and_as_the_last(flowide: Here) -> None:
    draft = leave(flowide, b"words\r\n")

    for ref in (draft["id"], draft["id"][:-4], "last"):
        assert flowide("draft", "show", ref).out == "words\r\n"


def test_a_draft_is_compared_with_the_newest_version(flowide: Here) -> None:
    leave(flowide, (flowide.root / SHOP).read_bytes() + b"# more\n")

    assert "+# more" in flowide("draft", "show", "last", "--diff").out.splitlines()
    assert "+# more" in flowide("draft", "show", "last", "--json").json["diff"]


def test_an_adopted_draft_is_saved_under_its_new_fence(flowide: Here) -> None:
    leave(flowide, b"words\n")

    adopted = flowide("draft", "adopt", "last", "--json").json

    assert flowide("lock", "list", "--json").json[0]["fence"] == adopted["fence"]
    said = flowide("save", SHOP, "--fence", str(adopted["fence"]), input=b"words\n")
    assert said.code == 0, said
    assert flowide("drafts", "--json").json == []


def test_a_draft_is_not_adopted_while_somebody_works(flowide: Here) -> None:
    leave(flowide, b"words\n")
    flowide("lock", "acquire", SHOP, "--as", "bob")

    said = flowide("draft", "adopt", "last", "--json")

    assert (said.code, said.json["code"], said.json["data"]["holder"]) == (5, "busy", "bob")
    assert len(flowide("drafts", "--json").json) == 1


def test_a_discarded_draft_is_offered_no_more(flowide: Here) -> None:
    draft = leave(flowide, b"words\n")

    assert flowide("draft", "discard", draft["id"]).code == 0

    assert flowide("drafts", "--json").json == []
    assert flowide("draft", "adopt", draft["id"]).code in {2, 9}
    assert flowide("draft", "show", draft["id"]).out == "words\n"  # by its id, in case that was a mistake


@pytest.mark.parametrize("ref", ["", "nope", "last", "%", "0" * 40, "\x1b[31m"])
@pytest.mark.parametrize("command", ["show", "adopt", "discard"])
def test_a_draft_that_is_not_there_is_bad_input(flowide: Here, command: str, ref: str) -> None:
    said = flowide("draft", command, ref, "--json")

    assert (said.code, said.json["code"]) == (2, "not_found")
    assert "\x1b" not in said.err


def test_a_start_that_fits_several_drafts_is_refused(flowide: Here) -> None:
    leave(flowide, b"one\n")
    leave(flowide, b"two\n")

    said = flowide("draft", "discard", "0")

    assert said.code == 2
    assert len(flowide("drafts", "--json").json) == 2
