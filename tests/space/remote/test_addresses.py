"""Where a hub's space is, who this device is there, and what the hub alone can answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.commands import COMMANDS
from flowide.errors import AuthFailed, BadInput
from flowide.space import queries as q
from flowide.space.queries import Query
from flowide.space.remote import credentials
from flowide.space.remote.address import Address, address_of, is_address
from flowide.space.remote.credentials import Seat
from flowide.space.remote.questions import AT_HUB
from flowide.space.remote.waiting import WAITS
from flowide.space.wire.calls import QUERIES


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://hub.example.org/shop", Address(True, "hub.example.org", 443, "", "shop")),
        ("wss://hub.example.org:8443/team/shop/", Address(True, "hub.example.org", 8443, "/team", "shop")),
        ("http://127.0.0.1:7420/shop", Address(False, "127.0.0.1", 7420, "", "shop")),
        ("ws://[::1]:7420/v1/spaces/shop", Address(False, "::1", 7420, "", "shop")),
    ],
)
def test_an_address_names_a_hub_and_a_space(url: str, meant: Address) -> None:
    found = address_of(url)

    assert found == meant and is_address(url)
    assert address_of(found.url) == meant


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://hub.example.org", "no space"),
        ("https://hub.example.org/", "no space"),
        ("ftp://hub.example.org/shop", "no address"),
        ("https:///shop", "no address"),
        ("https://ana:secret@hub.example.org/shop", "no name, password"),
        ("https://hub.example.org/shop?token=secret", "query"),
        ("https://hub.example.org:port/shop", "no address"),
        ("http://hub.example.org/shop", "readable through the network"),
    ],
)
def test_a_wrong_address_is_told(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        address_of(url)

    assert "secret" not in refused.value.message.replace(url, "")


def test_plain_http_is_possible_where_it_is_wanted() -> None:
    assert address_of("http://hub.lan/shop", plain_http=True).stream(7, "ab") == (
        "ws://hub.lan/v1/spaces/shop/stream?after=7&chain=ab"
    )


SHOP = address_of("https://hub.example.org/shop")


def test_a_device_may_be_several_people_and_says_which(tmp_path: Path) -> None:
    file = tmp_path / "home" / "credentials"
    credentials.store(Seat(SHOP.url, "ana", "flw_1"), file)
    assert credentials.seat_of(SHOP, None, file).handle == "ana"
    credentials.store(Seat(SHOP.url, "edwin", "flw_2", kind="agent", for_="ana"), file)

    with pytest.raises(AuthFailed, match="several people"):
        credentials.seat_of(SHOP, None, file)
    assert credentials.seat_of(SHOP, "edwin", file).actor.for_ == "ana"
    credentials.store(Seat(SHOP.url, "ana", "flw_3"), file)
    assert [seat.token for seat in credentials.seats(file)] == ["flw_2", "flw_3"]
    credentials.forget(SHOP.url, "edwin", file)

    assert credentials.seat_of(SHOP, None, file).token == "flw_3"
    with pytest.raises(AuthFailed, match="has not joined"):
        credentials.seat_of(SHOP, "rod", file)


def test_a_file_of_tokens_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    credentials.store(Seat(SHOP.url, "ana", "flw_1"), file)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)

    with pytest.raises(BadInput, match="read by others"):
        credentials.seats(file)


def test_a_token_is_in_no_text_about_its_seat() -> None:
    assert "flw_1" not in repr(Seat(SHOP.url, "ana", "flw_1"))


LASTING = {
    q.Artifacts, q.FindArtifact, q.ArtifactAt, q.History, q.Content, q.VariationSets, q.OneVariationSet,
    q.VariationText, q.Runs, q.Gates, q.Commits, q.Threads, q.FindThread, q.ThreadMessages, q.OneMessage,
    q.LatestMessage, q.Spoken, q.Turns, q.OneTurn, q.Decisions, q.OneDecision, q.Reviews, q.OneReview, q.Reasons,
    q.DraftContent, q.Members, q.Tokens,
}  # fmt: skip
"""Questions whose answer follows from the events alone."""


def test_every_question_is_known_to_follow_from_events_or_to_need_the_hub() -> None:
    unknown: set[type[Query[object]]] = set(QUERIES.values()) - LASTING - set(AT_HUB)

    assert unknown == set()


def test_what_waits_are_commands() -> None:
    assert set(COMMANDS) >= WAITS
