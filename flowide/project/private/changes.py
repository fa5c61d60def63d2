"""What was done in a private copy: files that were made, edited, moved, removed, or got another mode."""

from __future__ import annotations

import os
import stat
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import Struct

from flowide.domain.commands import MAX_BLOB
from flowide.errors import BadInput
from flowide.project import ignore
from flowide.project.files import Tree
from flowide.project.kinds import is_text
from flowide.project.private.copying import Laid, PrivateCopy, stamp_of

EXECUTABLE = 0o111
ALIKE = 0.6
"""Share of common lines from which a file that vanished and one that appeared are one file that was moved."""
_LARGEST_COMPARED = 200_000
_MOST_COMPARED = 40


class Change(Struct, frozen=True, kw_only=True):
    """Something that was done to one file."""

    kind: Literal["created", "edited", "moved", "deleted", "mode"]
    path: str
    """Of a moved file, the new one."""
    was: str = ""
    """Of a moved file, the old path."""
    base: str = ""
    """SHA-256 of the file that was laid; empty when there was none."""
    sha256: str = ""
    """Of the file as it is now; empty when it is gone."""
    executable: bool | None = None
    """Whether it is a program now; None = that did not change."""


class Found(Struct, frozen=True):
    """All that was done."""

    changes: list[Change]
    """By path."""
    beyond: dict[str, str]
    """What cannot be an artifact, by path, and why: links, pipes, odd names, large files."""


def changes_in(copy: PrivateCopy, root: Path) -> Found:
    """Compare the copy with what was laid into it; what the project's rules ignore is passed over.

    Raises:
        BadInput: There is no folder any more, or a link in its place.
    """
    if copy.folder.is_symlink() or not copy.folder.is_dir():
        raise BadInput(
            f"{copy.folder} is no folder any more", hint="What was done there cannot be taken over."
        )
    tree = Tree(copy.folder)
    there, beyond = _walk(copy, root)
    changes: list[Change] = []
    for path in sorted(there):
        laid = copy.files.get(path)
        status = there[path]
        if laid is not None and stamp_of(status) == laid.stamp:
            continue
        try:
            found = tree.read(path)
        except BadInput as error:
            beyond[path] = error.message
            continue
        if found is None:
            continue
        executable = bool(status.st_mode & EXECUTABLE)
        turned = executable if executable != bool(laid.mode & EXECUTABLE if laid else False) else None
        if laid is None:
            changes.append(Change(kind="created", path=path, sha256=found.sha256, executable=turned))
        elif found.sha256 != laid.sha256:
            changes.append(
                Change(kind="edited", path=path, base=laid.sha256, sha256=found.sha256, executable=turned)
            )
        elif turned is not None:
            changes.append(
                Change(kind="mode", path=path, base=laid.sha256, sha256=found.sha256, executable=turned)
            )
    gone = [path for path in copy.files if path not in there and path not in beyond]
    changes += [Change(kind="deleted", path=path, base=copy.files[path].sha256) for path in gone]
    return Found(sorted(_with_moves(changes, copy, root), key=lambda each: each.path), beyond)


def changed_since(copy: PrivateCopy, root: Path) -> list[str]:
    """Paths whose file in the project is not what was laid into the copy any more."""
    tree = Tree(root)
    changed = []
    for path, laid in copy.files.items():
        try:
            status = tree.status(path)
            if status is not None and status.st_ctime_ns <= laid.stamp[1]:
                continue  # the copy is younger than its last change
            found = tree.read(path)
        except BadInput:
            found = None
        if found is None or found.sha256 != laid.sha256:
            changed.append(path)
    return changed


def read_changed(copy: PrivateCopy, change: Change) -> bytes | None:
    """The bytes of a changed file, as they were when it was compared; None when it is another by now."""
    try:
        found = Tree(copy.folder).read(change.path)
    except BadInput:
        return None
    return found.data if found is not None and found.sha256 == change.sha256 else None


