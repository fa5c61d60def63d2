"""The parts a prompt is made of."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from flowide.patterns import lazy

Kind = Literal[
    "instructions",
    "rules",
    "notes",
    "task",
    "decision",
    "pinned",
    "artifact",
    "reference",
    "message",
    "reason",
    "brief",
    "variation",
    "check",
    "diff",
    "claims",
]

BYTES_PER_TOKEN = 4
"""The estimate: no tokenizer and no network, the same for every model. English is about right, code is less."""

_MARKS = lazy(r"^[ \t]*</?data-[0-9a-f]{8}>[ \t]*(?:\r?\n|\Z)", re.MULTILINE)


class Item(Struct, frozen=True, kw_only=True):
    """One thing an agent may be given."""

    kind: Kind
    name: str
    """For people: `docs/a.md@3:Risks`, `D2`, `#12 @quinn`."""
    text: str
    """As it stands in the prompt, marks included."""
    reason: str
    """Why the agent is given it."""
    id: str | None = None
    """Of the artifact, message or decision."""
    version: int | None = None
    must: bool = False
    """Never left out: decisions, pinned artifacts, and what is asked."""
    missing: str = ""
    """Why there is no text: it is listed as left out."""


def tokens_of(text: str) -> int:
    """How many tokens a text is taken for."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def quoted(text: str) -> str:
    """Foreign text between marks that it cannot contain."""
    mark = f"data-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"<{mark}>\n{text.rstrip()}\n</{mark}>"


def without_marks(reply: str, source: str) -> str:
    """A reply without the lines of such marks that a small model repeats; `source` is left as it is."""
    return _MARKS.sub(lambda line: line[0] if line[0].strip() in source else "", reply)
