"""A private copy holds files of its own; what was done there is found, whatever it was."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from flowide.errors import BadInput, TooLarge
from flowide.project import ignore
from flowide.project.private.changes import Change, Found, changed_since, changes_in, read_changed
from flowide.project.private.copying import PrivateCopy, kept_copy, lay

FILES = {
    "a.txt": b"one\ntwo\nthree\n",
    "src/b.py": b"x = 1\n",
    "src/deep/c.bin": bytes(range(256)),
    "empty": b"",
    "go.sh": b"#!/bin/sh\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "original"
    for path, data in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    (root / "go.sh").chmod(0o755)
    return root


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> PrivateCopy:
    return laid(root, tmp_path)


def laid(root: Path, tmp_path: Path) -> PrivateCopy:
    return lay(root, tmp_path / "place", ignore.scan(root), link_installed=True)


def found(copy: PrivateCopy, root: Path) -> list[tuple[str, str]]:
    changes = changes_in(copy, root)
    assert changes.beyond == {}
    return [(each.kind, f"{each.was} -> {each.path}" if each.was else each.path) for each in changes.changes]


def test_the_copy_is_the_same_with_its_modes_and_times(copy: PrivateCopy, root: Path) -> None:
    for path, data in FILES.items():
        assert (copy.folder / path).read_bytes() == data
        assert int((copy.folder / path).stat().st_mtime) == int((root / path).stat().st_mtime)
    assert os.access(copy.folder / "go.sh", os.X_OK)
    assert not os.access(copy.folder / "a.txt", os.X_OK)
    assert found(copy, root) == []


def test_no_file_of_the_copy_is_a_file_of_the_original(copy: PrivateCopy, root: Path) -> None:
    for path in FILES:
        assert not os.path.samefile(copy.folder / path, root / path)
        (copy.folder / path).chmod(0o600)
        with (copy.folder / path).open("ab") as file:
            file.write(b"more")

    assert {path: (root / path).read_bytes() for path in FILES} == FILES
    assert os.access(root / "go.sh", os.X_OK)


def test_links_and_pipes_of_the_original_are_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(root / "pipe")

    copy = lay(root, tmp_path / "place", ["link", "pipe", "a.txt", "gone"], link_installed=True)

    assert sorted(copy.files) == ["a.txt"]
    assert sorted(each.name for each in copy.folder.iterdir()) == ["a.txt"]


def test_every_kind_of_change_is_found(copy: PrivateCopy, root: Path) -> None:
    (copy.folder / "a.txt").write_text("one\n2\nthree\n")
    (copy.folder / "new/d.txt").parent.mkdir()
    (copy.folder / "new/d.txt").write_text("new")
    (copy.folder / "src/deep/c.bin").rename(copy.folder / "moved.bin")
    (copy.folder / "empty").unlink()
    (copy.folder / "src/b.py").chmod(0o755)

    assert found(copy, root) == [
        ("edited", "a.txt"),
        ("deleted", "empty"),
        ("moved", "src/deep/c.bin -> moved.bin"),
        ("created", "new/d.txt"),
        ("mode", "src/b.py"),
    ]


def test_a_file_that_was_moved_and_changed_a_little_was_moved(copy: PrivateCopy, root: Path) -> None:
    (copy.folder / "a.txt").rename(copy.folder / "z.txt")
    with (copy.folder / "z.txt").open("a") as file:
        file.write("four\n")

    assert found(copy, root) == [("moved", "a.txt -> z.txt")]


def test_what_was_written_back_as_it_was_is_no_change(copy: PrivateCopy, root: Path) -> None:
    data = (copy.folder / "a.txt").read_bytes()
    (copy.folder / "a.txt").unlink()
    (copy.folder / "a.txt").write_bytes(data)
    os.utime(copy.folder / "src/b.py", ns=(1, 1))

    assert found(copy, root) == []


def test_a_change_that_keeps_size_and_time_is_found(copy: PrivateCopy, root: Path) -> None:
    before = (copy.folder / "a.txt").stat()
    (copy.folder / "a.txt").write_bytes(b"ONE\ntwo\nthree\n")
    os.utime(copy.folder / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert found(copy, root) == [("edited", "a.txt")]


def test_what_is_ignored_is_passed_over_also_when_the_copy_says_otherwise(root: Path, tmp_path: Path) -> None:
    (root / ".gitignore").write_text("build/\n*.log\n")
    copy = laid(root, tmp_path)
    for path in ("build/x", "a.log", "node_modules/y/z.js", "src/__pycache__/b.pyc"):
        (copy.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (copy.folder / path).write_text("x")
    (copy.folder / ".gitignore").write_text("")

    assert found(copy, root) == [("edited", ".gitignore")]


def test_what_cannot_be_an_artifact_is_said(copy: PrivateCopy, root: Path, tmp_path: Path) -> None:
    (copy.folder / "link").symlink_to("/etc/passwd")
    (copy.folder / "a.txt").unlink()
    (copy.folder / "a.txt").symlink_to(tmp_path / "original" / "src" / "b.py")
    (copy.folder / "folder").symlink_to("/etc")
    os.mkfifo(copy.folder / "pipe")
    (copy.folder / "odd\\name").write_text("x")
    (copy.folder / "con.txt").write_text("x")
    with (copy.folder / "large").open("wb") as file:
        file.truncate(17 * 2**20)

    changes = changes_in(copy, root)

    assert changes.changes == []
    assert changes.beyond == {
        "link": "a link",
        "a.txt": "a link",
        "folder": "a link",
        "pipe": "no regular file",
        "odd\\name": "a name that no artifact may have",
        "con.txt": "a name that no artifact may have",
        "large": "more than 16 MiB",
    }


def test_git_and_the_workspace_do_not_count(copy: PrivateCopy, root: Path) -> None:
    for path in (".git/config", ".flowide/agents/evil.md", "src/.git/hooks/x"):
        (copy.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (copy.folder / path).write_text("x")

    assert found(copy, root) == []


def test_a_folder_in_the_place_of_a_file_is_a_deletion_and_new_files(copy: PrivateCopy, root: Path) -> None:
    (copy.folder / "a.txt").unlink()
    (copy.folder / "a.txt").mkdir()
    (copy.folder / "a.txt" / "x").write_text("quite different")

    assert found(copy, root) == [("deleted", "a.txt"), ("created", "a.txt/x")]


def test_a_copy_that_was_replaced_by_a_link_is_not_read(
    copy: PrivateCopy, root: Path, tmp_path: Path
) -> None:
    copy.folder.rename(tmp_path / "aside")
    copy.folder.symlink_to("/etc")

    with pytest.raises(BadInput, match="no folder any more"):
        changes_in(copy, root)


def test_a_file_that_changes_after_it_was_compared_is_not_read_as_that(copy: PrivateCopy, root: Path) -> None:
    (copy.folder / "a.txt").write_text("first")
    [change] = changes_in(copy, root).changes
    assert read_changed(copy, change) == b"first"

    (copy.folder / "a.txt").write_text("second")

    assert read_changed(copy, change) is None


def test_another_process_finds_the_same_changes(copy: PrivateCopy, root: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    copy.keep(beside)
    (copy.folder / "a.txt").write_text("changed")

    again = kept_copy(copy.base, beside)

    assert again is not None
    assert found(again, root) == [("edited", "a.txt")]
    (beside / "copy.msgpack").write_bytes(b"half of i")
    assert kept_copy(copy.base, beside) is None


def test_a_project_that_is_too_large_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match=r"\.gitignore|copy"):
        lay(root, tmp_path / "place", ignore.scan(root), link_installed=False, limit=100)


def test_packages_are_linked_to_and_the_links_are_no_change(root: Path, tmp_path: Path) -> None:
    (root / "node_modules/pad").mkdir(parents=True)
    (root / "node_modules/pad/index.js").write_text("pad")

    linked = lay(root, tmp_path / "one", ignore.scan(root), link_installed=True)
    without = lay(root, tmp_path / "two", ignore.scan(root), link_installed=False)

    assert (linked.folder / "node_modules/pad/index.js").read_text() == "pad"
    assert found(linked, root) == []
    assert not (without.folder / "node_modules").exists()


def test_history_is_there_and_commits_stay_in_the_copy(root: Path, tmp_path: Path) -> None:
    def git(folder: Path, *words: str) -> str:
        named = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(["git", *named, *words], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    (root / "a.txt").write_text("not committed\n")
    before = git(root, "rev-parse", "HEAD")
    copy = laid(root, tmp_path)

    assert git(copy.folder, "log", "--format=%s") == "first"
    assert git(copy.folder, "remote") == ""
    assert git(copy.folder, "status", "--short") == "M a.txt"
    (copy.folder / "a.txt").write_text("committed there\n")
    git(copy.folder, "commit", "-q", "-a", "-m", "second")
    assert git(root, "rev-parse", "HEAD") == before
    assert git(root, "log", "--all", "--format=%s") == "first"
    assert found(copy, root) == [("edited", "a.txt")]


def test_a_change_of_the_original_meanwhile_is_seen(copy: PrivateCopy, root: Path) -> None:
    time.sleep(0.02)
    (root / "a.txt").write_text("by hand")
    os.utime(root / "src/b.py")

    assert changed_since(copy, root) == ["a.txt"]


@pytest.mark.parametrize("seed", range(8))
def test_applying_what_was_found_makes_the_original_the_copy(root: Path, tmp_path: Path, seed: int) -> None:
    """Whatever is done, in any order: the changes are all there is to it."""
    dice = random.Random(seed)
    for number in range(20):
        (root / f"f{number}.txt").write_text("".join(f"{dice.random()}\n" for _ in range(20)))
    copy = laid(root, tmp_path)
    for number in range(40):
        there = sorted(path for path in copy.folder.rglob("*") if path.is_file())
        file = dice.choice(there)
        match dice.randrange(5):
            case 0:
                file.write_text(file.read_text(errors="replace") + f"{number}\n")
            case 1:
                file.unlink()
            case 2:
                file.rename(copy.folder / f"m{number}")
            case 3:
                (copy.folder / f"n{number}").write_text(f"{dice.random()}")
            case _:
                file.chmod(dice.choice([0o644, 0o755]))

    apply(changes_in(copy, root), copy, root)

    assert tree(root) == tree(copy.folder)


def apply(found: Found, copy: PrivateCopy, root: Path) -> None:
    for each in found.changes:
        if each.kind == "deleted" or each.was:
            (root / (each.was or each.path)).unlink()
    for each in found.changes:
        write(each, copy, root)


def write(change: Change, copy: PrivateCopy, root: Path) -> None:
    if change.kind == "deleted":
        return
    data = read_changed(copy, change)
    assert data is not None
    file = root / change.path
    file.parent.mkdir(parents=True, exist_ok=True)
    program = (
        os.access(file, os.X_OK)
        if file.exists()
        else bool(change.was) and copy.files[change.was].mode & 0o100
    )
    file.write_bytes(data)
    if change.executable is not None:
        program = change.executable
    file.chmod(0o755 if program else 0o644)


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), os.access(path, os.X_OK))
        for path in folder.rglob("*")
        if path.is_file()
    }
