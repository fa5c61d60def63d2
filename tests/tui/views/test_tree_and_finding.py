"""The files as rows, and the search over them."""

from __future__ import annotations

from flowide.domain import rows
from flowide.space.queries import LockState
from flowide.tui.views.finding import find
from flowide.tui.views.picking import ranked
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import plain
from flowide.tui.views.tree import PAGE, FileTree, Folder, More

EMPTY = Snapshot(me="ana", client="c1")


def shown(tree: FileTree, state: Snapshot = EMPTY) -> list[str]:
    return [plain(row.left).rstrip() for row in tree.rows(state, {})]


def test_folders_come_first_and_a_small_project_is_open() -> None:
    tree = FileTree()
    tree.fill(["b.py", "src/a.py", "src/deep/x.py", "README.md"])
    assert shown(tree) == ["▾ src", "  ▾ deep", "      x.py", "    a.py", "  b.py", "  README.md"]


def test_a_large_folder_is_shown_in_pages() -> None:
    tree = FileTree()
    tree.fill([f"f{n:04}.txt" for n in range(PAGE + 50)])
    found = tree.rows(EMPTY, {})
    assert len(found) == PAGE + 1
    assert found[-1].key == More("")
    tree.show_more("")
    assert len(tree.rows(EMPTY, {})) == PAGE + 50


def test_a_closed_folder_hides_its_files_but_says_that_one_is_locked() -> None:
    tree = FileTree()
    tree.fill(["src/a.py"])
    tree.toggle("src")
    lock = rows.Lock(artifact="a", state="held", actor="mia", client="c2")
    state = Snapshot(me="ana", client="c1", locks=[LockState(lock, "src/a.py", 1, 100, 0, [])])
    [row] = tree.rows(state, {})
    assert (row.key, plain(row.right)) == (Folder("src"), "·")
    tree.toggle("src")
    assert plain(tree.rows(state, {})[1].right) == "■ mia"


def test_an_opened_file_is_revealed() -> None:
    tree = FileTree()
    tree.fill([f"d{n}/e/f.py" for n in range(100)])
    assert "f.py" not in " ".join(shown(tree))
    tree.reveal("d7/e/f.py")
    assert sum("f.py" in line for line in shown(tree)) == 1


def test_names_that_start_with_what_was_typed_come_first() -> None:
    paths = ["tests/test_cache.py", "src/cache.py", "docs/caching/other.md", "src/cached_values.py"]
    assert find("cache", paths)[:2] == ["src/cache.py", "src/cached_values.py"]


def test_a_slip_of_the_finger_still_finds_the_file() -> None:
    assert find("shopp.py", ["src/shop.py", "docs/plan.md"]) == ["src/shop.py"]


def test_entries_are_ranked_by_title_then_help_then_letters_in_order() -> None:
    entries = [("Quit", "leave"), ("Find a file", "by name"), ("Log", "find out who did what"), ("Fine", "")]
    assert [title for title, _ in ranked("find", entries, lambda each: each)] == ["Find a file", "Log"]
    assert [title for title, _ in ranked("fl", entries, lambda each: each)] == ["Find a file"]
    assert ranked("", entries, lambda each: each) == entries
