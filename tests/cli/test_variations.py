"""`flowide variations`: looked at, compared, marked, blended, accepted."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Here
from tests.project_with_agents import SHOP, shop, write_agent

RUN = ("run", "variations", "--brief", "Better", "--set", "path=src/shop.py", "--set", "n=4", "--headless")


@pytest.fixture
def made(flowide: Here) -> Here:
    """Four variations of a shop wait for a choice."""
    assert flowide(*RUN).code == 3
    return flowide


def marks(made: Here, number: int) -> dict[str, object]:
    row: dict[str, object] = made("variations", "list", "last", "--json").json[number - 1]
    return row


def test_sets_and_their_variations_are_listed(made: Here) -> None:
    [group] = made("variations", "list", "--json").json

    assert (group["title"], group["count"], group["brief"]) == ("src/shop.py", 4, "Better")
    rows = made("variations", "list", group["id"][:13], "--json").json
    assert [(row["number"], row["actor"]) for row in rows] == [
        (1, "anders"),
        (2, "bea"),
        (3, "anders"),
        (4, "bea"),
    ]
    assert "scripted/bea" in made("variations", "list", "last").out


def test_a_variation_is_printed_byte_for_byte(made: Here) -> None:
    assert made("variations", "show", "last", "3").out == shop(3)
    assert made("variations", "show", "last", "0").out == SHOP
    assert made("variations", "show", "last", "2", "--json").json["text"] == shop(2)


def test_pieces_are_compared_by_letters_and_two_variations_by_lines(made: Here) -> None:
    table = made("variations", "compare", "last").out

    assert [line.split() for line in table.splitlines() if line.startswith("Shop.add")] == [
        ["Shop.add", "A", "A", "A", "A"]
    ]
    lines = made("variations", "compare", "last", "1", "2").out
    assert "-    def" not in lines
    assert "+        return sum(self.stock.values()) * 2 // 2" in lines


def test_tags_short_list_and_notes_are_kept(made: Here) -> None:
    made("variations", "tag", "last", "2", "fast", "wordy")
    made("variations", "tag", "last", "2", "--remove", "wordy")
    made("variations", "shortlist", "last", "2", "4")
    made("variations", "shortlist", "last", "4", "--off")
    made("variations", "note", "last", "2", "reads best", "--score", "8")
    made("variations", "reject", "last", "3")

    second = marks(made, 2)
    assert (second["tags"], second["shortlisted"]) == (["fast"], True)
    assert str(second["notes"]).count("reads best") == 1
    assert not marks(made, 4)["shortlisted"]
    assert marks(made, 3)["rejected"]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "last", "9"),
        ("show", "0192", "1"),
        ("tag", "last", "9", "fast"),
        ("shortlist", "last", "2", "9"),
        ("note", "last", "2", "good", "--score", "11"),
        ("blend", "last"),
        ("blend", "last", "--base", "9", "--take", "2:Shop._sum"),
        ("blend", "last", "--base", "4", "--take", "2:Shop.nothing"),
        ("blend", "last", "4 but better", "--dry-run"),
        ("accept", "last", "9"),
        ("more", "last", "11"),
    ],
)
def test_what_is_not_there_is_refused_and_changes_nothing(made: Here, words: tuple[str, ...]) -> None:
    before = made("events").lines

    assert made("variations", *words).code == 2

    assert made("events").lines == before


def test_a_blend_is_a_new_variation_with_the_origin_of_each_piece(made: Here) -> None:
    said = made("variations", "blend", "last", "--base", "4", "--take", "2:Shop._sum", "--json").json

    assert (said["number"], said["base"], said["takes"]) == (5, 4, ["2:Shop._sum"])
    text = made("variations", "show", "last", "5").out
    assert text == shop(4).replace("* 4 // 4", "* 2 // 2")
    row = marks(made, 5)
    assert row["parents"] == [{"variation": 4}, {"variation": 2, "piece": "Shop._sum"}]


def test_a_sentence_blends_as_well_and_a_dry_run_keeps_nothing(made: Here) -> None:
    shown = made("variations", "blend", "last", "4 but with the _sum of 2", "--dry-run").out
    assert len(made("variations", "list", "last", "--json").json) == 4

    made("variations", "blend", "last", "4 but with the _sum of 2")

    assert made("variations", "show", "last", "5").out == shown


def test_an_agent_makes_picks_of_a_sentence_that_is_not_plain(made: Here) -> None:
    picks = {"base": 4, "takes": [{"variation": 2, "piece": "Shop._sum"}]}
    replies = [
        {"on": "resolve", "when": "there is no variation 9", "text": json.dumps(picks)},
        {"on": "resolve", "text": json.dumps({"base": 9, "takes": []})},
    ]
    write_agent(made.root, "anders", replies)

    said = made(
        "variations",
        "blend",
        "last",
        "the fourth, with how the second sums up",
        "--agents",
        "anders",
        "--json",
    )

    told = said.json
    assert (told["number"], told["base"], told["takes"]) == (5, 4, ["2:Shop._sum"])
    assert "is understood as: 4 with 2:Shop._sum" in said.err
    assert made("variations", "show", "last", "5").out == shop(4).replace("* 4 // 4", "* 2 // 2")
    assert made("runs", "show", told["run"], "--json").json["totals"]["calls"] == 2


def test_a_sentence_that_no_agent_understands_makes_no_blend(made: Here) -> None:
    write_agent(made.root, "anders", [{"on": "resolve", "text": '{"base": 9, "takes": []}'}])

    said = made("variations", "blend", "last", "4 but better", "--agents", "anders")

    assert said.code == 2
    assert "there is no variation 9" in said.err
    assert len(made("variations", "list", "last", "--json").json) == 4


def test_a_variation_is_accepted_without_a_run(made: Here) -> None:
    said = made("variations", "accept", "last", "3", "-m", "plain", "--json").json

    assert (said["path"], said["version"], said["number"]) == ("src/shop.py", 2, 3)
    assert (made.root / "src/shop.py").read_text() == shop(3)
    assert marks(made, 3)["accepted"] == 2
    assert made("lock", "list", "--json").json == []


def test_another_variation_of_the_same_set_may_take_its_place(made: Here) -> None:
    made("variations", "accept", "last", "3")

    assert made("variations", "accept", "last", "1").code == 0
    assert (made.root / "src/shop.py").read_text() == shop(1)


def test_a_file_that_has_moved_on_is_not_overwritten_unless_its_version_is_named(made: Here) -> None:
    (made.root / "src/shop.py").write_text("# by hand\n")

    refused = made("variations", "accept", "last", "3", "--json")

    assert refused.code == 9
    assert refused.json["data"]["version"] == 2
    assert (made.root / "src/shop.py").read_text() == "# by hand\n"
    assert made("variations", "accept", "last", "3", "--base", "1").code == 9
    assert made("variations", "accept", "last", "3", "--base", "2").code == 0
    assert (made.root / "src/shop.py").read_text() == shop(3)


def test_a_variation_is_saved_to_another_path(made: Here) -> None:
    said = made("variations", "accept", "last", "2", "--path", "src/other.py", "--json").json

    assert (said["path"], said["version"]) == ("src/other.py", 1)
    assert (made.root / "src/other.py").read_text() == shop(2)
    assert (made.root / "src/shop.py").read_text() == SHOP
    assert marks(made, 2)["accepted"] == 1


def test_a_locked_file_is_refused_with_its_holder(made: Here) -> None:
    made("lock", "acquire", "src/shop.py", "--as", "bob", "--ttl", "60")

    said = made("variations", "accept", "last", "3", "--wait", "0.1")

    assert said.code == 5
    assert "bob" in said.err
    assert (made.root / "src/shop.py").read_text() == SHOP


def test_more_answers_the_run_that_waits_and_the_question_comes_again(made: Here) -> None:
    made("variations", "shortlist", "last", "2")

    said = made("variations", "more", "last", "2", "with shorter names")

    assert said.code == 0
    rows = made("variations", "list", "last", "--json").json
    assert [row["round"] for row in rows] == [1, 1, 1, 1, 2, 2]
    assert rows[4]["parents"] == [{"variation": 2}]
    assert made("runs", "--json").json[0]["status"] == "waiting"
    assert len(made("gate", "list", "--json").json) == 1
