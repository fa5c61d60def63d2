"""What a person types in the editor: words for the thread, or a flow that is to run."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct

from flowide.errors import BadInput
from flowide.patterns import lazy

_SET = lazy(
    r"""(?P<name>[a-z][a-z0-9_]*)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>\S*))(?:\s+|$)"""
)
_COMMAND = lazy(r"/([a-z][\w-]*)(?:\s+(.*))?", re.DOTALL)


class Wish(Struct, frozen=True):
    """What is to be done."""

    flow: str | None
    """None = say `words` in the thread."""
    words: str
    inputs: dict[str, str] = {}


def text_of(blocks: Sequence[Any]) -> str:
    """The text of a prompt; files that were attached stand in it as `#path` or with their text.

    Raises:
        BadInput: There is none.
    """
    parts = []
    for block in blocks:
        if block.type == "text":
            parts.append(block.text)
        elif block.type == "resource_link":
            parts.append(_named(block.uri))
        elif block.type == "resource" and isinstance(getattr(block.resource, "text", None), str):
            parts.append(f"\n{_named(block.resource.uri)}:\n```\n{block.resource.text}\n```\n")
    text = " ".join(part for part in parts if part).strip()
    if not text:
        raise BadInput(
            "the message is empty", hint="Say something, or name a flow: /variations path=a.py Shorter"
        )
    return text


def _named(uri: str) -> str:
    """A link as people write it; a file as its path."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def wish_of(text: str, flows: Collection[str]) -> Wish:
    """`/flow key=value … the brief` is a flow; everything else is said.

    Raises:
        BadInput: No such flow.
    """
    found = _COMMAND.fullmatch(text)
    if found is None or (found[1] not in flows and "/" in found[0][1:].split()[0]):
        return Wish(None, text)
    if found[1] not in flows:
        raise BadInput(
            f"there is no flow /{found[1]}", hint=f"Flows: {', '.join(f'/{each}' for each in flows)}."
        )
    rest = (found[2] or "").strip()
    inputs: dict[str, str] = {}
    while given := _SET.match(rest):
        inputs[given["name"]] = next(
            text for text in (given["double"], given["single"], given["plain"]) if text is not None
        )
        rest = rest[given.end() :]
    return Wish(found[1], rest, inputs)
