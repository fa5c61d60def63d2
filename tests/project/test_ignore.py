"""What git would ignore is no artifact."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flowide.project.ignore import ignored, scan

TREE = [
    "a.py",
    "a.pyc",
    "build/out.txt",
    "src/build/out.txt",
    "src/keep.log",
    "src/drop.log",
    "docs/api/index.md",
    "docs/index.md",
    "docs/private/x.md",
    "logs/2026/a.log",
    "sub/.gitignore",
    "sub/drop.txt",
    "sub/deep/keep.txt",
    "sub/deep/drop.txt",
    "x y/z.txt",
    "foo/bar/baz.txt",
    "foo/qux/bar/baz.txt",
    "!bang.txt",
    "#hash.txt",
    "Zo\u00eb/caf\u00e9.md",
]
RULES = [
    ["*.pyc", "build/"],
    ["/build", "*.log", "!keep.log"],
    ["docs/*", "!docs/index.md"],
    ["**/bar", "logs/**/a.log"],
    ["foo/**/baz.txt", "\\!bang.txt", "\\#hash.txt"],
    ["*", "!*/", "!*.md", "# a remark", "", "   "],
    ["x\\ y/", "Zo\u00eb/"],
    ["sub/deep", "!sub/deep/keep.txt"],
    ["a.[p]y", "src/*.log", "!src/keep.log"],
    ["/*", "!/src", "/src/*", "!/src/keep.log"],
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for path in TREE:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    (root / "sub/.gitignore").write_text("/drop.txt\ndeep/drop.*\n")
    return root


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: " ".join(rules)[:40])
def test_a_scan_lists_what_git_lists(tree: Path, rules: list[str]) -> None:
    (tree / ".gitignore").write_text("\n".join(["*.py[co]", *rules]))
    subprocess.run(["git", "init", "-q", tree], check=True)
    listed = subprocess.run(
        ["git", "-C", tree, "-c", "core.excludesFile=", "ls-files", "-z", "-o", "--exclude-standard"],
        check=True,
        capture_output=True,
    ).stdout.decode()

    found = set(scan(tree))

    assert found == set(filter(None, listed.split("\0")))
    assert {path for path in TREE if not ignored(tree, path)} == found - {".gitignore"}


def test_the_rules_of_folders_above_count_up_to_the_top_of_the_repository(tree: Path) -> None:
    (tree.parent / ".gitignore").write_text("*.md\n")
    (tree / ".gitignore").write_text("*.log\n/foo/bar\nsub/deep/keep.txt\n")
    (tree / "foo/.gitignore").write_text("!drop.log\n")
    (tree / "foo/drop.log").write_text("")
    subprocess.run(["git", "init", "-q", tree], check=True)

    assert set(scan(tree / "foo")) == {".gitignore", "drop.log", "qux/bar/baz.txt"}
    assert set(scan(tree / "sub/deep")) == set()
    assert ignored(tree / "foo", "bar/baz.txt")
    assert "docs/index.md" in set(scan(tree))


@pytest.mark.parametrize("make", ["pipe", "folder", "link"])
def test_rules_that_are_no_file_are_no_rules(tree: Path, make: str) -> None:
    (tree / ".gitignore").unlink(missing_ok=True)
    if make == "pipe":
        os.mkfifo(tree / ".gitignore")
    elif make == "folder":
        (tree / ".gitignore").mkdir()
    else:
        (tree / "elsewhere").write_text("*\n")
        (tree / ".gitignore").symlink_to("elsewhere")

    assert "a.py" in set(scan(tree))


def test_the_exclusions_of_the_repository_count(tree: Path) -> None:
    (tree / ".git/info").mkdir(parents=True)
    (tree / ".git/info/exclude").write_text("docs/\n")

    assert not [path for path in scan(tree) if path.startswith(("docs/", ".git/"))]


def test_caches_are_left_out_unless_a_rule_takes_them_in(tree: Path) -> None:
    (tree / "node_modules/x").mkdir(parents=True)
    (tree / "node_modules/x/index.js").write_text("")
    assert "node_modules/x/index.js" not in set(scan(tree))

    (tree / ".gitignore").write_text("!node_modules/\n")

    assert "node_modules/x/index.js" in set(scan(tree))


def test_links_are_not_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_text("")
    (tree / "out").symlink_to(tmp_path / "outside")
    (tree / "loop").symlink_to(tree)
    (tree / "alias.py").symlink_to("a.py")

    assert not {path for path in scan(tree) if path.startswith(("out", "loop", "alias"))}


def test_names_no_artifact_can_have_are_left_out(tree: Path) -> None:
    for name in [b"bad\xff.txt", b"new\nline.txt", b"back\\slash.txt", b"con", b".flowide-0123456789ab.tmp"]:
        Path(os.fsdecode(os.fsencode(tree) + b"/" + name)).write_text("")
    (tree / "Zoe\u0308.md").write_text("")

    added = set(scan(tree)) - set(TREE)

    assert added == {"Zo\u00eb.md"}


@pytest.mark.slow
def test_a_hundred_thousand_files_are_listed(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\nbuild/\n/docs/*.html\n")
    for folder in range(1000):
        path = tmp_path / f"pkg{folder % 10}" / f"sub{folder}"
        path.mkdir(parents=True)
        for number in range(100):
            (path / f"file{number}.py").touch()

    assert sum(1 for _ in scan(tmp_path)) == 100_001
