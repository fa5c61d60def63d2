"""The command line on a disk that is full or read-only, and on a workspace that is damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Apart, Here, Said

SHOP = "src/shop.py"


class Disk:
    """A small disk of its own, with a project on it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def fill(self) -> None:
        for size in (65536, 4096, 1):
            try:
                with (self.root / "filler").open("ab", buffering=0) as filler:
                    while filler.write(b"x" * size):
                        pass
            except OSError:
                continue

    def clear(self) -> None:
        (self.root / "filler").unlink()

    def mounted(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.root)], check=True)


@pytest.fixture
def disk(tmp_path: Path, project: Path) -> Iterator[Disk]:
    """Needs the right to mount, so it is skipped for most people."""
    root = tmp_path / "disk"
    root.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(root)], capture_output=True, check=False
    ).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        (root / "src").mkdir()
        (root / SHOP).write_text("x = 1\n")
        yield Disk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


def is_refused(said: Said) -> bool:
    return said.code == 10 and said.json["code"] == "storage" and "Traceback" not in said.err


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_disk_that_takes_nothing_is_exit_10_and_work_goes_on_when_it_does(
    apart: Apart, disk: Disk, state: str
) -> None:
    def flowide(*args: str, input: bytes = b"") -> Said:
        return apart(*args, "--json", input=input, cwd=disk.root)

    fence = flowide("lock", "acquire", SHOP, "--ttl", "600").json["fence"]
    if state == "full":
        disk.fill()
    else:
        disk.mounted("ro")

    assert is_refused(flowide("save", SHOP, "--fence", str(fence), input=b"x = 2\n" * 1000))
    assert is_refused(flowide("artifact", "create", "new.txt", input=b"x" * 10_000))
    assert is_refused(flowide("lock", "acquire", "new.txt"))
    assert (disk.root / SHOP).read_text() == "x = 1\n"

    if state == "full":
        disk.clear()
    else:
        disk.mounted("rw")
    assert flowide("save", SHOP, "--fence", str(fence), input=b"x = 2\n").code == 0
    assert (disk.root / SHOP).read_text() == "x = 2\n"
    assert flowide("verify").code == 0


def test_words_survive_a_disk_that_fills_up_while_they_are_written(
    apart: Apart, disk: Disk, tmp_path: Path
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "pathlib.Path(sys.argv[-1]).write_text('precious\\n' * 5000)\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.cli.test_storage import Disk\n"
        f"Disk(pathlib.Path({str(disk.root)!r})).fill()\n"
    )

    said = apart("edit", SHOP, "--json", env={"EDITOR": f"{sys.executable} {editor}"}, cwd=disk.root)

    assert said.code == 10, said
    disk.clear()
    texts = [file.read_text() for file in (disk.root / ".flowide").rglob("*.py")]
    drafts = apart("drafts", "--json", cwd=disk.root).json
    texts += [apart("draft", "show", draft["id"], cwd=disk.root).out for draft in drafts]
    assert "precious\n" * 5000 in texts


def test_a_folder_where_nothing_may_be_written_is_told(apart: Apart, disk: Disk) -> None:
    disk.mounted("ro")

    said = apart("artifact", "list", "--json", cwd=disk.root)

    assert is_refused(said)
    assert "writable" in said.json["hint"]


def _garbage(file: Path) -> None:
    file.write_bytes(os.urandom(8192))


def _cut_off(file: Path) -> None:
    with file.open("r+b") as database:
        database.truncate(database.seek(0, os.SEEK_END) // 2)


def _header_lost(file: Path) -> None:
    with file.open("r+b") as database:
        database.write(b"\0" * 100)


def _middle_lost(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as database:
        database.seek(4096)
        database.write(os.urandom(size - 4096))


def _of_another_program(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE recipes (name)")
    database.close()


def _of_a_newer_version(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "damage",
    [_garbage, _cut_off, _header_lost, _middle_lost, _of_another_program, _of_a_newer_version, _folder],
)
def test_a_damaged_workspace_is_exit_10_with_one_clear_message(
    flowide: Here, damage: Callable[[Path], None]
) -> None:
    fence = flowide("lock", "acquire", SHOP, "--json").json["fence"]
    database = flowide.root / ".flowide" / "workspace.db"
    for each in database.parent.glob("workspace.db-*"):
        each.unlink()
    damage(database)
    before = database.read_bytes() if database.is_file() else b""

    for command in (["save", SHOP, "--fence", str(fence)], ["lock", "list"], ["verify"], ["log"]):
        said = flowide(*command, "--json", input=b"x")
        assert said.code == 10, (command, said)
        assert said.json["code"] == "storage"
        assert said.json["hint"]
        assert str(database) in said.err
        assert "Traceback" not in said.err

    if database.is_file():
        assert database.read_bytes() == before
    assert flowide("doctor").code == 1


def test_a_workspace_folder_that_is_a_file_is_told(flowide: Here, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".flowide").write_text("mine")

    said = flowide("lock", "list", "--project", str(other))

    assert said.code == 2
    assert ".flowide" in said.err
    assert (other / ".flowide").read_text() == "mine"


@pytest.mark.parametrize("target", ["/dev/full"])
@pytest.mark.parametrize(
    "command", [["artifact", "list", "--json"], ["--help"], ["--version"], ["nonsense", "--json"]]
)
def test_an_output_that_cannot_be_written_is_a_failure(apart: Apart, target: str, command: list[str]) -> None:
    with open(target, "w") as full:
        process = apart.begin(*command, stdout=full)
        _, err = process.communicate(timeout=60)

    assert process.returncode == (2 if "nonsense" in command else 10)
    assert b"Traceback" not in err
    assert b"Exception" not in err
    assert b"error: " in err
