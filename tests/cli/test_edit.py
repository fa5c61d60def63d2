"""`flowide edit`: whatever the editor and the world do meanwhile, no word is lost."""

from __future__ import annotations

import os
import shlex
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Apart, Here

SHOP = "src/shop.py"


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes `$EDITOR` a program of these Python lines; `file` is what it edits."""

    def make(lines: str) -> Path:
        program = tmp_path / "editor with a space.py"
        program.write_text(
            f"#!{sys.executable}\nimport os, pathlib, signal, subprocess, sys, time\n"
            f"file = pathlib.Path(sys.argv[-1])\n{lines}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", shlex.quote(str(program)) + " --wait")
        return program

    return make


def flowide_call(*args: str) -> str:
    """Python lines by which the editor calls flowide."""
    return f"subprocess.run([sys.executable, '-m', 'flowide', *{list(args)!r}], stdout=2, check=True)"


def free(flowide: Here) -> bool:
    return len(flowide("lock", "list", "--json").json) == 0


def test_what_the_editor_writes_is_the_next_version(flowide: Here, editor: Callable[[str], Path]) -> None:
    editor("assert file.name == 'shop.py'; file.write_text(file.read_text() + '# more\\n')")

    said = flowide("edit", SHOP, "-m", "a comment", "--json")

    assert said.code == 0, said
    assert (said.json["version"], said.json["changed"]) == (2, True)
    assert (flowide.root / SHOP).read_text().endswith("# more\n")
    assert free(flowide)
    assert list((flowide.root / ".flowide" / "editing").iterdir()) == []


def test_bytes_of_an_edited_file_are_kept(flowide: Here, editor: Callable[[str], Path]) -> None:
    (flowide.root / "crlf.txt").write_bytes(b"a\r\nb\xff")
    editor("file.write_bytes(file.read_bytes() + b'c\\r\\n')")

    assert flowide("edit", "crlf.txt").code == 0

    assert (flowide.root / "crlf.txt").read_bytes() == b"a\r\nb\xffc\r\n"


def test_an_editor_that_renames_over_the_file_is_fine(flowide: Here, editor: Callable[[str], Path]) -> None:
    editor("new = file.with_suffix('.swp'); new.write_text('new\\n'); os.replace(new, file)")

    assert flowide("edit", SHOP).code == 0

    assert (flowide.root / SHOP).read_text() == "new\n"


def test_nothing_changed_is_no_version(flowide: Here, editor: Callable[[str], Path]) -> None:
    editor("pass")

    said = flowide("edit", SHOP, "--json")

    assert (said.code, said.json["changed"]) == (0, False)
    assert len(flowide("artifact", "history", SHOP, "--json").json) == 1
    assert free(flowide)


@pytest.mark.parametrize("end", ["sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_an_editor_that_fails_saves_nothing_and_loses_nothing(
    flowide: Here, editor: Callable[[str], Path], end: str
) -> None:
    editor(f"file.write_text('half\\n'); {end}")
    before = (flowide.root / SHOP).read_bytes()

    said = flowide("edit", SHOP)

    assert said.code == 1
    assert "nothing was saved" in said.err
    assert (flowide.root / SHOP).read_bytes() == before
    assert flowide("draft", "show", "last").out == "half\n"
    assert free(flowide)


def test_an_editor_that_takes_the_file_away_saves_nothing(
    flowide: Here, editor: Callable[[str], Path]
) -> None:
    editor("file.unlink()")

    assert flowide("edit", SHOP).code == 1
    assert (flowide.root / SHOP).exists()
    assert free(flowide)


def test_a_lock_that_is_held_is_not_edited(flowide: Here, editor: Callable[[str], Path]) -> None:
    editor("file.write_text('never')")
    flowide("lock", "acquire", SHOP, "--as", "bob")

    assert flowide("edit", SHOP).code == 5


@pytest.mark.parametrize("command", ["", "no-such-editor-here", "'unclosed", " "])
def test_a_missing_editor_is_told_before_anything_is_locked(
    flowide: Here, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)

    said = flowide("edit", SHOP)

    assert said.code == 2
    assert "EDITOR" in said.err
    assert free(flowide)


@pytest.mark.parametrize("taken_by", ["force", "force --take", "transfer"])
def test_a_text_whose_lock_was_lost_meanwhile_is_kept_and_found(
    flowide: Here, editor: Callable[[str], Path], taken_by: str
) -> None:
    lose = {
        "force": flowide_call("lock", "force", SHOP, "--reason", "now", "--as", "bob"),
        "force --take": flowide_call("lock", "force", SHOP, "--reason", "now", "--take", "--as", "bob"),
        "transfer": flowide_call("lock", "transfer", SHOP, "--to", "bob"),
    }[taken_by]
    before = (flowide.root / SHOP).read_bytes()
    editor(f"{lose}; file.write_text('my precious words\\n')")

    said = flowide("edit", SHOP, "--json")

    assert said.code == 9, said
    assert (flowide.root / SHOP).read_bytes() == before
    assert _kept(flowide, said.json["hint"]) == "my precious words\n"


def test_a_text_is_kept_when_the_file_changed_on_disk_meanwhile(
    flowide: Here, editor: Callable[[str], Path]
) -> None:
    editor(
        f"pathlib.Path({str(flowide.root / SHOP)!r}).write_text('from vim\\n'); file.write_text('mine\\n')"
    )

    said = flowide("edit", SHOP)

    assert said.code == 9, said
    assert (flowide.root / SHOP).read_text() == "from vim\n"
    assert flowide("draft", "show", "last").out == "mine\n"


def test_a_binary_text_whose_lock_was_lost_is_kept_in_a_file(
    flowide: Here, editor: Callable[[str], Path]
) -> None:
    lose = flowide_call("lock", "force", SHOP, "--reason", "now", "--take", "--as", "bob")
    editor(f"{lose}; file.write_bytes(b'\\xff\\xfe')")

    said = flowide("edit", SHOP, "--json")

    assert said.code == 9
    [kept] = (flowide.root / ".flowide" / "kept").iterdir()
    assert kept.read_bytes() == b"\xff\xfe"
    assert str(kept.relative_to(flowide.root)) in said.json["hint"]


def test_an_adopted_draft_goes_on_where_it_was(flowide: Here, editor: Callable[[str], Path]) -> None:
    editor("file.write_text('half\\n'); sys.exit(1)")
    flowide("edit", SHOP)
    fence = flowide("draft", "adopt", "last", "--json").json["fence"]
    editor("assert file.read_text() == 'half\\n'; file.write_text('whole\\n')")

    said = flowide("edit", SHOP, "--fence", str(fence))

    assert said.code == 0, said
    assert (flowide.root / SHOP).read_text() == "whole\n"
    assert flowide("drafts", "--json").json == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_edit_keeps_the_text_and_frees_the_lock(
    apart: Apart, editor: Callable[[str], Path], number: signal.Signals
) -> None:
    editor("file.write_text('half\\n'); print(os.getpid(), flush=True); time.sleep(60)")
    process = apart.begin("edit", SHOP)
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(number)

    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert b"Traceback" not in err
    assert apart("lock", "list", "--json").json == []
    assert apart("draft", "show", "last").out == "half\n"


def test_what_was_written_before_a_kill_is_found_again(apart: Apart, editor: Callable[[str], Path]) -> None:
    editor("file.write_text('half\\n'); print(os.getpid(), flush=True); time.sleep(60)")
    process = apart.begin("edit", SHOP)
    assert process.stdout is not None
    left_behind = int(process.stdout.readline())
    _wait_for_draft(apart)

    process.kill()

    os.kill(left_behind, signal.SIGKILL)
    process.communicate(timeout=30)
    apart("lock", "force", SHOP, "--reason", "its editor was killed")
    assert apart("draft", "show", "last").out == "half\n"


def _wait_for_draft(apart: Apart) -> None:
    for _ in range(200):
        with sqlite3.connect(f"file:{apart.root}/.flowide/workspace.db?mode=ro", uri=True) as database:
            if database.execute("SELECT count(*) FROM live_drafts").fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("no draft was stored")


def _kept(flowide: Here, hint: str) -> str:
    """The text that a hint says is kept."""
    for draft in flowide("drafts", "--json").json:
        if draft["id"] in hint:
            return flowide("draft", "show", draft["id"]).out
    for file in (flowide.root / ".flowide" / "kept").iterdir():
        if file.name in hint:
            return file.read_text()
    raise AssertionError(f"nothing is kept: {hint}")
