"""What a tool answered, made fit to be told to a model and kept: bounded, pictures apart."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flowide.agents.api import Image

if TYPE_CHECKING:
    from mcp.types import CallToolResult, ContentBlock

LARGEST_IMAGE = 4 * 1024 * 1024
"""Bytes of a picture; models refuse larger ones."""
MOST_IMAGES = 8
MOST_TEXT = 4 * 1024 * 1024
"""Characters that are looked at, whatever is told of them."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Kinds that models take."""


class Answer(Struct, frozen=True, kw_only=True):
    """The result of a call."""

    text: str
    """All of the words, in their order, with a line for each thing that is no text."""
    images: list[Image] = []
    data: Any = None
    """The structured result; None = there is none."""
    failed: bool = False
    """The tool says that it could not do it."""


def answer_of(result: CallToolResult) -> Answer:
    """A result of the library as ours."""
    text, images = contents(result.content)
    data = result.structured_content
    if not text.strip() and data is not None:
        text = json.dumps(data, ensure_ascii=False, indent=1)[:MOST_TEXT]
    return Answer(text=text or "(nothing)", images=images, data=data, failed=bool(result.is_error))


def contents(blocks: list[ContentBlock] | list[Any]) -> tuple[str, list[Image]]:
    """The words and the pictures of content blocks."""
    words: list[str] = []
    images: list[Image] = []
    for block in blocks:
        said, image = _content(block)
        if image is not None and len(images) >= MOST_IMAGES:
            said, image = f"[one more picture, which is left out: {MOST_IMAGES} are the most]", None
        words.append(said)
        if image is not None:
            images.append(image)
    return _valid("\n".join(words))[:MOST_TEXT], images


def _content(block: Any) -> tuple[str, Image | None]:
    kind = getattr(block, "type", "resource")
    if kind == "image":
        return _picture(block.data, block.mime_type)
    if kind == "resource":
        return _resource(getattr(block, "resource", block))
    if kind == "text":
        said = str(block.text)
    elif kind == "resource_link":
        said = f"[resource {block.uri}: {block.name}]"
    else:
        said = f"[{kind}, which is no text]"
    return said, None


def _resource(resource: Any) -> tuple[str, Image | None]:
    if getattr(resource, "text", None) is not None:
        return f"[resource {resource.uri}]\n{resource.text}", None
    mime = resource.mime_type or "application/octet-stream"
    if mime in PICTURES:
        return _picture(resource.blob, mime)
    return f"[resource {resource.uri}: {mime}, no text]", None


def _picture(data: str, mime: str) -> tuple[str, Image | None]:
    if mime not in PICTURES:
        return f"[a picture that models do not take: {mime}]", None
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return "[a picture that cannot be read]", None
    if len(raw) > LARGEST_IMAGE:
        return f"[a picture of {len(raw):,} bytes, which is left out: {LARGEST_IMAGE:,} are the most]", None
    return f"[picture: {mime}, {len(raw):,} bytes]", Image(mime, raw)


def bounded(text: str, most: int) -> str:
    """The text as a model is told it: beginning and end, when it is longer than `most` characters."""
    if len(text) <= most:
        return text
    head = most * 3 // 4
    left = len(text) - most
    return f"{text[:head]}\n[… {left:,} characters are left out here …]\n{text[len(text) - (most - head) :]}"


def _valid(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 can carry, and without NUL."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
