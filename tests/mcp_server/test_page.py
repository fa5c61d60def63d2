"""The page about the server says what the server has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from flowide.mcp_server.prompts import PROMPTS
from flowide.mcp_server.running import MOST_RUNS
from flowide.mcp_server.tool import MAX_TEXT, MAX_WAIT_S
from flowide.mcp_server.tools import TOOLS
from flowide.mcp_server.tools.reading import MAX_BINARY, MAX_CHARS
from flowide.mcp_server.wire import MAX_LINE

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)


def test_every_tool_and_prompt_is_told_with_its_arguments() -> None:
    told = {name: arguments.strip() for name, arguments in ROW.findall(PAGE)}
    tools = {name: tool.takes() for name, tool in TOOLS.items()}
    prompts = {each.name: {arg.name: arg.required for arg in each.arguments} for each in PROMPTS.values()}

    assert told == {
        name: ", ".join(f"{each}{'' if must else '?'}" for each, must in takes.items())
        for name, takes in (tools | prompts).items()
    }


def test_limits_are_the_ones_that_are_enforced() -> None:
    for said in (
        f"| {MAX_CHARS:,} characters;",
        f"| {MAX_BINARY // 1024} KiB;",
        f"| {MAX_TEXT // 2**20} MiB |",
        f"| {MAX_LINE // 2**20} MiB |",
        f"| a call that waits | {MAX_WAIT_S} s |",
        f"| runs of one session at a time | {MOST_RUNS} |",
    ):
        assert said in PAGE


def test_the_snippets_for_clients_are_json() -> None:
    snippets = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

    assert len(snippets) == 5
    assert all("flowide" in json.dumps(json.loads(each)) for each in snippets)


def test_a_schema_is_an_object_whose_every_argument_has_a_type() -> None:
    for tool in TOOLS.values():
        schema = tool.schema()
        assert schema["type"] == "object" and schema["additionalProperties"] is False
        assert set(schema["properties"]) == set(tool.takes())
        assert all({"type", "anyOf", "enum", "$ref"} & set(each) for each in schema["properties"].values()), (
            tool.name
        )
        assert len(tool.about) > 20
