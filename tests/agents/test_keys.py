"""Where keys come from, and in which order."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from flowide.agents import keys
from flowide.agents.keys import Keys, find_keys, read_credentials, set_key
from flowide.errors import BadInput, Unavailable
from flowide.settings import Keys as KeySettings
from flowide.settings import Model, Settings


def found(tmp_path: Path, *, env: dict[str, str] | None = None, keyring: Any = None, **how: Any) -> Keys:
    settings = Settings(
        keys=KeySettings(**how), models={"house": Model(model="x", api_base="http://x", key_env="HOUSE_ID")}
    )
    around = {"FLOWIDE_HOME": str(tmp_path / "home"), **(env or {})}
    return find_keys(tmp_path, settings, around, keyring=keyring)


def test_the_environment_goes_before_the_file_and_that_before_the_keyring(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=of-dotenv\nGROQ_API_KEY=of-dotenv\n")
    for name in ("OPENAI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY"):
        set_key(tmp_path / "home", name, "of-file")

    got = found(
        tmp_path,
        env={"OPENAI_API_KEY": "of-env"},
        dotenv=True,
        keyring=lambda name: "of-keyring",
    )
    asked = found(tmp_path, dotenv=True, **{"keyring": None})

    assert (got.env["OPENAI_API_KEY"], got.env["GROQ_API_KEY"]) == ("of-env", "of-dotenv")
    assert got.sources["MISTRAL_API_KEY"].endswith("credentials")
    assert asked.sources["OPENAI_API_KEY"].endswith(".env")


def test_the_keyring_is_asked_for_what_is_nowhere_else_and_only_on_request(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(name: str) -> str | None:
        asked.append(name)
        return "of-keyring" if name == "HOUSE_ID" else None

    settings = Settings(models={"house": Model(model="x", api_base="http://x", key_env="HOUSE_ID")})
    around = {"FLOWIDE_HOME": str(tmp_path), "OPENAI_API_KEY": "x"}
    find_keys(None, settings, around, keyring=ask)
    assert asked == []

    on = Settings(keys=KeySettings(keyring=True), models=settings.models)
    got = find_keys(None, on, around, keyring=ask)

    assert (got.env["HOUSE_ID"], got.sources["HOUSE_ID"]) == ("of-keyring", "keyring")
    assert "OPENAI_API_KEY" not in asked
    assert "ANTHROPIC_API_KEY" in asked


def test_a_keyring_that_does_not_answer_or_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "KEYRING_S", 0.1)
    on = Settings(keys=KeySettings(keyring=True))
    around = {"FLOWIDE_HOME": str(tmp_path)}
    never = threading.Event()

    def waits(name: str) -> str | None:
        never.wait(20)
        return None

    def fails(name: str) -> str | None:
        raise OSError("secret-detail")

    with pytest.raises(Unavailable, match="did not answer"):
        find_keys(None, on, around, keyring=waits)
    never.set()
    with pytest.raises(Unavailable, match="OSError") as raised:
        find_keys(None, on, around, keyring=fails)
    assert "secret-detail" not in raised.value.message


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A_KEY=plain", "plain"),
        (" export A_KEY = spaced ", "spaced"),
        ("A_KEY='q#u' # note", "q#u"),
        ('A_KEY="x=y"', "x=y"),
        ("A_KEY=x#y", "x#y"),
        ("A_KEY=x # y", "x"),
    ],
)
def test_lines_are_read_as_shells_write_them(tmp_path: Path, line: str, value: str) -> None:
    file = tmp_path / "credentials"
    file.touch(0o600)
    file.write_text(f"# keys\n\n{line}\n")

    assert read_credentials(file) == {"A_KEY": value}


@pytest.mark.parametrize("data", [b"A_KEY\n", b"\xff\xfe", b"A KEY=x\n", b"x" * 300_000])
def test_a_wrong_file_is_refused_without_its_content(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "credentials"
    file.touch(0o600)
    file.write_bytes(data)

    with pytest.raises(BadInput) as raised:
        read_credentials(file)
    assert "x" * 10 not in raised.value.message


def test_what_is_kept_can_be_read_again(tmp_path: Path) -> None:
    for value in ("a b", "with # sign", "plain", "'quoted'", 'x"y'):
        set_key(tmp_path, "A_KEY", value)

        assert read_credentials(tmp_path / "credentials")["A_KEY"] == value
