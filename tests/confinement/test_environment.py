"""Keys reach nobody who was not given them by name."""

from __future__ import annotations

import pytest

from flowide.confinement.environment import PERSONAL, PLAIN, named, without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PGPASSWORD", "ANTHROPIC_AUTH_TOKEN", "SENTRY_DSN",
        "GH_PAT", "SSH_AUTH_SOCK", "MY_CREDENTIALS", "private_thing", "DB_PASSWD",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_left_out(name: str) -> None:
    assert without_secrets({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_an_address_with_a_password_is_a_secret() -> None:
    assert without_secrets({"DATABASE_URL": "postgres://me:hidden@db/x", "URL": "https://db/x"}) == {
        "URL": "https://db/x"
    }


def test_only_what_is_named_is_passed_on() -> None:
    env = {"PATH": "/bin", "GEMINI_API_KEY": "k", "GEMINI_MODEL": "m", "OPENAI_API_KEY": "o"}

    assert named(env, [*PLAIN, "GEMINI_*"]) == {"PATH": "/bin", "GEMINI_API_KEY": "k", "GEMINI_MODEL": "m"}


def test_no_name_that_is_passed_on_by_itself_looks_like_a_secret() -> None:
    assert without_secrets(dict.fromkeys((*PLAIN, *PERSONAL), "x")).keys() == {*PLAIN, *PERSONAL}
