"""Agent files: found, read, chosen; what is wrong with one is told with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowide.agents.load import agent_schema, choose_agents, find_agents, load_agent, parse_agent
from flowide.errors import BadInput, NotFound

WHOLE = """\
---
handle: edwin
name: Edwin
role: drafter
backend: model
model: openai/gpt-4o-mini
temperature: 0.7
max_tokens: 800
tools: search, fetch
permissions: {fetch: ask}
colour: green
---

You write plainly.

- Not too long.
"""


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_a_file_says_everything_about_an_agent(tmp_path: Path) -> None:
    agent = load_agent(write(tmp_path, "any.md", WHOLE))

    assert (agent.handle, agent.name, agent.role, agent.model) == (
        "edwin",
        "Edwin",
        "drafter",
        "openai/gpt-4o-mini",
    )
    assert (agent.temperature, agent.max_tokens, agent.tools) == (0.7, 800, ["search", "fetch"])
    assert (agent.permissions, agent.colour) == ({"fetch": "ask"}, "green")
    assert agent.instructions == "You write plainly.\n\n- Not too long."


def test_the_file_name_is_the_handle_when_nothing_else_is_said(tmp_path: Path) -> None:
    agent = load_agent(write(tmp_path, "Mara.md", "---\nrole:\n---\nJudge.\n"))

    assert (agent.handle, agent.name, agent.role, agent.backend) == ("mara", "Mara", "", "model")


@pytest.mark.parametrize(
    ("head", "place", "right"),
    [
        ("handle: Edwin", "2:9", "Lower-case"),
        ("handle: all", "2:9", "another handle"),
        ("backend: modle", "2:10", "One of: model"),
        ("temperature: 3", "2:14", "from 0 to 2"),
        ("temperature: warm", "2:14", "from 0 to 2"),
        ("max_tokens: 0", "2:13", "whole number"),
        ("modle: gpt-4", "2:1", "Did you mean 'model'?"),
        ("backend: scripted", "2:1", "script: x.yaml"),
        ("script: x.yaml", "2:9", "backend: scripted"),
        ("backend: acp", "2:1", "program and arguments"),
        ("command: 'a \"b'\nbackend: acp", "2:10", "program and arguments"),
        ("permissions: {fetch: maybe}", "2:22", "allow, ask or deny"),
        ("a: b: c", "2:", ""),
        ("- handle", "2:1", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_would_be_right(
    tmp_path: Path, head: str, place: str, right: str
) -> None:
    file = tmp_path / "x.md"

    with pytest.raises(BadInput) as refused:
        parse_agent(f"---\n{head}\n---\nText.\n", file)

    assert refused.value.message.startswith(f"{file}:{place}")
    assert right in refused.value.hint


@pytest.mark.parametrize("text", ["", "You write.\n", "---\nhandle: edwin\n", "---\n"])
def test_a_file_without_closed_front_matter_is_no_agent(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"x\.md:\d+:1: "):
        parse_agent(text, tmp_path / "x.md")


def test_the_nearest_file_counts_and_a_broken_one_hides_no_other(tmp_path: Path) -> None:
    project, user = tmp_path / "project", tmp_path / "user"
    write(project / ".flowide/agents", "edwin.md", "---\nname: Ours\n---\n")
    write(project / ".claude/agents", "edwin.md", "---\nname: edwin\ndescription: theirs\n---\n")
    write(
        project / ".claude/agents",
        "mara.md",
        "---\nname: mara\ndescription: Use: always: colons\nmodel: sonnet\n---\n",
    )
    write(user, "edwin.md", "---\nname: Mine\n---\n")
    write(user, "quinn.md", "---\nname: Quinn\n---\n")
    bad = write(user, "odd.md", "---\nbackend: odd\n---\n")

    found = find_agents(project, user)

    assert {agent.handle: (agent.name, agent.origin) for agent in found.agents.values()} == {
        "edwin": ("Ours", "project"),
        "mara": ("mara", "claude"),
        "quinn": ("Quinn", "user"),
    }
    assert found.agents["mara"].role == "Use: always: colons"
    assert list(found.broken) == [str(bad)]


def test_two_files_of_one_folder_cannot_be_the_same_agent(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        write(tmp_path / ".flowide/agents", name, "---\nhandle: edwin\n---\n")

    found = find_agents(tmp_path)

    assert list(found.agents) == ["edwin"]
    assert "also in a.md" in str(*found.broken.values())


def test_agents_are_chosen_by_handle_model_or_alias_each_once_in_order(tmp_path: Path) -> None:
    write(tmp_path / ".flowide/agents", "edwin.md", "---\nname: Edwin\n---\n")
    found = find_agents(tmp_path)

    names = ["openai/gpt-4.1-mini", "@edwin", "house", "edwin", "other/gpt-4.1-mini"]
    chosen = choose_agents(found, names, ["house"])

    assert [agent.handle for agent in chosen] == ["gpt-4-1-mini", "edwin", "house", "gpt-4-1-mini-2"]
    assert [agent.model for agent in chosen] == ["openai/gpt-4.1-mini", None, "house", "other/gpt-4.1-mini"]


def test_an_unknown_agent_is_told_with_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path / ".flowide/agents", "edwin.md", "---\nname: Edwin\n---\n")
    write(tmp_path / ".flowide/agents", "odd.md", "---\nbackend: odd\n---\n")
    found = find_agents(tmp_path)

    with pytest.raises(NotFound, match="no agent @edwn") as refused:
        choose_agents(found, ["edwn"])
    assert refused.value.hint.startswith("Did you mean edwin?")
    with pytest.raises(BadInput, match=r"odd\.md:2:10"):
        choose_agents(found, ["odd"])


def test_the_published_schema_knows_every_key_and_refuses_others() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(json.dumps(agent_schema()))

    jsonschema.validate(
        {"handle": "edwin", "temperature": 1, "tools": ["a"], "permissions": {"a": "ask"}}, schema
    )
    for wrong in (
        {"handle": "Edwin"},
        {"temperature": 3},
        {"max_tokens": 0},
        {"modle": "x"},
        {"backend": "odd"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
