"""`flowide doctor`, `schema` and `completion`: the installation speaks for itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Here


def findings(flowide: Here) -> dict[str, list[dict[str, Any]]]:
    """What doctor found, by what it looked at."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in flowide("doctor", "--json").json["findings"]:
        found.setdefault(each["what"], []).append(each)
    return found


def test_a_sound_installation_is_exit_0(flowide: Here) -> None:
    said = flowide("doctor")

    assert said.code == 0, said
    assert "SQLite" in said.out


def test_agents_are_told_with_what_they_lack(flowide: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    file = flowide.root / ".flowide" / "agents" / "olga.md"
    file.write_text("---\nhandle: olga\nmodel: openai/gpt-4o-mini\n---\nYou are olga.\n")

    agents = {each["said"].split(",")[0]: each for each in findings(flowide)["agent"]}

    assert agents["@anders"]["state"] == "ok"
    assert agents["@olga"]["state"] == "note"
    assert "OPENAI_API_KEY" in agents["@olga"]["said"] + agents["@olga"]["hint"]


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        (".flowide/agents/bad.md", "---\nhandle: 7\nbackend: nope\n---\n", "agent file"),
        (".flowide/flows/bad.yaml", "flow: bad\nsteps: 3\n", "flow file"),
        (".flowide/config.toml", "[limits]\nparalel = 3\n", "settings"),
    ],
)
def test_a_broken_file_is_told_and_exit_1(flowide: Here, file: str, text: str, what: str) -> None:
    (flowide.root / file).parent.mkdir(exist_ok=True)
    (flowide.root / file).write_text(text)

    said = flowide("doctor", "--json")

    assert said.code == 1
    [bad] = [each for each in said.json["findings"] if each["state"] == "bad"]
    assert bad["what"] == what
    assert Path(file).name in bad["said"]
    assert not said.json["sound"]


def test_a_variable_that_does_nothing_is_told(flowide: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWIDE_LIMITS_PARALEL", "3")

    [told] = findings(flowide)["variable"]

    assert "FLOWIDE_LIMITS_PARALEL" in told["said"]
    assert "FLOWIDE_LIMITS_PARALLEL" in told["hint"]


def test_settings_come_from_the_nearest_place(flowide: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    (flowide.root / ".flowide" / "config.toml").write_text(
        "[limits]\nparallel = 2\n[me]\nhandle = 'project'\n"
    )
    monkeypatch.setenv("FLOWIDE_LIMITS_PARALLEL", "7")
    monkeypatch.delenv("FLOWIDE_ME_HANDLE")

    settings = {each["setting"]: each for each in flowide("doctor", "--json").json["settings"]}

    parallel = settings["limits.parallel"]
    assert (parallel["value"], parallel["from"]) == (7, "FLOWIDE_LIMITS_PARALLEL")
    assert settings["me.handle"]["value"] == "project"
    assert settings["me.handle"]["from"].endswith("config.toml")
    assert settings["lock.ttl_s"]["from"] == "default"


def test_the_report_has_no_secrets(flowide: Here, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ["plain-looking-secret", "hunter2hunter2", "sk-0123456789abcdef", "pass1234word"]
    monkeypatch.setenv("OPENAI_API_KEY", secrets[0])
    monkeypatch.setenv("MY_TOKEN", secrets[1])
    monkeypatch.setenv("EDITOR", f"vi {secrets[1]}")
    (flowide.root / ".flowide" / "config.toml").write_text(
        f"[models.a]\nmodel = 'openai/x'\napi_base = 'https://me:{secrets[3]}@host/v1?key={secrets[2]}'\n"
    )

    said = flowide("doctor", "--report", "report.json")

    report = (flowide.root / "report.json").read_text()
    for secret in secrets:
        assert secret not in report
        assert secret not in said.out
    bundle = json.loads(report)
    assert bundle["sound"] is True
    assert "OPENAI_API_KEY" in bundle["variables"]
    assert bundle["packages"]["click"]
    assert str(own_home) not in report


def test_a_report_that_cannot_be_written_is_told(flowide: Here) -> None:
    assert flowide("doctor", "--report", "missing/report.json").code == 2


@pytest.mark.parametrize("what", ["flow", "agent", "events"])
def test_schemas_are_json_schemas(flowide: Here, what: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")

    schema = flowide("schema", what).json

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema.get("$schema", "").startswith("https://json-schema.org/")


def test_the_shipped_flows_fit_the_schema_and_wrong_ones_do_not(flowide: Here) -> None:
    yaml = pytest.importorskip("yaml")
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(flowide("schema", "flow").json)

    for file in (Path(__file__).parents[2] / "flows").glob("*.yaml"):
        assert [error.message for error in check.iter_errors(yaml.safe_load(file.read_text()))] == [], file
    assert not check.is_valid({"flow": "x", "steps": 3})
    assert not check.is_valid({"flow": "x", "steps": [], "nonsense": 1})


def test_a_runs_lines_fit_the_schema(flowide: Here) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(flowide("schema", "events").json)

    lines = flowide(
        *("run", "variations", "--headless", "--json", "--brief", "x"),
        *("--set", "path=src/shop.py", "--on-gate", "approve"),
    ).lines

    assert lines
    for line in lines:
        assert [error.message for error in check.iter_errors(line)] == [], line
    assert not check.is_valid({"type": "run.finished"})
