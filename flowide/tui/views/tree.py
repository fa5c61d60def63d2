"""The project's files as rows: folders first, folded by hand, with marks for locks and variations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from msgspec import Struct

from flowide.tui.views.actors import colour_of, is_mine, looker_marks, lookers
from flowide.tui.views.snapshot import Looked, Snapshot
from flowide.tui.views.spans import Row, Span, clean

PAGE = 200
"""Entries of one folder shown at first; the row below them shows more."""


class More(Struct, frozen=True):
    """Key of the row that shows the next page of a folder."""

    folder: str


class Folder(Struct, frozen=True):
    """Key of a folder's row."""

    path: str


class FileTree:
    """Which folders are open; knows the paths of the last scan."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.open: set[str] = set()
        self.shown: dict[str, int] = {}
        self._children: dict[str, tuple[list[str], list[str]]] = {"": ([], [])}
        self._by_hand = False

    def open_only(self, folders: Iterable[str]) -> None:
        """Have these folders open, as they were the last time, however small the project is."""
        self.open = set(folders)
        self._by_hand = True

    def fill(self, paths: Iterable[str]) -> None:
        """Take over a scan; what is open stays open, and a small project opens its first folders."""
        first = not self.paths
        self.paths = sorted(set(paths))
        folders: dict[str, set[str]] = {"": set()}
        files: dict[str, list[str]] = {"": []}
        for path in self.paths:
            parent, _, name = path.rpartition("/")
            files.setdefault(parent, []).append(name)
            while parent:
                above, _, own = parent.rpartition("/")
                known = folders.setdefault(above, set())
                if own in known:
                    break
                known.add(own)
                parent = above
        self._children = {
            folder: (
                sorted(folders.get(folder, ()), key=str.casefold),
                sorted(files.get(folder, ()), key=str.casefold),
            )
            for folder in folders.keys() | files.keys()
        }
        if first and len(self.paths) <= 60 and not self._by_hand:
            self.open |= {folder for folder in self._children if folder}

    def toggle(self, folder: str) -> None:
        """Open or close a folder."""
        self.open ^= {folder}

    def show_more(self, folder: str) -> None:
        """Another page of a large folder."""
        self.shown[folder] = self.shown.get(folder, PAGE) + PAGE

    def reveal(self, path: str) -> None:
        """Open the folders above a path."""
        parent = path.rpartition("/")[0]
        while parent:
            self.open.add(parent)
            parent = parent.rpartition("/")[0]

    def rows(self, state: Snapshot, book: Mapping[str, str], current: str | None = None) -> list[Row]:
        """The rows to draw, top down."""
        marks = _marks(state, book)
        found: list[Row] = []
        self._walk("", 0, marks, current, found)
        return found

    def _walk(
        self,
        folder: str,
        depth: int,
        marks: Mapping[str, tuple[Span, ...]],
        current: str | None,
        found: list[Row],
    ) -> None:
        folders, files = self._children.get(folder, ([], []))
        indent = "  " * depth
        shown = self.shown.get(folder, PAGE)
        for name in folders[:shown]:
            path = f"{folder}/{name}" if folder else name
            is_open = path in self.open
            sign = "▾" if is_open else "▸"
            hidden = () if is_open else _below(path, marks)
            found.append(Row(((f"{indent}{sign} ", "quiet"), (clean(name), "")), hidden, Folder(path)))
            if is_open:
                self._walk(path, depth + 1, marks, current, found)
        for name in files[: max(0, shown - len(folders))]:
            path = f"{folder}/{name}" if folder else name
            role = "accent b" if path == current else ""
            found.append(Row(((f"{indent}  ", ""), (clean(name), role)), marks.get(path, ()), path))
        rest = len(folders) + len(files) - shown
        if rest > 0:
            found.append(Row(((f"{indent}  … {rest} more", "quiet i"),), (), More(folder)))


def filtered_rows(paths: Iterable[str], state: Snapshot, book: Mapping[str, str]) -> list[Row]:
    """Rows of a fuzzy search: whole paths, best first."""
    marks = _marks(state, book)
    found = []
    for path in paths:
        folder, slash, name = path.rpartition("/")
        left = ((clean(name), ""), (f"  {clean(folder)}{slash}" if folder else "", "quiet"))
        found.append(Row(left, marks.get(path, ()), path))
    return found


def _below(folder: str, marks: Mapping[str, tuple[Span, ...]]) -> tuple[Span, ...]:
    """What a closed folder says about the files in it: the sign of the first that has one."""
    prefix = folder + "/"
    signs = [mark for path, mark in marks.items() if path.startswith(prefix)]
    return (("·", signs[0][0][1]),) if signs else ()


def _looks_at(path: str, looked: Looked) -> bool:
    return looked.path == path


def _marks(state: Snapshot, book: Mapping[str, str]) -> dict[str, tuple[Span, ...]]:
    marks: dict[str, tuple[Span, ...]] = {}
    counts: dict[str, int] = {}
    for group in state.sets:
        if group.path and group.count:
            counts[group.path] = counts.get(group.path, 0) + group.count
    for path, number in counts.items():
        marks[path] = ((f"{number}\N{MULTIPLICATION SIGN}", "secondary"),)
    editing = {(lock.path, lock.lock.actor) for lock in state.locks if lock.lock.state == "held"}
    for path in {person.looks_at.path for person in state.here if person.looks_at.path is not None}:
        there = [each for each in lookers(state, partial(_looks_at, path)) if (path, each) not in editing]
        if there:
            dots = looker_marks(there, book)
            marks[path] = (*marks[path], (" ", ""), *dots) if path in marks else dots
    for lock in state.locks:
        actor = lock.lock.actor
        if lock.lock.state == "free" or actor is None:
            continue
        mine = is_mine(lock.lock, state.me, state.client)
        sign = "□" if lock.lock.state == "lapsed" else "■"
        name = "you" if mine else clean(actor)[:8]
        mark: tuple[Span, ...] = ((f"{sign} {name}", "good" if mine else colour_of(book, actor)),)
        marks[lock.path] = (*marks[lock.path], (" ", ""), *mark) if lock.path in marks else mark
    return marks
