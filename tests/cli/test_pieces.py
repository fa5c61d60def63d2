"""`flowide pieces` and `flowide splice` on plain files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowide.cli.main import run
from tests.cli.conftest import Said

BASE = b"def f():\n    return 1\n"
OTHER = b"import os\n\ndef f():\n    return os\n\ndef g():\n    return LIMIT\n\nLIMIT = 3\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a base and another file, as the working folder."""
    folder = tmp_path / "plain"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "base.py").write_bytes(BASE)
    (folder / "other.py").write_bytes(OTHER)
    return folder


@pytest.fixture
def here(files: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Said]:
    """Runs command lines in this process."""

    def flowide(*args: str) -> Said:
        code = run(args)
        return Said(code, *capsysbinary.readouterr())

    return flowide


def test_pieces_are_listed_with_kind_and_lines(here: Callable[..., Said]) -> None:
    said = here("pieces", "other.py")

    assert said.code == 0
    assert said.out == "function  f  3-4\nfunction  g  6-7\nconstant  LIMIT  9-9\n"
    assert said.err == ""


def test_json_of_pieces_has_byte_and_line_ranges(here: Callable[..., Said]) -> None:
    rows = here("pieces", "other.py", "--json").json

    assert [row["name"] for row in rows] == ["f", "g", "LIMIT"]
    first = rows[0]
    assert OTHER[first["start"] : first["end"]] == b"def f():\n    return os"
    assert (first["start_line"], first["end_line"], first["kind"], first["parent"]) == (
        3,
        4,
        "function",
        None,
    )
    assert len(first["sha256"]) == 64


def test_the_result_goes_to_stdout_and_warnings_to_stderr(here: Callable[..., Said]) -> None:
    said = here("splice", "base.py", "--take", "other.py:g", "--take", "other.py:f")

    assert said.code == 0
    assert said.out == "import os\n\n\ndef f():\n    return os\n\n\ndef g():\n    return LIMIT\n"
    assert said.err == "warning: g uses LIMIT of other.py, which the result lacks\n"


def test_the_base_can_be_the_output(here: Callable[..., Said], files: Path) -> None:
    (files / "base.py").chmod(0o640)

    said = here("splice", "base.py", "--take", "other.py:LIMIT", "-o", "base.py")

    assert (said.code, said.out) == (0, "")
    assert (files / "base.py").read_bytes() == BASE + b"\n\nLIMIT = 3\n"
    assert stat.S_IMODE((files / "base.py").stat().st_mode) == 0o640
    assert sorted(os.listdir(files)) == ["base.py", "other.py"]


def test_a_link_as_output_stays_a_link(here: Callable[..., Said], files: Path) -> None:
    (files / "link.py").symlink_to("base.py")

    here("splice", "base.py", "--take", "other.py:LIMIT", "-o", "link.py")

    assert (files / "link.py").is_symlink()
    assert (files / "base.py").read_bytes().endswith(b"LIMIT = 3\n")


def test_a_device_as_output_is_written_to_and_not_replaced(here: Callable[..., Said]) -> None:
    said = here("splice", "base.py", "--take", "other.py:f", "-o", os.devnull)

    assert said.code == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_json_of_a_splice_says_what_changed(here: Callable[..., Said]) -> None:
    report = here("splice", "base.py", "--take", "other.py:f", "--json").json

    assert [(change["piece"], change["action"]) for change in report["changes"]] == [
        ("os (os)", "import_added"),
        ("f", "replaced"),
    ]
    change = report["changes"][1]
    assert report["source"].encode()[change["start"] : change["end"]] == b"def f():\n    return os"
    assert BASE[change["base_start"] : change["base_end"]] == BASE.rstrip()
    assert (change["start_line"], change["end_line"]) == (4, 5)
    assert (change["label"], change["target"], change["take"]) == ("other.py", "f", 0)


def test_json_with_an_output_names_the_file(here: Callable[..., Said], files: Path) -> None:
    report = here("splice", "base.py", "--take", "other.py:f", "--json", "-o", "new.py").json

    assert report["output"] == "new.py"
    assert "source" not in report
    assert b"import os" in (files / "new.py").read_bytes()


def test_a_new_name_is_given_with_as(here: Callable[..., Said]) -> None:
    said = here("splice", "base.py", "--take", "other.py:g", "--as", "h")

    assert said.out == "def f():\n    return 1\n\n\ndef h():\n    return LIMIT\n"


@pytest.mark.parametrize("name", ["b: x y.py", "a:b:c.py", "ünï ✓.py", "-dash.py"])
def test_file_names_may_have_colons_spaces_and_dashes(
    here: Callable[..., Said], files: Path, name: str
) -> None:
    (files / name).write_bytes(b"def n(): ...\n")

    listed = here("pieces", "--", name)
    made = here("splice", "base.py", "--take", f"{name}:n")

    assert listed.out == "function  n  1-1\n"
    assert made.out == BASE.decode() + "\n\ndef n(): ...\n"


def test_a_piece_may_have_a_colon(here: Callable[..., Said], files: Path) -> None:
    (files / "a.md").write_bytes(b"# Note: this\nx\n")
    (files / "b.md").write_bytes(b"# T\n")

    said = here("splice", "b.md", "--take", "a.md:Note: this")

    assert said.out == "# T\n\n# Note: this\nx\n"


