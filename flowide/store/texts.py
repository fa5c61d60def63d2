"""Which texts of a space can be searched: the index follows the log."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from flowide.domain.events import Event
from flowide.domain.rows import Decision, Message
from flowide.domain.view import View

MAX_TEXT = 1 << 20
"""Bytes of one text that are searched."""
_MAKE_VERSIONS = frozenset(
    ["artifact.created", "artifact.saved", "artifact.moved", "artifact.restored", "artifact.deleted"]
)


class Text(Struct, frozen=True):
    """Where a text is, and what it belongs to."""

    kind: str
    """`version`, `variation`, `message` or `decision`."""
    owner: str
    """Id of the artifact, variation set, thread or decision."""
    number: int
    """In its owner; 0 for a decision."""
    sha256: str | None = None
    """Of the content; None when the words are in the row."""
    deleted: bool = False
    """A version that ends its artifact: nothing to find in it, and nothing is newest."""


class Found(Struct, frozen=True):
    """A text that holds what was searched for."""

    kind: str
    """As of `Text`, and `artifact` for a newest version."""
    ref: str
    excerpt: str


def text_of_event(event: Event) -> Text | None:
    """The text that an event brings, if it brings one."""
    data = event.data
    if event.type in _MAKE_VERSIONS:
        deleted = event.type == "artifact.deleted"
        return Text("version", data["artifact"], data["version"], data["sha256"], deleted)
    if event.type == "variation.created":
        return Text("variation", data["set"], data["number"], data["sha256"])
    if event.type == "message.posted":
        return Text("message", data["thread"], data["number"])
    if event.type == "decision.proposed":
        return Text("decision", data["decision"], 0)
    return None


def body_of(view: View, text: Text) -> str:
    """What the text says; bytes that are no UTF-8 are left out, and an unknown place is empty."""
    if text.sha256 is not None:
        return (view.blob(text.sha256) or b"")[:MAX_TEXT].decode("utf-8", "replace")
    if text.kind == "message":
        message = view.get(Message, text.owner, text.number)
        return "" if message is None else message.text
    decision = view.get(Decision, text.owner)
    return "" if decision is None else decision.text


def found(view: View, text: Text, words: Sequence[str], *, newest: bool) -> Found:
    """A hit with the words around the first match."""
    excerpt = _excerpt(body_of(view, text), words)
    if text.kind == "version":
        if newest:
            return Found("artifact", text.owner, excerpt)
        return Found("version", f"{text.owner}@{text.number}", excerpt)
    return Found(text.kind, text.owner if text.kind == "decision" else f"{text.owner}/{text.number}", excerpt)


def tokens(text: str) -> list[str]:
    """Words as the index sees them: letters and digits, without case and accents."""
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", text) if not unicodedata.combining(ch))
    return re.findall(r"[^\W_]+", plain.casefold())


def holds(have: list[str], words: list[str]) -> bool:
    """Whether each word's tokens follow one another in the text, the last as the start of one."""
    return all(_begins(have, tokens(word)) for word in words)


def _begins(have: list[str], want: list[str]) -> bool:
    last = len(want) - 1
    return any(
        have[at : at + last] == want[:-1] and have[at + last].startswith(want[-1])
        for at in range(len(have) - last)
    )


def _excerpt(body: str, words: Sequence[str], *, around: int = 60) -> str:
    at = min((place.start() for word in words if (place := _place(body, word)) is not None), default=0)
    start, end = max(0, at - around // 2), at + around
    cut = " ".join(body[start:end].split())
    return f"{'… ' if start else ''}{cut}{' …' if end < len(body) else ''}"


def _place(body: str, word: str) -> re.Match[str] | None:
    return re.search(r"(?<![^\W_])" + re.escape(word), body, re.IGNORECASE) or re.search(
        re.escape(word), body, re.IGNORECASE
    )
