"""The sources of a research: files of the project, each at the version it had when they were collected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from flowide.errors import BadInput, FlowError, NotFound
from flowide.flows.state import RunState
from flowide.patterns import lazy
from flowide.space.queries import Content

MAX_SOURCES = 60
PART = 24_000
"""Characters that are read in one call; a longer source is read in parts."""
MAX_PARTS = 120
_WILD = lazy(r"[*?]")


class Source(Struct, frozen=True):
    """A file that is read."""

    id: str
    """`S1`, `S2` …, as it is cited."""
    path: str
    artifact: str
    version: int


class Part(Struct, frozen=True):
    """So much of a source as one call reads."""

    source: Source
    number: int
    """From 1."""
    of: int
    text: str


def matching(patterns: Iterable[str], paths: Sequence[str]) -> list[str]:
    """Paths that a pattern matches, in the order of the patterns: `*` within a folder, `**` across folders.

    The name of a folder stands for all that is in it.

    Raises:
        NotFound: A pattern matches nothing.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        wanted = pattern.strip().removeprefix("./")
        if not wanted:
            continue
        expression = _expression(wanted)
        inside = "" if _WILD.search(wanted) else f"{wanted.rstrip('/')}/"
        matched = [
            path for path in paths if expression.fullmatch(path) or (inside and path.startswith(inside))
        ]
        if not matched:
            raise NotFound(
                f"no file of the project matches the source {pattern.strip()[:200]}",
                hint="Files and folders by path, or patterns such as docs/**/*.md; ignored files do not count.",
            )
        found |= dict.fromkeys(matched)
    return list(found)


def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    signs = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))


async def collect(state: RunState, patterns: Sequence[str], leave_out: str) -> list[Source]:
    """The sources that patterns name, but not the file that is to be written; texts only.

    Raises:
        BadInput: There are none, or too many.
    """
    paths = [path for path in matching(patterns, list(state.folder.scan())) if path != leave_out]
    if len(paths) > MAX_SOURCES:
        raise BadInput(f"{len(paths)} sources are too many", hint=f"Name at most {MAX_SOURCES} files.")
    found: list[Source] = []
    for path in paths:
        artifact = await state.folder.artifact(state.space, path)
        data = await state.space.read(Content(artifact.id))
        if b"\0" in data or not _is_text(data):
            state.observer.warning(f"{path} is no text and is not read")
            continue
        if data.strip():
            found.append(Source(f"S{len(found) + 1}", path, artifact.id, artifact.version))
    if not found:
        raise BadInput("there are no sources to read", hint="Name texts: --set sources='docs/*.md'")
    return found


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


async def text_of(state: RunState, source: Source) -> str:
    """The source as it was when it was collected."""
    try:
        return (await state.space.read(Content(source.artifact, source.version))).decode()
    except FlowError as error:
        raise NotFound(f"{source.path} version {source.version} is gone", hint="Start again.") from error


def parts_of(source: Source, text: str) -> list[Part]:
    """The source in parts that end at line ends where they can."""
    pieces: list[str] = []
    piece = ""
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), PART):
            bit = line[start : start + PART]
            if piece and len(piece) + len(bit) > PART:
                pieces.append(piece)
                piece = ""
            piece += bit
    pieces.append(piece)
    return [Part(source, number, len(pieces), each) for number, each in enumerate(pieces, 1)]
