"""Keys planted everywhere they may be kept are found nowhere else: files, logs, streams, exports, child processes."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.agents import tool_behaviours
from tests.agents.fault_server import serving
from tests.agents.tools.conftest import MISBEHAVING
from tests.cli.conftest import Here, flowide, project
from tests.project_with_agents import write_agent

assert tool_behaviours  # imported for what it adds to the server
assert flowide and project  # fixtures

ENV = "sk-planted-in-environment-0123456789"
DOTENV = "sk-planted-in-dotenv-0123456789"
FILE = "sk-planted-in-credentials-0123456789"
TOKEN = "tok-planted-for-a-tool-0123456789"
ALL = (ENV, DOTENV, FILE, TOKEN)

FLOW = """\
flow: all
steps:
  - draft: {path: notes.md, by: tess}
  - vary: {n: 2, path: notes.md, agents: [anders]}
  - check: {commands: ["env: env", "home: cat ~/flowide/credentials ../.env .env || true"]}
  - run: {command: env}
  - tool: {tool: bad/environment}
  - tool: {tool: given/environment}
  - gate: {question: "{{ steps.tool.text }}"}
"""


def plant(root: Path, home: Path, server_url: str) -> None:
    """A user with keys in three places, a project whose agents and tools would tell them if they saw them."""
    home.mkdir(parents=True, exist_ok=True)
    python = json.dumps(sys.executable)
    (home / "config.toml").write_text(
        "[keys]\ndotenv = true\n"
        f'[models.m]\nmodel = "tool"\napi_base = "{server_url}"\nkey_env = "HOUSE_KEY"\n'
        f'[models.refused]\nmodel = "401"\napi_base = "{server_url}"\nkey_env = "OPENAI_API_KEY"\n'
        f"[mcp.bad]\ncommand = {python}\nargs = [{json.dumps(MISBEHAVING)}]\n"
        f"[mcp.given]\ncommand = {python}\nargs = [{json.dumps(MISBEHAVING)}]\n"
        '[mcp.given.env]\nTOKEN_OF_GIVEN = "${GIVEN_TOKEN}"\n'
    )
    credentials = home / "credentials"
    credentials.touch(mode=0o600)
    credentials.write_text(f"HOUSE_KEY={FILE}\nGIVEN_TOKEN={TOKEN}\n")
    (root / ".env").write_text(f"MISTRAL_API_KEY={DOTENV}\n")
    (root / ".gitignore").write_text(".env\n")
    agents = root / ".flowide/agents"
    (agents / "tess.md").write_text("---\nhandle: tess\nmodel: m\ntools: [bad, given]\n---\nYou are Tess.\n")
    (agents / "rex.md").write_text("---\nhandle: rex\nmodel: refused\n---\nYou are Rex.\n")
    write_agent(root, "anders", [{"on": "*", "text": "# Notes\n\nShort.\n"}])
    (root / "all.yaml").write_text(FLOW)


def found_in(folder: Path, but: set[Path]) -> list[str]:
    """Every file that holds a key, as it is or in a database."""
    found = []
    for file in folder.rglob("*"):
        if not file.is_file() or file in but:
            continue
        data = file.read_bytes()
        found += [f"{file}: {key}" for key in ALL if key.encode() in data]
        if file.suffix == ".db":
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
                for line in database.iterdump():
                    found += [f"{file}: {key}: {line[:200]}" for key in ALL if key in line]
                    found += [f"{file} (blob): {key}" for key in ALL if key.encode().hex().upper() in line]
    return found


@pytest.mark.parametrize("model", ["tess", pytest.param("rex", marks=pytest.mark.slow)])
def test_keys_are_found_nowhere_but_where_they_are_kept(
    flowide: Here, own_home: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    said: list[str] = []
    with serving() as server:
        home = Path(os.environ["FLOWIDE_HOME"])
        plant(flowide.root, home, server.url)
        monkeypatch.setenv("OPENAI_API_KEY", ENV)
        asked = "\n".join(f"CALL {name}__environment {{}}" for name in ("bad", "given"))
        done = flowide("run", "all.yaml", "--headless", "--json", "--deltas", "--trust", "--allow", "*", "--brief",
                     asked, "--agents", f"{model},anders", "--on-gate", "approve", "--set", "path=")  # fmt: skip
        sent = json.dumps(server.requests)
    said += [done.out, done.err]
    for args in (
        ("events",), ("log",), ("runs", "--json"), ("doctor",), ("doctor", "--json"), ("keys",), ("keys", "--json"),
        ("tools", "--json"), ("agents", "--json"), ("agents", "test", "rex"), ("gate", "list", "--json"),
        ("doctor", "--report", str(flowide.root / "report.json")), ("export", str(flowide.root / "out")), ("stats",),
        ("-v", "agents", "test", "rex"),
    ):  # fmt: skip
        told = flowide(*args)
        said += [told.out, told.err]

    if model == "tess":
        assert done.code == 0, done
        assert len([line for line in done.lines if line["type"] == "tool.result"]) == 4
        assert "TOKEN_OF_GIVEN" in done.out  # it was there to be told, and was taken out
    assert [key for key in ALL if any(key in text for text in said)] == []
    kept = {home / "credentials", flowide.root / ".env"}
    assert found_in(flowide.root, kept) + found_in(own_home, kept) == []
    headers = {ENV, FILE}
    assert [key for key in ALL if key in sent and key not in headers] == []


def test_each_provider_gets_its_own_key_and_no_other(flowide: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        home = Path(os.environ["FLOWIDE_HOME"])
        plant(flowide.root, home, server.url)
        monkeypatch.setenv("OPENAI_API_KEY", ENV)

        flowide("agents", "test", "tess", "--timeout", "60")
        flowide("agents", "test", "rex", "--timeout", "60")

    got = {request["model"]: request["authorization"] for request in server.requests}
    assert got == {"tool": f"bearer {FILE}", "401": f"bearer {ENV}"}
