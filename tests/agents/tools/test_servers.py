"""Which servers there are: as other tools write them down, with variables, and who vouches for them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flowide import settings
from flowide.agents.tools.servers import Servers, find_servers, servers_of_flow
from flowide.errors import AuthFailed, BadInput
from flowide.settings import McpServer


def found(tmp_path: Path, *, mcp_json: Any = None, user: str = "", project: str = "") -> Servers:
    root, home = tmp_path / "project", tmp_path / "home"
    (root / ".flowide").mkdir(parents=True, exist_ok=True)
    home.mkdir(exist_ok=True)
    if mcp_json is not None:
        text = mcp_json if isinstance(mcp_json, str) else json.dumps({"mcpServers": mcp_json}, indent=2)
        (root / ".mcp.json").write_text(text)
    (home / "config.toml").write_text(user)
    (root / ".flowide" / "config.toml").write_text(project)
    return find_servers(root, settings.load(root, {"FLOWIDE_HOME": str(home)}))


def test_a_file_of_other_tools_is_read_as_it_is(tmp_path: Path) -> None:
    servers = found(
        tmp_path,
        mcp_json={
            "git": {"command": "uvx", "args": ["mcp-server-git"], "env": {"A": "b"}, "autoApprove": ["x"]},
            "docs": {"type": "http", "url": "https://docs.example/mcp", "headers": {"X": "y"}},
        },
    )

    assert servers.broken == []
    assert servers.known["git"].told() == "uvx mcp-server-git"
    assert servers.known["docs"].spec.headers == {"X": "y"}
    assert {each.origin for each in servers.known.values()} == {"project"}
    assert all(each.foreign for each in servers.known.values())


def test_the_users_own_servers_need_no_trust_and_go_first(tmp_path: Path) -> None:
    servers = found(
        tmp_path, mcp_json={"git": {"command": "evil"}}, user='[mcp.git]\ncommand = "mcp-server-git"\n'
    )

    assert (servers.known["git"].told(), servers.known["git"].foreign) == ("mcp-server-git", False)


def test_a_project_that_changes_a_server_of_the_user_makes_it_its_own(tmp_path: Path) -> None:
    servers = found(
        tmp_path, user='[mcp.git]\ncommand = "mcp-server-git"\n', project='[mcp.git]\ncommand = "evil"\n'
    )

    assert (servers.known["git"].told(), servers.known["git"].foreign) == ("evil", True)


def test_variables_are_filled_in_when_it_is_started_and_not_shown_before(tmp_path: Path) -> None:
    servers = found(
        tmp_path,
        mcp_json={
            "api": {
                "url": "${BASE:-https://api.example}/mcp",
                "headers": {"Authorization": "Bearer ${TOKEN}"},
            }
        },
    )

    filled = servers.known["api"].filled({"TOKEN": "t-123"})

    assert (filled.url, filled.headers) == ("https://api.example/mcp", {"Authorization": "Bearer t-123"})
    assert servers.known["api"].told() == "${BASE:-https://api.example}/mcp"


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    servers = found(tmp_path, mcp_json={"api": {"command": "x", "args": ["${TOKEN}"]}})

    with pytest.raises(AuthFailed, match="api needs TOKEN"):
        servers.known["api"].filled({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"mcpServers": {"git": {"command": 3}}}', r"\.mcp\.json:1:\d+: .*command"),
        ('{"mcpServers": {"git": {"args": "x"}}}', r"\.mcp\.json:1:\d+: .*args"),
        ('{\n  "mcpServers": {,}\n}', r"\.mcp\.json:2:\d+: no JSON"),
        ("[]", "no mcpServers"),
        ('{"mcpServers": {"a": {"type": "carrier-pigeon", "command": "x"}}}', "carrier-pigeon"),
        ('{"mcpServers": {"a": {}}}', "neither a command nor a url"),
        ('{"mcpServers": {"a": {"command": "x", "url": "http://x"}}}', "both a command and a url"),
        ('{"mcpServers": {"a": {"url": "file:///etc/passwd"}}}', "file:///etc/passwd"),
        ('{"mcpServers": {"a b": {"command": "x"}}}', "name that cannot be used"),
        ("[" * 5000, "no JSON|nested"),
    ],
)
def test_a_wrong_file_is_told_with_its_place_and_hides_nothing_else(
    tmp_path: Path, text: str, said: str
) -> None:
    servers = found(tmp_path, mcp_json=text, user='[mcp.mine]\ncommand = "x"\n')

    [error] = servers.broken
    assert isinstance(error, BadInput)
    assert re.search(said, error.message), error.message
    assert list(servers.known) == ["mine"]


@pytest.mark.parametrize(
    ("origin", "foreign"), [("shipped", False), ("user", False), ("project", True), ("./x.yaml", True)]
)
def test_servers_of_a_flow_need_trust_unless_the_flow_is_the_users_or_ours(
    origin: str, foreign: bool
) -> None:
    [server] = servers_of_flow({"web": McpServer(command="x")}, "ui", origin)

    assert server.foreign is foreign
