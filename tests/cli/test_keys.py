"""`flowide keys`: keys are kept where only their owner reads them, and shown to nobody."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Here

KEY = "sk-planted-in-the-tests-0123456789"


def test_a_key_is_kept_for_its_owner_alone_and_listed_without_its_value(
    flowide: Here, own_home: Path
) -> None:
    said = flowide("keys", "set", "OPENAI_API_KEY", input=f"{KEY}\n".encode())

    file = own_home / "flowide" / "credentials"
    assert said.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == f"OPENAI_API_KEY={KEY}\n"
    listed = flowide("keys", "--json")
    assert listed.json == [{"name": "OPENAI_API_KEY", "from": str(file)}]
    assert KEY not in said.out + said.err + listed.out + flowide("keys").out


def test_a_model_whose_key_is_kept_could_answer(flowide: Here) -> None:
    flowide("agents", "new", "dora", "--model", "openai/gpt-4o-mini")
    assert flowide("agents", "check", "dora").code == 7

    flowide("keys", "set", "OPENAI_API_KEY", input=KEY.encode())

    assert flowide("agents", "check", "dora").code == 0


def test_a_key_is_taken_out_again(flowide: Here, own_home: Path) -> None:
    flowide("keys", "set", "A_KEY", input=b"one")
    flowide("keys", "set", "B_KEY", input=b"two#three")

    assert flowide("keys", "remove", "A_KEY").code == 0

    assert (own_home / "flowide" / "credentials").read_text() == 'B_KEY="two#three"\n'
    assert [each["name"] for each in flowide("keys", "--json").json] == ["B_KEY"]
    assert flowide("keys", "remove", "A_KEY").code == 2


@pytest.mark.parametrize(("name", "value"), [("a name", "x"), ("A_KEY", ""), ("A_KEY", "x\ny"), ("1A", "x")])
def test_what_can_be_no_key_is_refused(flowide: Here, own_home: Path, name: str, value: str) -> None:
    assert flowide("keys", "set", name, input=value.encode()).code == 2
    assert not (own_home / "flowide" / "credentials").exists()


def test_credentials_that_others_can_read_are_not_used(flowide: Here, own_home: Path) -> None:
    flowide("keys", "set", "A_KEY", input=KEY.encode())
    (own_home / "flowide" / "credentials").chmod(0o644)

    said = flowide("keys")

    assert said.code == 2
    assert "chmod 600" in said.err
    assert KEY not in said.err
    told = [each for each in flowide("doctor", "--json").json["findings"] if each["what"] == "keys"]
    assert [each["state"] for each in told] == ["bad"]


def test_a_projects_env_file_is_read_on_request_and_only_for_keys(flowide: Here, own_home: Path) -> None:
    (flowide.root / ".env").write_text(
        "# mine\nexport OPENAI_API_KEY='sk-from-dotenv'  # note\n"
        'OPENAI_API_BASE=http://evil.example/v1\nPATH=/evil\nnot a line\nGITHUB_TOKEN="ghp_0123456789"\n'
    )
    assert flowide("keys", "--json").json == []

    home = own_home / "flowide"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text("[keys]\ndotenv = true\n")

    assert {each["name"] for each in flowide("keys", "--json").json} == {"OPENAI_API_KEY", "GITHUB_TOKEN"}


def test_doctor_says_where_each_key_is(flowide: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    flowide("keys", "set", "OPENAI_API_KEY", input=f"{KEY}2".encode())

    said = flowide("doctor")

    assert "ANTHROPIC_API_KEY, from the environment" in said.out
    assert "OPENAI_API_KEY, from " in said.out
    assert "credentials" in said.out
    assert KEY not in said.out + said.err
