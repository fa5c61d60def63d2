"""`flowide artifact`: the files of a project as artifacts with versions."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Here

SHOP = "src/shop.py"
BINARY = bytes(range(256)) * 3


def save(flowide: Here, path: str, text: bytes) -> int:
    """The version that a person makes of a file."""
    locked = flowide("lock", "acquire", path, "--json").json
    said = flowide("save", path, "--fence", str(locked["fence"]), "--json", input=text)
    assert said.code == 0, said
    version: int = said.json["version"]
    return version


def test_a_file_is_an_artifact_on_first_touch(flowide: Here) -> None:
    assert flowide("artifact", "list", "--json").json == []

    assert flowide("artifact", "show", SHOP).out == (flowide.root / SHOP).read_text()

    [listed] = flowide("artifact", "list", "--json").json
    assert (listed["path"], listed["version"], listed["lock"], listed["disk"]) == (SHOP, 1, "free", "same")


def test_files_that_nobody_touched_are_listed_when_asked_for(flowide: Here) -> None:
    (flowide.root / "notes.md").write_text("x")

    listed = flowide("artifact", "list", "--files", "--json").json

    assert {each["path"] for each in listed} == {SHOP, "notes.md"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no newline",
        b"a\r\nb\r\n",
        b"\xef\xbb\xbfwith a mark\n",
        BINARY,
        b"\0",
        "ünï\n".encode(),
        b"\xff\xfe\n",
    ],
    ids=["empty", "no newline", "CRLF", "BOM", "binary", "NUL", "UTF-8", "not UTF-8"],
)
def test_bytes_come_back_as_they_went_in(flowide: Here, capfdbinary: object, data: bytes) -> None:
    assert flowide("artifact", "create", "new.txt", input=data).code == 0

    assert (flowide.root / "new.txt").read_bytes() == data
    told = flowide("artifact", "show", "new.txt", "--json").json
    assert (base64.b64decode(told["base64"]) if "base64" in told else told["text"].encode()) == data
    assert told["size"] == len(data)


def test_a_binary_goes_through_stdout_unchanged(
    flowide: Here, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    from flowide.cli.main import run

    (flowide.root / "image.png").write_bytes(BINARY)

    assert run(["artifact", "show", "image.png"]) == 0

    assert capfdbinary.readouterr().out == BINARY


def test_an_older_version_is_shown(flowide: Here) -> None:
    first = (flowide.root / SHOP).read_text()
    save(flowide, SHOP, b"x = 1\n")

    assert flowide("artifact", "show", SHOP, "--version", "1").out == first
    assert flowide("artifact", "show", SHOP).out == "x = 1\n"


@pytest.mark.parametrize("version", ["0", "-1", "3", "99999999999999999999", "x"])
def test_a_version_that_is_not_there_is_bad_input(flowide: Here, version: str) -> None:
    assert flowide("artifact", "show", SHOP, "--version", version).code == 2


def test_an_artifact_is_found_by_path_by_id_and_from_a_folder_inside(
    flowide: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = flowide("artifact", "show", SHOP).out
    [listed] = flowide("artifact", "list", "--json").json
    (flowide.root / "docs").mkdir()

    assert flowide("artifact", "show", listed["id"]).out == text
    assert flowide("artifact", "show", f"./{SHOP}").out == text
    monkeypatch.chdir(flowide.root / "src")
    assert flowide("artifact", "show", "shop.py").out == text
    assert flowide("artifact", "show", SHOP).out == text
    monkeypatch.chdir(flowide.root / "docs")
    assert flowide("artifact", "show", "../src/shop.py").out == text
    assert flowide("artifact", "show", "../../etc/passwd").code == 2
    monkeypatch.chdir("/")
    assert flowide("artifact", "show", SHOP, "--project", str(flowide.root)).out == text


def test_what_is_made_in_a_folder_inside_is_made_there(
    flowide: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    (flowide.root / "a.txt").write_text("above")
    monkeypatch.chdir(flowide.root / "src")

    assert flowide("artifact", "create", "a.txt", input=b"below").code == 0
    assert flowide("artifact", "create", "../b.txt", input=b"above").code == 0

    assert (flowide.root / "src" / "a.txt").read_text() == "below"
    assert (flowide.root / "b.txt").read_text() == "above"


def test_create_refuses_what_is_there(flowide: Here) -> None:
    before = (flowide.root / SHOP).read_bytes()

    said = flowide("artifact", "create", SHOP, "--json", input=b"other")

    assert (said.code, said.json["code"]) == (2, "exists")
    assert (flowide.root / SHOP).read_bytes() == before


def test_create_can_take_the_lock(flowide: Here) -> None:
    made = flowide("artifact", "create", "a/b/new.md", "--lock", "--json", input=b"# x\n").json

    [lock] = flowide("lock", "list", "--json").json
    assert (lock["path"], lock["fence"], lock["holder"]) == ("a/b/new.md", made["fence"], "ana")


def test_history_lists_versions_with_who_and_why(flowide: Here) -> None:
    save(flowide, SHOP, b"x = 1\n")

    history = flowide("artifact", "history", SHOP, "--json").json

    assert [(each["version"], each["actor"]) for each in history] == [(1, "disk"), (2, "ana")]
    assert "for_" not in history[0]


def test_a_change_on_disk_becomes_a_version(flowide: Here) -> None:
    flowide("artifact", "show", SHOP)
    (flowide.root / SHOP).write_text("from vim\n")

    assert flowide("artifact", "show", SHOP).out == "from vim\n"

    assert [each["actor"] for each in flowide("artifact", "history", SHOP, "--json").json] == ["disk", "disk"]


def test_a_change_on_disk_under_a_lock_is_not_overwritten(flowide: Here) -> None:
    fence = flowide("lock", "acquire", SHOP, "--json").json["fence"]
    (flowide.root / SHOP).write_text("from vim\n")

    said = flowide("save", SHOP, "--fence", str(fence), "--json", input=b"mine\n")

    assert (said.code, said.json["code"]) == (9, "conflict")
    assert (flowide.root / SHOP).read_text() == "from vim\n"


def test_a_diff_compares_the_newest_two_by_default(flowide: Here) -> None:
    (flowide.root / "n.txt").write_text("one\ntwo\n")
    save(flowide, "n.txt", b"one\n2\n")

    assert flowide("artifact", "diff", "n.txt").out.splitlines()[3:] == [" one", "-two", "+2"]
    assert flowide("artifact", "diff", "n.txt@2", "n.txt@1").out.splitlines()[3:] == [" one", "-2", "+two"]
    assert flowide("artifact", "diff", "n.txt", "2", "1").out.splitlines()[3:] == [" one", "-2", "+two"]
    told = flowide("artifact", "diff", "n.txt", "--version", "1", "--version", "2", "--json").json
    assert (told["added"], told["removed"]) == (1, 1)


def test_a_diff_side_by_side_fits_its_width_and_shows_the_words(flowide: Here) -> None:
    (flowide.root / "n.txt").write_text("the quick brown fox jumps\n")
    save(flowide, "n.txt", b"the slow brown fox jumps\n")

    out = flowide("artifact", "diff", "n.txt", "-y", "--width", "80").out

    assert "[-quick-]" in out
    assert "{+slow+}" in out
    assert len(out.splitlines()) == 1


def test_a_diff_of_binaries_says_so(flowide: Here) -> None:
    (flowide.root / "n.bin").write_bytes(BINARY)
    save(flowide, "n.bin", BINARY[::-1])

    for option in ([], ["-y"]):
        assert "Binary files" in flowide("artifact", "diff", "n.bin", *option).out


def test_restore_makes_a_new_version_of_an_old_text(flowide: Here) -> None:
    first = (flowide.root / SHOP).read_text()
    save(flowide, SHOP, b"x = 1\n")

    made = flowide("artifact", "restore", SHOP, "1", "--json").json

    assert made["version"] == 3
    assert (flowide.root / SHOP).read_text() == first
    assert flowide("lock", "list", "--json").json == []


def test_move_takes_the_file_along(flowide: Here) -> None:
    text = flowide("artifact", "show", SHOP).out

    assert flowide("artifact", "move", SHOP, "lib/market.py").code == 0

    assert not (flowide.root / SHOP).exists()
    assert (flowide.root / "lib" / "market.py").read_text() == text
    assert len(flowide("artifact", "history", "lib/market.py", "--json").json) == 2


def test_move_onto_a_file_is_refused(flowide: Here) -> None:
    (flowide.root / "b.py").write_text("b")

    said = flowide("artifact", "move", SHOP, "b.py", "--json")

    assert (said.code, said.json["code"]) == (2, "exists")
    assert (flowide.root / "b.py").read_text() == "b"
    assert flowide("lock", "list", "--json").json == []


def test_restore_without_a_version_undoes_the_newest_one(flowide: Here) -> None:
    first = (flowide.root / SHOP).read_text()
    assert flowide("artifact", "show", SHOP).code == 0
    assert flowide("artifact", "restore", SHOP).code == 2
    save(flowide, SHOP, b"x = 1\n")

    assert flowide("artifact", "restore", SHOP, "--json").json["version"] == 3
    assert (flowide.root / SHOP).read_text() == first


def test_what_is_deleted_can_be_restored(flowide: Here) -> None:
    text = flowide("artifact", "show", SHOP).out
    assert flowide("artifact", "delete", SHOP, "-m", "unused").code == 0
    assert not (flowide.root / SHOP).exists()
    assert flowide("artifact", "list", "--json").json == []

    assert flowide("artifact", "restore", SHOP, "1").code == 0

    assert (flowide.root / SHOP).read_text() == text


@pytest.mark.parametrize("command", [["restore", SHOP, "1"], ["move", SHOP, "b.py"], ["delete", SHOP]])
def test_what_changes_an_artifact_needs_its_lock(flowide: Here, command: list[str]) -> None:
    flowide("lock", "acquire", SHOP, "--as", "bob")
    before = (flowide.root / SHOP).read_bytes()

    said = flowide("artifact", *command, "--json")

    assert (said.code, said.json["code"], said.json["data"]["holder"]) == (5, "busy", "bob")
    assert (flowide.root / SHOP).read_bytes() == before


def test_blame_names_the_source_of_every_piece(flowide: Here) -> None:
    (flowide.root / "two.py").write_text("def a():\n    pass\n\n\ndef b():\n    pass\n")
    save(flowide, "two.py", b"def a():\n    pass\n\n\ndef b():\n    return 1\n")

    blamed = {each["piece"]: each["actor"] for each in flowide("artifact", "blame", "two.py", "--json").json}

    assert blamed == {"a": "disk", "b": "ana"}


def test_mode_and_links_of_a_file_are_kept(flowide: Here) -> None:
    script = flowide.root / "run.sh"
    script.write_text("echo 1\n")
    script.chmod(0o755)
    os.symlink("run.sh", flowide.root / "link.sh")

    save(flowide, "link.sh", b"echo 2\n")

    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    assert script.read_text() == "echo 2\n"
    assert (flowide.root / "link.sh").is_symlink()


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../x", "src/../../x", "/etc/passwd", "src", "src/", "a\\b", "a\nb", "a\x1b[31mb", "CON", "x ",
        ".git/config", ".flowide/workspace.db", "x" * 300, "a/" * 600 + "x", "out", "pipe", "zero", "loop", "nope.py",
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["show", "history", "lock"])
def test_paths_that_name_no_artifact_are_refused_with_a_reason(
    flowide: Here, command: str, path: str
) -> None:
    root = flowide.root
    os.symlink("/etc/passwd", root / "out")
    os.symlink("/dev/zero", root / "zero")
    os.symlink("loop", root / "loop")
    os.mkfifo(root / "pipe")

    said = flowide("lock", "acquire", path) if command == "lock" else flowide("artifact", command, path)

    assert said.code == 2, said
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err
    assert "\x1b" not in said.err
    assert flowide("artifact", "list", "--json").json == []


@pytest.mark.parametrize(
    "path", ["../x", "/tmp/flowide-outside", "a/../../x", ".git/x", "x/CON", "out/x", "src", "NUL"]
)
def test_nothing_is_made_outside_or_under_a_bad_name(flowide: Here, tmp_path: Path, path: str) -> None:
    os.symlink(tmp_path, flowide.root / "out")
    before = sorted(tmp_path.rglob("*"))

    assert flowide("artifact", "create", path, input=b"x").code == 2

    assert [each for each in sorted(tmp_path.rglob("*")) if ".flowide" not in each.parts] == [
        each for each in before if ".flowide" not in each.parts
    ]


def test_a_name_that_is_not_utf_8_is_refused(flowide: Here) -> None:
    (flowide.root / os.fsdecode(b"bad\xff.txt")).write_text("x")

    said = flowide("artifact", "show", os.fsdecode(b"bad\xff.txt"), "--json")

    assert (said.code, said.json["code"]) == (2, "bad_path")
    assert flowide("artifact", "list", "--files", "--json").code == 0


def test_a_file_that_is_too_large_is_refused(flowide: Here) -> None:
    with (flowide.root / "huge.bin").open("wb") as huge:
        huge.truncate(17 * 1024 * 1024)

    said = flowide("artifact", "show", "huge.bin", "--json")

    assert (said.code, said.json["code"]) == (2, "too_large")


def test_a_text_on_stdin_that_is_too_large_is_refused(flowide: Here) -> None:
    said = flowide("artifact", "create", "huge.txt", "--json", input=b"x" * (16 * 1024 * 1024 + 1))

    assert (said.code, said.json["code"]) == (2, "too_large")
    assert not (flowide.root / "huge.txt").exists()


def test_control_sequences_in_names_and_notes_do_not_reach_the_terminal(flowide: Here) -> None:
    fence = flowide("lock", "acquire", SHOP, "--purpose", "\x1b]0;evil\x07red\x1b[31m", "--json").json[
        "fence"
    ]
    flowide("save", SHOP, "--fence", str(fence), "-m", "\x1b[2Jgone\u202e", input=b"x")

    for command in (["lock", "list", SHOP], ["artifact", "history", SHOP], ["log"]):
        out = flowide(*command).out
        assert "\x1b" not in out
        assert "\u202e" not in out
