"""Spaces are found, made and listed by name, in whatever database they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.errors import BadInput, Exists, NotFound, StorageFailed
from flowide.store.by_url import create_space, open_store, spaces


def test_a_folder_holds_one_file_for_each_space(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    assert spaces(str(folder)) == []

    create_space(str(folder), "team")
    create_space(str(folder), "a-b_2")

    assert spaces(str(folder)) == ["a-b_2", "team"]
    store = open_store(str(folder), "team")
    assert store.position().seq == 0
    store.close()
    assert (folder / "team.db").is_file() and folder.stat().st_mode & 0o077 == 0


def test_a_file_holds_the_one_space_of_its_name(tmp_path: Path) -> None:
    file = str(tmp_path / "workspace.db")
    assert spaces(file) == []
    create_space(file, "workspace")

    open_store(file, "workspace").close()

    assert spaces(file) == ["workspace"]
    with pytest.raises(NotFound):
        open_store(file, "other")
    with pytest.raises(NotFound):
        create_space(file, "other")


def test_a_space_is_made_once_and_opened_only_when_it_is_there(tmp_path: Path) -> None:
    create_space(str(tmp_path), "team")

    with pytest.raises(Exists):
        create_space(str(tmp_path), "team")
    with pytest.raises(NotFound) as refused:
        open_store(str(tmp_path), "teem")

    assert "team" in refused.value.hint
    assert spaces(str(tmp_path)) == ["team"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "../a",
        "/etc",
        "A",
        "ü",
        "a b",
        "a.db",
        "-a",
        "a-",
        "nul",
        "com1",
        "x" * 64,
        "a\n",
        "a\0",
    ],
)
def test_a_name_that_is_no_safe_part_of_an_address_or_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        create_space(str(tmp_path), name)
    with pytest.raises(BadInput):
        open_store(str(tmp_path), name)

    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    for act in (lambda: spaces("mysql://x/y"), lambda: create_space("mysql://x/y", "a")):
        with pytest.raises(BadInput) as refused:
            act()
        assert "postgresql://" in refused.value.hint


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageFailed):
        create_space(str(tmp_path / "file" / "folder"), "team")


def test_files_beside_the_spaces_are_none(tmp_path: Path) -> None:
    create_space(str(tmp_path), "team")
    (tmp_path / "Notes.db").touch()
    (tmp_path / "x.txt").touch()
    (tmp_path / "folder.db").mkdir()

    assert spaces(str(tmp_path)) == ["team"]
