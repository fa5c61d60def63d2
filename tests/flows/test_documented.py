"""The pages about flows, agents and headless runs say what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from flowide.agents.load import AgentFile, parse_agent
from flowide.agents.scripted import Reply, Script, ScriptedBackend
from flowide.exit_codes import EXIT_CODES
from flowide.flows import schema
from flowide.flows.load import parse_flow
from flowide.headless.envelope import TYPES

DOCS = Path(__file__).parents[2] / "docs"
FLOWS, AGENTS, HEADLESS = ((DOCS / name).read_text() for name in ("flows.md", "agents.md", "headless.md"))


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


STEPS = [block for block in blocks(FLOWS, "yaml") if block.startswith("- ")]
WHOLE = [block for block in blocks(FLOWS, "yaml") if not block.startswith("- ")]


@pytest.mark.parametrize("text", WHOLE, ids=lambda text: re.findall(r"^flow: (\w+)", text, re.MULTILINE)[0])
def test_the_flows_that_are_shown_are_flows(text: str) -> None:
    assert parse_flow(text, "docs/flows.md").flow.steps


@pytest.mark.parametrize("text", STEPS, ids=lambda text: text.split(":")[0].removeprefix("- "))
def test_the_steps_that_are_shown_are_steps_with_every_field(text: str) -> None:
    steps = "".join(f"  {line}\n" for line in text.splitlines())

    inputs = "inputs: {careful: {type: boolean}}"
    [step] = parse_flow(f"flow: shown\n{inputs}\nsteps:\n{steps}", "docs/flows.md").flow.steps

    shown = set(yaml.safe_load(text)[0][step.kind])
    assert shown == {field.name for field in msgspec.structs.fields(type(step.spec))}


def test_every_kind_of_step_is_shown() -> None:
    assert [text.split(":")[0].removeprefix("- ") for text in STEPS] == list(schema.KINDS)


def names(type_: Any) -> set[str]:
    return {field.name for field in msgspec.structs.fields(type_)}


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        (FLOWS, names(schema.Flow) | names(schema.Input) | names(schema.Bounds)),
        (AGENTS, names(AgentFile)),
    ],
)
def test_every_key_is_explained(page: str, fields: set[str]) -> None:
    assert [name for name in sorted(fields) if f"`{name}`" not in page] == []


def test_the_agent_files_that_are_shown_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "quinn.yaml").write_text("replies: []\n")

    handles = [parse_agent(text, tmp_path / "shown.md").handle for text in blocks(AGENTS, "md")]

    assert handles == ["edwin", "quinn"]


async def test_the_script_that_is_shown_works_and_has_every_key(tmp_path: Path) -> None:
    [text] = blocks(AGENTS, "yaml")
    (tmp_path / "quinn.yaml").write_text(text)
    _, agent = blocks(AGENTS, "md")

    await ScriptedBackend(parse_agent(agent, tmp_path / "quinn.md")).check()

    assert [name for name in names(Script) | names(Reply) if f"{name}:" not in AGENTS] == []


def test_every_exit_code_is_explained() -> None:
    table = HEADLESS.split("## Exit codes")[1].split("## ")[0]

    assert {
        int(code) for code in re.findall(r"\b\d+\b", "".join(re.findall(r"^\|([^|]*)", table, re.M)))
    } == set(EXIT_CODES)


def test_every_type_of_line_is_explained() -> None:
    table = HEADLESS.split("### The lines")[1].split("## ")[0]
    first = "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))

    assert set(re.findall(r"`([a-z]+(?:\.[a-z]+)?)`", first)) == set(TYPES)
