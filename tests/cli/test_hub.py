"""The hub's commands: serve, invite, members, token."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Here


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "spaces")


@pytest.fixture
def space(flowide: Here, database: str) -> list[str]:
    """Options that name a space whose owner is ana."""
    said = flowide("token", "create", "--database", database, "--space", "shop", "--as", "ana")
    assert said.code == 0
    return ["--database", database, "--space", "shop"]


def test_the_first_token_makes_space_and_owner_and_is_alone_on_stdout(flowide: Here, database: str) -> None:
    said = flowide("token", "create", "--database", database, "--space", "shop", "--as", "@ana")

    assert said.code == 0
    assert said.out.startswith("flw_") and len(said.out.split()) == 1
    assert "ana is owner of shop" in said.err
    assert (Path(database) / "shop.db").stat().st_mode & 0o777 == 0o600


def test_a_token_can_be_had_as_json(flowide: Here, space: list[str]) -> None:
    said = flowide("token", "create", *space, "--as", "rod", "--role", "viewer", "--device", "pc", "--json")

    assert {name: said.json[name] for name in ("member", "role", "space")} == {
        "member": "rod", "role": "viewer", "space": "shop",
    }  # fmt: skip


def test_an_invitation_is_a_line_to_run_on_the_other_machine(flowide: Here, space: list[str]) -> None:
    said = flowide("invite", *space)

    assert said.code == 0
    assert said.out.startswith("flowide join https://HUB/shop ")


def test_an_invitation_as_json_has_code_and_end(flowide: Here, space: list[str]) -> None:
    said = flowide("invite", *space, "--agent", "--for", "@ana", "--json")

    assert (said.json["role"], said.json["kind"]) == ("agent", "agent")
    assert len(said.json["code"]) == 32
    assert said.json["expires"].endswith("Z")


def test_members_are_listed_promoted_and_removed(flowide: Here, space: list[str]) -> None:
    flowide("token", "create", *space, "--as", "rod", "--role", "viewer")

    assert "@rod" in flowide("members", *space).out
    assert flowide("members", "role", "@rod", "owner", *space).code == 0
    assert flowide("members", "remove", "ana", "--reason", "left", *space).code == 0
    assert [row["id"] for row in flowide("members", "list", *space, "--json").json] == ["rod"]


def test_the_last_owner_stays(flowide: Here, space: list[str]) -> None:
    said = flowide("members", "remove", "ana", *space)

    assert said.code == 7
    assert "last owner" in said.err


def test_tokens_are_listed_without_themselves_and_revoked(flowide: Here, space: list[str]) -> None:
    made = flowide("token", "create", *space, "--as", "ana", "--device", "lost", "--json").json

    revoked = flowide("token", "revoke", made["token_id"], *space)

    listed = flowide("token", "list", *space, "--member", "@ana")
    assert revoked.code == 0
    assert made["token"] not in listed.out and "digest" not in listed.out
    assert [line.split()[-3] for line in listed.out.splitlines()[1:]] == ["good", "revoked"]


def test_a_local_space_has_no_members(flowide: Here) -> None:
    assert flowide("members").code == 0
    assert flowide("invite").code == 7


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["token", "create", "--space", "../x", "--as", "ana"], 2, "cannot be called"),
        (["token", "create", "--space", "shop", "--as", "a b"], 2, "nobody can be called"),
        (["token", "create", "--space", "shop", "--as", "system"], 2, "nobody can be called"),
        (["token", "create", "--space", "shop"], 2, "--as"),
        (["token", "create", "--database", "mysql://x/y", "--space", "shop", "--as", "ana"], 2, "mysql"),
        (["members", "--database", "/nonexistent"], 2, "--space"),
        (["members", "--database", "/nonexistent", "--space", "shop"], 2, "no space shop"),
        (["serve", "--host", "0.0.0.0"], 2, "--behind-proxy"),
        (["serve", "--tls-cert", "/none.pem"], 2, "--tls-key"),
        (["serve", "--tls-cert", "/none.pem", "--tls-key", "/none.key"], 2, "/none.pem"),
        (["serve", "--port", "99999"], 2, "--port"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_reason(
    flowide: Here, args: list[str], code: int, said: str
) -> None:
    done = flowide(*args)

    assert done.code == code
    assert said in done.err


def test_a_refused_token_makes_no_space(flowide: Here, database: str) -> None:
    flowide("token", "create", "--database", database, "--space", "shop", "--as", "a b")

    assert not (Path(database) / "shop.db").exists()


def test_a_backup_is_a_database_of_its_own(
    flowide: Here, space: list[str], database: str, tmp_path: Path
) -> None:
    copy = tmp_path / "backup"

    said = flowide("database", "backup", str(copy), "--database", database)
    flowide("token", "create", *space, "--as", "later")

    assert said.out == f"{copy / 'shop.db'}\n"
    assert (copy / "shop.db").stat().st_mode & 0o777 == 0o600
    members = flowide("members", "--database", str(copy), "--space", "shop", "--json").json
    assert [row["id"] for row in members] == ["ana"]
    assert flowide("database", "verify", "shop", "--database", str(copy)).code == 0


def test_a_backup_overwrites_nothing(flowide: Here, space: list[str], database: str, tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("mine")

    said = flowide("database", "backup", str(tmp_path), "--database", database)

    assert said.code == 2 and "is there already" in said.err
    assert (tmp_path / "shop.db").read_text() == "mine"


@pytest.mark.parametrize("place", ["postgresql:///flowide", "/nonexistent"])
def test_what_cannot_be_copied_is_told(flowide: Here, place: str, tmp_path: Path) -> None:
    assert flowide("database", "backup", str(tmp_path / "x"), "--database", place).code == 2
