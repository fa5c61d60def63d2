"""`docs/protocol.md` says what the code does: commands, events, errors, limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flowide.domain import decisions, discussion, limits
from flowide.domain.commands import COMMANDS, MAX_BLOB, MAX_INLINE, SILENT
from flowide.domain.commands.discussion import DEPTH, RATE
from flowide.domain.facts import FACTS
from flowide.domain.policy import Policy
from flowide.domain.roles import PEOPLE_ONLY
from flowide.errors import BY_CODE
from flowide.settings import Lock
from flowide.space.arbiter import MAX_BATCH, answer_type

PAGE = (Path(__file__).parents[1] / "docs" / "protocol.md").read_text()


def table(heading: str) -> dict[str, list[str]]:
    """The cells of each row of a section's table, by the name in its first cell."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [
        re.split(r"\s*\|\s*", line.strip("|").strip()) for line in section.splitlines() if line[:2] == "| "
    ]
    return {row[0].strip("`"): row[1:] for row in rows if row[0].startswith("`")}


def fields(struct: type[Any]) -> list[str]:
    """Names on the wire, those with a default marked `?`."""
    return [f"{field.encode_name}{'' if field.required else '?'}" for field in msgspec.structs.fields(struct)]


def listed(cell: str) -> list[str]:
    return [name.strip() for name in cell.split(",") if name.strip()]


def test_every_command_is_told_with_its_arguments_and_its_answer() -> None:
    said = {name: (listed(args), listed(ok)) for name, (args, ok, *_) in table("Commands").items()}

    assert said == {name: (fields(each), fields(answer_type(each))) for name, each in COMMANDS.items()}


def test_every_event_type_is_told_with_its_data() -> None:
    said = {name: listed(data) for name, (data, *_) in table("Events").items()}

    assert said == {name: fields(each) for name, each in FACTS.items()}


def test_every_error_code_is_in_the_table_with_its_exit_code() -> None:
    said = {code: int(cells[0]) for code, cells in table("Errors").items()}

    assert said == {code: error.exit_code for code, error in BY_CODE.items()}


def test_the_refusals_at_the_end_of_a_row_are_error_codes() -> None:
    last = {
        name: re.search(r"((?:`[a-z_]+`(?:, )?)+)$", cells[-1]) for name, cells in table("Commands").items()
    }
    codes = {code for found in last.values() if found for code in re.findall(r"`([a-z_]+)`", found[1])}

    assert codes
    assert codes <= set(BY_CODE)


def test_commands_without_a_stored_reply_are_named() -> None:
    sentence = re.search(r"^- (.*) store no reply", PAGE, re.MULTILINE)

    assert sentence is not None
    assert set(re.findall(r"`([^`]+)`", sentence[1])) == SILENT


def test_what_agents_may_not_do_is_said_in_the_table_and_in_the_text() -> None:
    marked = {name for name, cells in table("Commands").items() if "People only" in cells[-1]}
    text = PAGE.split("\n## Who may do what\n")[1].split("\n## ")[0]

    assert marked == PEOPLE_ONLY
    assert all(f"`{name}`" in text for name in PEOPLE_ONLY)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (MAX_INLINE, "256 KiB"),
        (MAX_BLOB, "16 MiB"),
        (limits.MAX_NOTE, "16 KiB"),
        (limits.MAX_PATH, "1024 bytes"),
        (discussion.MAX_MESSAGE, "64 KiB"),
        (decisions.MAX_TEXT, "4 KiB"),
    ],
)
def test_sizes_are_the_ones_that_are_enforced(what: int, said: str) -> None:
    number, unit = said.split()

    assert what == int(number) * {"bytes": 1, "KiB": 1024, "MiB": 1024**2}[unit]
    assert said in PAGE.split("\n## Limits\n")[1]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("ttl_s", f"{Policy().ttl_ms // 1000} s,"),
        ("idle_s", f"{Policy().human_idle_ms // 60_000} min"),
        ("agent_idle_s", f"{Policy().agent_idle_ms // 60_000} min"),
        ("agent_hold_s", f"{Policy().agent_hold_ms // 60_000} min"),
        ("per_person", f"{Policy().human_locks} for a person"),
        ("per_agent", f"{Policy().agent_locks} for an agent"),
        ("draft_days", f"{Policy().draft_days} days"),
    ],
)
def test_a_default_is_told_beside_its_setting(setting: str, said: str) -> None:
    [line] = [line for line in PAGE.splitlines() if line.startswith("| ") and f"`{setting}`" in line]

    assert said in line
    assert setting in Lock.__struct_fields__


def test_counts_are_the_ones_that_are_enforced() -> None:
    limits_told = PAGE.split("\n## Limits\n")[1]

    assert f"| commands in a batch | {MAX_BATCH} |" in limits_told
    assert f"| artifacts pinned to a thread | {discussion.MAX_PINS} |" in limits_told
    assert f"`depth` ({DEPTH})" in PAGE
    assert f"`rate` ({RATE})" in PAGE