def test_bytes_are_kept_as_they_are(files: Path) -> None:
    (files / "base.py").write_bytes(b"\xef\xbb\xbfx = 'a\xc3\xbc'\r\ndef f():\r\n\treturn 1")

    said = subprocess.run(
        [sys.executable, "-m", "flowide", "splice", "base.py", "--take", "other.py:f"],
        capture_output=True,
        check=True,
        cwd=files,
    )

    assert said.stdout == b"\xef\xbb\xbfimport os\r\n\r\nx = 'a\xc3\xbc'\r\ndef f():\r\n\treturn os"


def test_the_base_may_come_from_the_standard_input(files: Path) -> None:
    def flowide(*args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "flowide", *args], input=BASE, capture_output=True, check=False, cwd=files
        )

    assert flowide("splice", "-", "--take", "other.py:LIMIT").stdout == BASE + b"\n\nLIMIT = 3\n"
    assert flowide("pieces", "-", "--language", "python").stdout == b"function  f  1-2\n"
    assert flowide("pieces", "-").returncode == 2


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("pieces", "none.py"), "no such file: none.py"),
        (("pieces", "."), "is a folder"),
        (("pieces", "text"), "the language of text is not known"),
        (("pieces", "bytes.py"), "bytes.py is not a text: NUL byte at offset 1"),
        (("pieces", "latin.py"), "latin.py is not UTF-8: byte 0xe9 at offset 5"),
        (("pieces", "dangling.py"), "no such file: dangling.py"),
        (("splice", "none.py", "--take", "other.py:f"), "no such file: none.py"),
        (("splice", "base.py"), "--take"),
        (("splice", "base.py", "--take", "other.py"), "--take other.py names no piece"),
        (("splice", "base.py", "--take", "other.py:"), "--take other.py: names no piece"),
        (("splice", "base.py", "--take", "none.py:f"), "no such file in --take none.py:f"),
        (("splice", "base.py", "--take", "other.py:ff"), "no piece named 'ff' in other.py"),
        (("splice", "base.py", "--take", "bytes.py:f"), "bytes.py is not a text"),
        (("splice", "base.py", "--take", "a.ts:f"), "a.ts is typescript, base.py is python"),
        (
            ("splice", "base.py", "--take", "other.py:f", "--take", "other.py:g", "--as", "h"),
            "exactly one --take",
        ),
        (("splice", "base.py", "--take", "other.py:f", "-o", "none/new.py"), "none/new.py cannot be written"),
        (("splice", "base.py", "--take", "other.py:f", "-o", "."), "cannot be written"),
        (("splice", "base.py", "--take", "other.py:f", "--language", "cobol"), "cobol"),
    ],
)
def test_bad_input_leaves_with_2_and_one_clear_message(
    here: Callable[..., Said], files: Path, args: tuple[str, ...], reason: str
) -> None:
    (files / "text").write_bytes(b"x")
    (files / "bytes.py").write_bytes(b"x\0")
    (files / "latin.py").write_bytes(b"# caf\xe9"[:5] + b"\xe9")
    (files / "a.ts").write_bytes(b"function f() {}\n")
    (files / "dangling.py").symlink_to("nowhere")

    said = here(*args)

    assert said.code == 2
    assert said.out == ""
    assert reason in said.err
    assert "Traceback" not in said.err
    assert (files / "base.py").read_bytes() == BASE


def test_a_refused_splice_leaves_with_4_and_changes_nothing(here: Callable[..., Said], files: Path) -> None:
    (files / "broken.py").write_bytes(b"def f():\n    return '''1\n")

    said = here("splice", "base.py", "--take", "broken.py:f", "-o", "base.py")

    assert said.code == 4
    assert "f has a syntax error in its own source" in said.err
    assert (files / "base.py").read_bytes() == BASE


def test_a_refusal_with_json_is_an_object(here: Callable[..., Said]) -> None:
    said = here("splice", "base.py", "--take", "other.py:F", "--json")

    assert said.code == 2
    assert said.json["code"] == "not_found"
    assert said.json["data"]["close"] == ["f"]


@pytest.mark.parametrize(
    ("file", "text", "grammar"),
    [
        ("a.py", "def f(): ...\n", "tree_sitter_python"),
        ("a.go", "package a\nfunc f() {}\n", "tree_sitter_go"),
        ("a.md", "# f\n", "markdown_it"),
    ],
)
def test_only_what_the_language_needs_is_loaded(files: Path, file: str, text: str, grammar: str) -> None:
    (files / file).write_text(text)
    script = (
        "import sys, json; from flowide.cli.main import run; code = run(['pieces', sys.argv[1]]);"
        "print(json.dumps([code, sorted({m.split('.')[0] for m in sys.modules})]))"
    )

    said = subprocess.run(
        [sys.executable, "-c", script, file], capture_output=True, text=True, check=True, cwd=files
    )

    code, modules = json.loads(said.stdout.splitlines()[-1])
    assert code == 0
    parsers = {name for name in modules if name.startswith(("tree_sitter_", "markdown_it"))}
    assert parsers == {grammar}
    assert not {"textual", "litellm", "pydantic", "asyncio", "sqlite_utils"} & set(modules)


def test_a_closed_pipe_is_no_traceback(files: Path) -> None:
    (files / "big.py").write_text("".join(f"def function_{at}(): ...\n" for at in range(20_000)))

    process = subprocess.Popen(
        [sys.executable, "-m", "flowide", "pieces", "big.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=files,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=30) == 141
    assert errors == b""
