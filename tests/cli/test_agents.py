"""`flowide agents`: who can be asked, whether they would answer, and new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.fault_server import TEXT, serving
from tests.cli.conftest import Apart, Here
from tests.project_with_agents import write_agent


def test_agents_are_listed_with_what_answers_for_them(flowide: Here) -> None:
    said = flowide("agents")

    assert said.code == 0
    [line] = [line for line in said.out.splitlines() if line.startswith("@carl")]
    assert "critic" in line
    assert "scripted" in line
    assert "ready" in line


def test_a_listing_says_of_each_whether_it_could_answer_and_why_not(flowide: Here) -> None:
    flowide("agents", "new", "dora", "--model", "openai/gpt-4o-mini")

    found = {each["handle"]: each for each in flowide("agents", "--json").json}

    own = [each for each, told in found.items() if told["origin"] != "recipe"]
    assert [each for each in own if found[each]["ready"]] == ["anders", "bea", "carl"]
    assert "OPENAI_API_KEY" in found["dora"]["problem"]
    assert found["anders"]["scripted"]


def test_a_broken_file_hides_no_other_agent_and_is_told_with_its_place(flowide: Here) -> None:
    broken = flowide.root / ".flowide/agents/dora.md"
    broken.write_text("---\nhandle: dora\ntemperature: warm\n---\n")

    said = flowide("agents", "list")

    assert "dora.md:3:14: temperature" in said.err
    assert "@anders" in said.out
    assert flowide("agents", "check").code == 2


def test_a_run_with_all_agents_is_refused_when_one_of_their_files_is_wrong(flowide: Here) -> None:
    (flowide.root / ".flowide/agents/dora.md").write_text("---\nhandle: dora\nbackend: modle\n---\n")
    run = ("run", "variations", "--headless", "--brief", "x", "--set", "path=a.md", "--json")

    said = flowide(*run)

    assert said.code == 2
    assert "dora.md:3:10" in said.err
    assert flowide("runs", "--json").json == []
    assert flowide(*run, "--agents", "anders,carl").code != 2


def test_all_of_an_agent_is_shown(flowide: Here) -> None:
    said = flowide("agents", "show", "@anders", "--json")

    assert said.json["backend"] == "scripted"
    assert said.json["source"].endswith(".flowide/agents/anders.md")
    assert "handle: anders" in flowide("agents", "show", "anders").out


def test_a_wrong_name_is_told_with_the_right_one(flowide: Here) -> None:
    said = flowide("agents", "show", "andres")

    assert said.code == 2
    assert "Did you mean anders?" in said.err


def test_a_new_agent_can_be_used_at_once_and_its_file_is_not_overwritten(flowide: Here) -> None:
    made = flowide(
        "agents", "new", "dora", "--role", "critic: of all", "--name", 'Do"ra', "--model", "ollama/x"
    )

    assert made.code == 0
    assert Path(made.out.strip()).read_text().startswith("---\nhandle:")
    shown = flowide("agents", "show", "dora", "--json").json
    assert (shown["name"], shown["role"], shown["model"], shown["ready"]) == (
        'Do"ra', "critic: of all", "ollama/x", True,
    )  # fmt: skip
    assert flowide("agents", "new", "dora").code == 2


@pytest.mark.parametrize("handle", ["Dora", "all", "a b", "", "x" * 65])
def test_what_cannot_be_a_handle_makes_no_file(flowide: Here, handle: str) -> None:
    before = sorted((flowide.root / ".flowide/agents").iterdir())

    assert flowide("agents", "new", "--", handle).code == 2
    assert sorted((flowide.root / ".flowide/agents").iterdir()) == before


def test_a_missing_key_is_found_without_a_call(flowide: Here) -> None:
    assert flowide("agents", "check", "openai/gpt-4o-mini").code == 7
    assert flowide("agents", "test", "openai/gpt-4o-mini").code == 7
    assert flowide("agents", "check", "anders").code == 0


def test_a_scripted_agent_is_tested_without_a_model(flowide: Here) -> None:
    write_agent(flowide.root, "anders", [{"on": "test", "text": "I am ready."}])

    said = flowide("agents", "test", "anders", "--json")

    assert (said.json["text"], said.json["model"]) == ("I am ready.", "scripted/anders")


def test_a_model_is_tested_with_one_small_question(apart: Apart) -> None:
    with serving() as server:
        env = {"OPENAI_API_BASE": server.url}
        said = apart("agents", "test", "openai/ok", "--prompt", "Locks?", env=env)

        [request] = server.requests
    assert (said.code, said.out) == (0, f"{TEXT}\n")
    assert "11 tokens in, 8 out, unknown price" in said.err
    assert request["messages"][-1]["content"] == "Locks?"


def test_coding_agents_are_listed_with_how_to_get_them(
    flowide: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gemini").write_text("#!/bin/sh\n")
    (tmp_path / "gemini").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    found = {each["handle"]: each for each in flowide("agents", "--json").json}
    said = flowide("agents").out

    assert (found["gemini"]["ready"], found["gemini"]["backend"]) == (True, "acp")
    assert not found["goose"]["ready"]
    assert "goose is not installed" in found["goose"]["problem"]
    assert "not found: pip install mistral-vibe" in said
    checked = flowide("doctor").out
    assert f"@gemini: Gemini CLI, {tmp_path}/gemini" in checked
    assert "confinement" in checked


def test_a_coding_agent_gets_a_file_by_its_recipe(flowide: Here) -> None:
    made = flowide("agents", "new", "gem", "--recipe", "gemini", "--role", "drafter")

    assert made.code == 0
    shown = flowide("agents", "show", "gem", "--json").json
    assert (shown["backend"], shown["recipe"], shown["role"]) == ("acp", "gemini", "drafter")
    assert flowide("agents", "new", "gam", "--recipe", "gemeni").code == 2


def test_a_program_that_a_project_names_is_not_started_before_it_is_trusted(
    flowide: Here, tmp_path: Path
) -> None:
    (flowide.root / ".flowide/agents/evil.md").write_text(
        f"---\nhandle: evil\nbackend: acp\ncommand: touch {tmp_path}/started\n---\n"
    )

    said = flowide("agents", "test", "evil")

    assert said.code == 7
    assert "not trusted" in said.err
    assert not (tmp_path / "started").exists()
