"""Who may use which tool, and where it is written that somebody may for good."""

from __future__ import annotations

import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.agents.definition import AgentDefinition
from flowide.agents.tools.naming import LONGEST, function_name, matches
from flowide.agents.tools.permissions import Permissions, decide
from flowide.errors import BadInput, NotFound


def agent(origin: Any = "user", **permissions: Any) -> AgentDefinition:
    names = {name.replace("_all", "*"): said for name, said in permissions.items()}
    return AgentDefinition(handle="edwin", name="Edwin", permissions=names, origin=origin)


def decided(who: AgentDefinition | None, **how: Any) -> str:
    return decide(who, "git", "git_status", **{"allow": [], "trusted": False, "always": False, **how})[0]


@pytest.mark.parametrize(
    "pattern", ["git", "git/*", "git/git_status", "git/git_s*", "git__git_status", "mcp__git__git_status",
                "mcp__git", "git.git_status", "git_status", "*"]
)  # fmt: skip
def test_a_tool_is_meant_by_each_way_to_write_it(pattern: str) -> None:
    assert matches(pattern, "git", "git_status")


@pytest.mark.parametrize("pattern", ["gi", "git/git_commit", "github/*", "status", "", "GIT"])
def test_other_words_mean_other_tools(pattern: str) -> None:
    assert not matches(pattern, "git", "git_status")


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=300))
def test_every_tool_gets_a_name_that_models_take(server: str, tool: str) -> None:
    name = function_name(server, tool)

    assert 0 < len(name) <= LONGEST
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert function_name(server, tool, {name}) != name


def test_what_nobody_speaks_of_is_asked() -> None:
    assert decided(agent()) == "ask"
    assert decided(None) == "ask"


def test_what_is_given_for_the_run_is_allowed() -> None:
    assert decided(agent(), allow=["git"]) == "allow"
    assert decided(None, allow=["git/git_status"]) == "allow"


def test_a_denial_in_the_file_holds_whatever_else_is_said() -> None:
    assert decided(agent(git="deny"), allow=["*"], trusted=True, always=True) == "deny"


def test_the_more_precise_line_of_a_file_counts() -> None:
    both: dict[str, Any] = {"*": "deny", "git/git_status": "allow"}
    who = AgentDefinition(handle="e", name="E", permissions=both, origin="user")

    assert decided(who) == "allow"


@pytest.mark.parametrize(("trusted", "said"), [(False, "ask"), (True, "allow")])
def test_a_projects_file_allows_only_when_the_project_is_trusted(trusted: bool, said: str) -> None:
    assert decided(agent("project", git="allow"), trusted=trusted) == said
    assert decided(agent("claude", git="allow"), trusted=trusted) == said


def test_trust_does_not_let_agents_do_what_nobody_allowed() -> None:
    assert decided(agent("project"), trusted=True) == "ask"


def test_what_is_allowed_for_good_can_be_seen_and_taken_back(tmp_path: Path) -> None:
    kept, project = Permissions(tmp_path / "home"), tmp_path / 'a "project"\\'
    kept.add(project, "edwin", "git/git_status", "uvx mcp-server-git", by="ana")

    assert kept.holds(project, "edwin", "git/git_status", "uvx mcp-server-git")
    assert tomllib.loads(kept.path.read_text())["always"][0]["by"] == "ana"
    [gone] = kept.revoke(None, None, "git")

    assert (gone.agent, gone.tool) == ("edwin", "git/git_status")
    assert not kept.holds(project, "edwin", "git/git_status", "uvx mcp-server-git")
    with pytest.raises(NotFound):
        kept.revoke(project, None, None)


def test_it_holds_for_this_project_agent_tool_and_server_only(tmp_path: Path) -> None:
    kept, project = Permissions(tmp_path), tmp_path / "p"
    kept.add(project, "edwin", "git/git_status", "uvx mcp-server-git", by="ana")

    assert not kept.holds(tmp_path / "q", "edwin", "git/git_status", "uvx mcp-server-git")
    assert not kept.holds(project, "mara", "git/git_status", "uvx mcp-server-git")
    assert not kept.holds(project, "edwin", "git/git_commit", "uvx mcp-server-git")
    assert not kept.holds(project, "edwin", "git/git_status", "sh -c evil")


def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    kept = Permissions(tmp_path)
    kept.add(tmp_path, "edwin", "a/b", "x", by="ana")

    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


def test_none_is_lost_when_many_are_allowed_at_once(tmp_path: Path) -> None:
    kept = Permissions(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: kept.add(tmp_path, "edwin", f"s/t{n}", "x", by="ana"), range(24)))

    assert {each.tool for each in kept.all()} == {f"s/t{n}" for n in range(24)}


def test_a_wrong_file_allows_nothing_and_is_told(tmp_path: Path) -> None:
    kept = Permissions(tmp_path)
    kept.path.write_text("always = 3\n")

    with pytest.raises(BadInput, match="permissions"):
        kept.holds(tmp_path, "edwin", "a/b", "x")