def _walk(copy: PrivateCopy, root: Path) -> tuple[dict[str, os.stat_result], dict[str, str]]:
    """Regular files that may be artifacts, and what may not, each by path."""
    top = os.fspath(copy.folder)
    there: dict[str, os.stat_result] = {}
    beyond: dict[str, str] = {}
    counted = set(ignore.scan(copy.folder))
    for folder, folders, names in os.walk(top, followlinks=False):
        way = os.path.relpath(folder, top)
        prefix = "" if way == "." else f"{way}/"
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = [
            name
            for name in folders
            if name not in links
            and name not in ignore.NEVER
            and not _passed_over(copy, root, f"{prefix}{name}")
        ]
        for name in [*names, *links]:
            path = prefix + name
            if path in copy.links:
                continue
            try:
                status = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            if path in copy.files and stat.S_ISREG(status.st_mode):
                there[path] = status
                continue
            known = path in copy.files
            if (
                not known
                and (path not in counted or ignore.ignored(root, path))
                and _is_ignored(copy, root, path)
            ):
                continue
            why = _why_not(path, status)
            if why:
                beyond[path] = why
            else:
                there[path] = status
    return there, beyond


def _passed_over(copy: PrivateCopy, root: Path, folder: str) -> bool:
    """Whether nothing in a folder counts: it is ignored, and nothing was laid there."""
    inside = f"{folder}/"
    return _is_ignored(copy, root, f"{folder}/x") and not any(path.startswith(inside) for path in copy.files)


def _is_ignored(copy: PrivateCopy, root: Path, path: str) -> bool:
    """Whether the rules of the project, or those of the copy, leave a path out."""
    try:
        return ignore.ignored(root, path) or ignore.ignored(copy.folder, path)
    except (ValueError, OSError):
        return False


def _why_not(path: str, status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "a link"
    if not stat.S_ISREG(status.st_mode):
        return "no regular file"
    if status.st_size > MAX_BLOB:
        return f"more than {MAX_BLOB // 2**20} MiB"
    if ignore.artifact_path(path) != path:
        return "a name that no artifact may have"
    return ""


def _with_moves(changes: list[Change], copy: PrivateCopy, root: Path) -> list[Change]:
    """A file that vanished and one like it that appeared are one change."""
    gone = [each for each in changes if each.kind == "deleted"]
    made = [each for each in changes if each.kind == "created"]
    moved: list[Change] = []
    for new in made:
        old = next((each for each in gone if each.base == new.sha256), None)
        if old is None and len(gone) <= _MOST_COMPARED and len(made) <= _MOST_COMPARED:
            old = _most_alike(new, gone, copy, root)
        if old is None:
            continue
        gone.remove(old)
        was_program = bool(copy.files[old.path].mode & EXECUTABLE)
        is_program = bool(new.executable)
        turned = is_program if is_program != was_program else None
        moved.append(
            Change(
                kind="moved", path=new.path, was=old.path, base=old.base, sha256=new.sha256, executable=turned
            )
        )
    taken = {each.path for each in moved} | {each.was for each in moved}
    return [*moved, *(each for each in changes if each.path not in taken)]


def _most_alike(new: Change, gone: list[Change], copy: PrivateCopy, root: Path) -> Change | None:
    data = read_changed(copy, new)
    if data is None or len(data) > _LARGEST_COMPARED or not is_text(data):
        return None
    lines = Counter(data.splitlines())
    best, chosen = ALIKE, None
    for each in gone:
        before = _laid_bytes(root / each.path, copy.files[each.path])
        if before is None or not is_text(before):
            continue
        old = Counter(before.splitlines())
        total = sum(lines.values()) + sum(old.values())
        alike = 2 * sum((lines & old).values()) / total if total else 0.0
        if alike >= best:
            best, chosen = alike, each
    return chosen


def _laid_bytes(original: Path, laid: Laid) -> bytes | None:
    """The bytes that were laid, when the project's file still has them."""
    if laid.stamp[0] > _LARGEST_COMPARED:
        return None
    try:
        data = original.read_bytes()
    except OSError:
        return None
    return data if sha256(data).hexdigest() == laid.sha256 else None
