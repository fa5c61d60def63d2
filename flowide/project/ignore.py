"""Which files of a folder count: what git would ignore does not."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from flowide.domain.limits import MAX_PATH
from flowide.domain.paths import checked_path
from flowide.errors import BadPath
from flowide.patterns import lazy

NEVER = frozenset({".git", ".flowide"})
"""Folders that hold no artifacts, at any depth."""
TEMPORARY = lazy(r"\.flowide-[0-9a-f]{12}\.tmp")
"""Names of files that are being written."""
COMMONLY_IGNORED = (
    "__pycache__/",
    "*.py[co]",
    ".venv/",
    "node_modules/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".pytest_cache/",
    ".DS_Store",
)
"""Ignored unless a `.gitignore` says `!…`; so a folder that is no repository can be used at once."""
_PLAIN = lazy(r"[\w-]{5,200}(\.\w+)?", re.ASCII)
"""Names that need no closer look: no odd characters, and too long to be reserved."""
_MOST_RULES = 1_000_000
"""Characters of a `.gitignore` that are read."""
_DEEPEST = 200
"""Folders inside folders; what lies deeper is not looked at."""


class Rules:
    """The patterns of one `.gitignore`, for the folder it lies in."""

    def __init__(self, lines: Sequence[str]) -> None:
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # 25 ms

        self._patterns: list[tuple[re.Pattern[str], bool, bool]] = []
        for line in lines:
            try:
                pattern = GitIgnoreSpecPattern(line.rstrip("\r\n"))
            except ValueError:
                continue  # git skips what is no pattern, too
            if pattern.include is not None and pattern.regex is not None:
                by_name = "/" not in line.strip().rstrip("/")
                self._patterns.append((pattern.regex, bool(pattern.include), by_name))
        self._by_name = _any(regex for regex, _, by_name in self._patterns if by_name)
        self._by_path = _any(regex for regex, _, by_name in self._patterns if not by_name)

    def verdict(self, path: str, name: str) -> bool | None:
        """Whether the entry is ignored; None = these rules do not say. Folders end in a slash."""
        named = self._by_name is not None and self._by_name.search(name)
        if not named and not (self._by_path is not None and self._by_path.search(path)):
            return None
        for regex, ignored, by_name in reversed(self._patterns):
            if regex.search(name if by_name else path):
                return ignored
        return None


def _any(regexes: Iterator[re.Pattern[str]]) -> re.Pattern[str] | None:
    """One pattern that matches what any of them does, for saying no quickly."""
    parts = [re.sub(r"\(\?P<\w+>", "(?:", regex.pattern) for regex in regexes]
    return re.compile("|".join(f"(?:{part})" for part in parts)) if parts else None


Stack = list[tuple[int, str, Rules]]
"""Rules from the outermost folder inwards. A path is matched without its first characters, so many as the
rules' folder has with its slash; for rules of a folder above the root, with the way from there put in front."""


def scan(root: Path) -> Iterator[str]:
    """Relative paths of all files that count, folder by folder, by name. Links are not followed."""
    yield from _scan(os.fspath(root), "", first_rules(root), 0)


def folders(root: Path) -> Iterator[str]:
    """Absolute paths of all folders in which files may count, the root first. Links are not followed."""
    yield os.fspath(root)
    yield from _folders(os.fspath(root), "", first_rules(root), 0)


def artifact_path(relative: str) -> str | None:
    """The artifact path of a file as the disk names it; None when it may not have one."""
    *above, name = relative.split("/")
    if NEVER.intersection(above) or name in NEVER or TEMPORARY.fullmatch(name):
        return None
    return _as_artifact_path("", relative)


def ignored(root: Path, path: str) -> bool:
    """Whether a relative path, or a folder above it, is ignored."""
    stack = first_rules(root)
    parts = path.split("/")
    for depth, name in enumerate(parts):
        if name in NEVER or TEMPORARY.fullmatch(name):
            return True
        here = "/".join(parts[:depth])
        folder = f"{here}/" if here else ""
        if depth:
            stack = _with_rules(stack, os.path.join(root, here), folder)
        entry = folder + name + ("/" if depth < len(parts) - 1 else "")
        if is_ignored(stack, entry, entry[len(folder) :]):
            return True
    return False


def first_rules(root: Path) -> Stack:
    """The rules that hold at the root: common ones, the repository's own, of folders above it, and its own."""
    stack: Stack = [(0, "", Rules(COMMONLY_IGNORED))]
    here, way, above = os.fspath(root), "", []
    while not os.path.lexists(os.path.join(here, ".git")):
        here, name = os.path.split(here)
        if not name:
            return _with_rules(stack, os.fspath(root), "")  # in no repository
        way = f"{name}/{way}"
        above.append((here, way))
    exclude = _rules_in(os.path.join(here, ".git", "info", "exclude"))
    if exclude is not None:
        stack.append((0, way, exclude))
    for folder, on in reversed(above):
        rules = _rules_in(os.path.join(folder, ".gitignore"))
        if rules is not None:
            stack.append((0, on, rules))
    return _with_rules(stack, os.fspath(root), "")


def is_ignored(stack: Stack, path: str, name: str) -> bool:
    """What the innermost rules that say something say."""
    for prefix, way, rules in reversed(stack):
        verdict = rules.verdict(way + path[prefix:], name)
        if verdict is not None:
            return verdict
    return False


def _scan(folder: str, prefix: str, stack: Stack, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return  # unreadable, or gone since
    for entry in found:
        name = entry.name
        if name in NEVER:
            continue
        if entry.is_dir(follow_symlinks=False):
            path = _as_artifact_path(prefix, name)
            if path is not None and not is_ignored(stack, f"{path}/", f"{name}/"):
                inner = f"{path}/"
                yield from _scan(entry.path, inner, _with_rules(stack, entry.path, inner), depth + 1)
        elif entry.is_file(follow_symlinks=False) and not is_ignored(stack, prefix + name, name):
            path = _as_artifact_path(prefix, name)
            if path is not None and not TEMPORARY.fullmatch(name):
                yield path


def _folders(folder: str, prefix: str, stack: Stack, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return  # unreadable, or gone since
    for entry in found:
        path = None if entry.name in NEVER else _as_artifact_path(prefix, entry.name)
        if path is not None and not is_ignored(stack, f"{path}/", f"{entry.name}/"):
            yield entry.path
            inner = f"{path}/"
            yield from _folders(entry.path, inner, _with_rules(stack, entry.path, inner), depth + 1)


def _as_artifact_path(folder: str, name: str) -> str | None:
    """The path as an artifact has it; None when none may have it. `folder` has been checked."""
    path = folder + name
    if _PLAIN.fullmatch(name) and len(path) < MAX_PATH:
        return path
    try:
        return checked_path(path)
    except BadPath:
        return None


def _with_rules(stack: Stack, folder: str, prefix: str) -> Stack:
    rules = _rules_in(os.path.join(folder, ".gitignore"))
    return stack if rules is None else [*stack, (len(prefix), "", rules)]


def _rules_in(path: str) -> Rules | None:
    """The rules of a file; none when it is no file, for example a pipe that would never end."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        return None
    with os.fdopen(file, encoding="utf-8", errors="surrogateescape") as source:
        return Rules(source.read(_MOST_RULES).split("\n"))
