"""Commands on a space of a hub: joining, working, publishing, and the way back."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowide.space.keys import grant_token
from tests.cli.conftest import Here
from tests.space.remote.served import Served


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(str(tmp_path_factory.mktemp("hub"))) as served:
        yield served


@pytest.fixture
def address(hub: Served, request: pytest.FixtureRequest) -> str:
    """A space with the owner ana, whose token is not here yet."""
    name = f"s{abs(hash(request.node.name)) % 10**9}"
    hub.make(name)
    return hub.url(name)


def token(hub: Served, address: str, handle: str = "ana", role: str = "owner") -> bytes:
    return grant_token(
        hub.database, address.rpartition("/")[2], handle, role=role, device="pc"
    ).token.encode()


@pytest.fixture
def joined(flowide: Here, hub: Served, address: str) -> str:
    """Name of a space that ana has joined on this device."""
    assert flowide("join", address, "--token", "--no-use", input=token(hub, address)).code == 0
    return address.rpartition("/")[2]


def test_a_token_is_kept_for_its_owner_only_and_never_shown(
    flowide: Here, hub: Served, address: str, own_home: Path
) -> None:
    secret = token(hub, address)

    said = flowide("join", address, "--token", "--no-use", "--json", input=secret)

    assert said.json == {"space": address, "handle": "ana", "role": "owner"}
    assert secret.decode() not in said.out + said.err
    file = own_home / "flowide" / "hubs.json"
    assert file.stat().st_mode & 0o077 == 0 and secret in file.read_bytes()


def test_an_invitation_is_good_once(flowide: Here, joined: str, address: str) -> None:
    code = flowide("invite", "--role", "editor", "--space", joined, "--json").json["code"]

    assert flowide("join", address, code, "--as", "rod", "--json").json["handle"] == "rod"
    again = flowide("join", address, code, "--as", "ben")

    assert again.code != 0 and "invitation" in again.err


def test_files_become_artifacts_of_the_hubs_space(flowide: Here, joined: str) -> None:
    (flowide.root / "notes.md").write_text("one\n")
    assert flowide("artifact", "show", "notes.md", "--space", joined).out == "one\n"
    lock = flowide("lock", "acquire", "notes.md", "--space", joined, "--json").json

    saved = flowide("save", "notes.md", "--fence", str(lock["fence"]), "--space", joined, input=b"two\n")

    assert saved.code == 0
    assert (flowide.root / "notes.md").read_text() == "two\n"
    assert flowide("artifact", "list", "--space", "local", "--json").json == []
    [listed] = flowide("artifact", "list", "--space", joined, "--json").json
    assert (listed["path"], listed["version"]) == ("notes.md", 2)


def test_who_has_not_joined_is_told_how_to(flowide: Here, address: str) -> None:
    said = flowide("artifact", "list", "--space", address)

    assert said.code == 7 and "flowide join" in said.err


def test_an_unknown_name_is_bad_input(flowide: Here) -> None:
    said = flowide("artifact", "list", "--space", "nowhere")

    assert said.code == 2 and "nowhere" in said.err


def test_a_project_is_published_with_its_history_and_has_a_way_back(
    flowide: Here, hub: Served, address: str
) -> None:
    (flowide.root / "notes.md").write_text("one\n")
    flowide("artifact", "show", "notes.md")
    (flowide.root / ".flowide" / "config.toml").write_text('[me]\nhandle = "ana"\n')
    before = flowide("log", "--json").json
    said = flowide("join", address, "--token", "--publish", "--json", input=token(hub, address))
    assert said.code == 0, said

    after = flowide("log", "--json").json
    local = flowide("log", "--space", "local", "--json").json

    assert local == before
    same = ("type", "actor", "ts", "cmd", "data", "client")
    published = after[-len(before) :]
    assert [[each[name] for name in same] for each in published] == [
        [each[name] for name in same] for each in before
    ]
    assert flowide("artifact", "history", "notes.md", "--json").json[0]["version"] == 1
    assert flowide("verify").code == 0
    assert (flowide.root / ".flowide" / "config.toml").read_text() == (
        f'[me]\nhandle = "ana"\n\n[hub]\nspace = "{address}"\n'
    )


def test_a_space_in_which_something_happened_is_not_published_over(
    flowide: Here, hub: Served, address: str, joined: str
) -> None:
    (flowide.root / "there.md").write_text("there\n")
    flowide("artifact", "show", "there.md", "--space", joined)
    (flowide.root / "here.md").write_text("here\n")
    flowide("artifact", "show", "here.md", "--space", "local")

    said = flowide("join", address, "--token", "--publish", input=token(hub, address))

    assert said.code == 2 and "events already" in said.err
    assert not (flowide.root / ".flowide" / "config.toml").exists()


def test_a_hubs_space_is_exported_and_goes_on_in_a_project_of_its_own(
    flowide: Here, joined: str, tmp_path: Path
) -> None:
    (flowide.root / "notes.md").write_text("one\n")
    flowide("artifact", "show", "notes.md", "--space", joined)

    exported = flowide("export", str(tmp_path / "out"), "--space", joined, "--json").json
    (tmp_path / "copy").mkdir()
    imported = flowide("import", str(tmp_path / "out"), "--project", str(tmp_path / "copy"), "--json").json

    assert imported["events"] == exported["events"] > 3
    assert (tmp_path / "copy" / "notes.md").read_text() == "one\n"


def test_what_is_said_while_the_hub_is_away_is_sent_with_the_next_command(
    flowide: Here, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = str(tmp_path / "db")
    with Served(database, port=port) as served:
        served.make("shop")
        address = served.url("shop")
        assert flowide("join", address, "--token", input=token(served, address)).code == 0
        assert flowide("thread", "open", "talk", "--space", "shop").code == 0

    said = flowide("say", "from the train", "--thread", "last", "--space", "shop")
    locked = flowide("lock", "acquire", "notes.md", "--space", "shop")
    waiting = flowide("outbox", "--space", "shop", "--json").json

    assert said.code == 0 and "will be sent" in said.err
    assert locked.code in {2, 8}
    assert waiting["state"] == "offline" and len(waiting["waiting"]) == 1
    assert "from the train" in flowide("outbox", "--space", "shop").out
    with Served(database, port=port):
        shown = flowide("thread", "show", "last", "--space", "shop", "--json")
        assert "from the train" in shown.out and "offline" not in shown.err
        after = flowide("outbox", "--space", "shop", "--json").json
        assert (after["state"], after["waiting"], after["refused"]) == ("online", [], [])


def test_a_project_without_a_space_of_its_own_works_on_the_hub_it_joins(
    flowide: Here, hub: Served, address: str
) -> None:
    (flowide.root / ".flowide").mkdir(exist_ok=True)
    assert flowide("join", address, "--token", input=token(hub, address)).code == 0

    assert f'space = "{address}"' in (flowide.root / ".flowide" / "config.toml").read_text()
    [found] = [each for each in flowide("doctor", "--json").json["findings"] if each["what"] == "workspace"]
    assert (found["state"], address in found["said"], "you are ana (owner)" in found["said"]) == (
        "ok",
        True,
        True,
    )


@pytest.mark.parametrize("repository", [True, False])
def test_a_clone_works_on_the_hub_that_is_joined_in_it_and_any_other_folder_does_not(
    flowide: Here, hub: Served, address: str, *, repository: bool
) -> None:
    shutil.rmtree(flowide.root / ".flowide", ignore_errors=True)
    if repository:
        (flowide.root / ".git").mkdir()

    said = flowide("join", address, "--token", input=token(hub, address))

    assert said.code == 0
    config = flowide.root / ".flowide" / "config.toml"
    assert (config.exists() and address in config.read_text()) is repository


@pytest.mark.parametrize("own", [True, False])
def test_a_project_stays_where_it_is_when_that_is_wanted_or_it_has_a_space(
    flowide: Here, hub: Served, address: str, *, own: bool
) -> None:
    (flowide.root / ".flowide").mkdir(exist_ok=True)
    if own:
        flowide("artifact", "list", "--space", "local")
    options = [] if own else ["--no-use"]
    said = flowide("join", address, "--token", *options, input=token(hub, address))

    assert said.code == 0 and "--use" in said.err
    config = flowide.root / ".flowide" / "config.toml"
    assert not config.exists() or address not in config.read_text()


def test_the_check_up_tells_a_hub_that_was_not_joined(flowide: Here, hub: Served, address: str) -> None:
    def found() -> dict[str, str]:
        [one] = [each for each in flowide("doctor", "--json").json["findings"] if each["what"] == "workspace"]
        return dict(one)

    config = flowide.root / ".flowide" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'[hub]\nspace = "{address}"\n')
    assert found()["state"] == "bad" and "has not joined" in found()["said"]
    flowide("join", address, "--token", input=token(hub, address))
    assert "you are ana" in found()["said"]
