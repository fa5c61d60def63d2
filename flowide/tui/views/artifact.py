"""One artifact as it is shown: its text or what is being written, its versions, its lock in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.tui.views.locks import lock_word
from flowide.tui.views.spans import Span, clean, lines_of, shorten_path
from flowide.tui.views.words import clock_time, count

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import LockState

MOST_EDITED = 10_000
"""Lines."""
LONGEST_EDITED = 20_000
"""Characters of a line."""


_PROSE = (".md", ".markdown", ".mdown", ".mkd", ".txt", ".rst")


def is_prose(path: str) -> bool:
    """Whether a text is read as a document: its long lines wrap."""
    return path.lower().endswith(_PROSE)


class OpenArtifact(Struct, frozen=True, kw_only=True):
    """What the artifact pane draws."""

    path: str
    artifact: rows.Artifact | None
    """None for a file that was never touched through FlowIDE."""
    text: str | None
    """None = not text: too large or not UTF-8."""
    newest: rows.Version | None = None
    lock: LockState | None = None
    draft: str | None = None
    """What the holder has written so far."""
    problem: str = ""
    """Why it cannot be shown, for people."""
    warning: str = ""
    """What is wrong although it can be shown."""

    @property
    def fits_editor(self) -> bool:
        """Whether the text is edited here; longer ones go to $EDITOR."""
        lines = (self.text or "").split("\n")
        return len(lines) <= MOST_EDITED and max(map(len, lines)) <= LONGEST_EDITED

    @property
    def lines(self) -> list[str]:
        """The lines to draw: the live draft of somebody else while there is one."""
        return lines_of(self.draft if self.draft is not None else self.text or "")


class Position(Struct, frozen=True):
    """Where the cursor of the editor is: line and column (characters) from 1, and lines in all."""

    line: int
    column: int
    lines: int


def title(
    shown: OpenArtifact | None, me: str, client: str, width: int, at: Position | None = None
) -> tuple[list[Span], list[Span]]:
    """Path at the left; lines, version and lock at the right, and the cursor's place while it is edited."""
    if shown is None:
        return [("ARTIFACT", "quiet b")], []
    word = lock_word(shown.lock, me, client)
    version = "" if shown.artifact is None else f" · v{shown.artifact.version}"
    size = count(len(shown.lines), "line") if shown.text is not None else "not text"
    if at is not None:
        size = f"{at.line}:{at.column} of {count(at.lines, 'line')}"
    right: list[Span] = [(f"{size}{version} · ", "quiet"), word]
    room = max(12, width - len(f"{size}{version} · {word[0]}") - 3)
    return [(shorten_path(clean(shown.path), room), "b")], right


def live_words(shown: OpenArtifact) -> str:
    """` · +2 lines so far` while somebody writes."""
    if shown.draft is None:
        return ""
    more = len(shown.lines) - len(lines_of(shown.text or ""))
    if more == 0:
        return " · writing"
    sign, many = ("+", more) if more > 0 else ("\N{MINUS SIGN}", -more)
    return f" · {sign}{count(many, 'line')} so far"


def version_words(version: rows.Version | None) -> str:
    """`v14 by edwin at 10:41: shorter`; empty when there is none."""
    if version is None:
        return ""
    note = f": {clean(version.note)}" if version.note else ""
    return f"v{version.version} by {clean(version.actor)} at {clock_time(version.ts)}{note}"
