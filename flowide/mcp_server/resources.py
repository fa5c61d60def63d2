"""Artifacts as resources: their list in pages, their contents, and which events concern them."""

from __future__ import annotations

import base64
import mimetypes
from typing import Any

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.events import Event
from flowide.errors import BadInput, NotFound
from flowide.mcp_server.session import Session
from flowide.mcp_server.uris import SCHEME, address
from flowide.project.kinds import is_text
from flowide.space.api import Space
from flowide.space.queries import Artifacts, Content, FindArtifact

PAGE = 500
_LISTS = {"artifact.created", "artifact.moved", "artifact.deleted", "artifact.restored"}
_CONTENTS = {"artifact.saved", "artifact.moved", "artifact.deleted", "artifact.restored"}


class Listed(Struct, frozen=True):
    """A resource in a list."""

    uri: str
    path: str
    mime: str
    size: int | None
    about: str


class Found(Struct, frozen=True):
    """The content of a resource; one of `text` and `blob`."""

    uri: str
    mime: str
    text: str | None
    blob: str | None


async def page(session: Session, cursor: str | None) -> tuple[list[Listed], str | None]:
    """The files of the project by path, and where to go on; None = that was all."""
    known = {row.path: row for row in await session.space.read(Artifacts())}
    paths = sorted({*known, *await session.files()})
    if cursor is not None:
        paths = [path for path in paths if path > cursor]
    return [_listed(path, known.get(path)) for path in paths[:PAGE]], (
        paths[PAGE - 1] if len(paths) > PAGE else None
    )


def _listed(path: str, row: rows.Artifact | None) -> Listed:
    if row is None:
        return Listed(address(path), path, mime_of(path, ""), None, "a file without versions yet")
    return Listed(
        address(path), path, mime_of(path, row.kind), row.size, f"{row.kind}, version {row.version}"
    )


async def read(session: Session, uri: str) -> Found:
    """The newest version of an artifact.

    Raises:
        BadInput: It is no address of an artifact.
        NotFound: There is none.
    """
    if not uri.startswith(SCHEME) or len(uri) > 16_384:
        raise BadInput(f"{uri[:200]} is no address of an artifact", hint=f"They begin with {SCHEME}.")
    row, _ = await session.look(uri)
    if row.deleted:
        raise NotFound(f"{row.path} is deleted", hint="Its versions are kept: history, restore.")
    data = await session.space.read(Content(row.id))
    mime = mime_of(row.path, row.kind)
    if is_text(data):
        return Found(uri, mime, data.decode(), None)
    return Found(uri, mime, None, base64.b64encode(data).decode())


def mime_of(path: str, kind: str) -> str:
    """The media type of a path."""
    if path.endswith(".md"):
        return "text/markdown"
    known, encoding = mimetypes.guess_type(path, strict=False)
    if encoding is not None or (known is None and kind == "binary"):
        return "application/octet-stream"
    if known is None or (kind == "code" and known.startswith("video/")):  # .ts is TypeScript here
        return "text/plain"
    return known


class Change(Struct, frozen=True):
    """What an event means for resources."""

    listed: bool
    """The list is another one."""
    uris: list[str]
    """These have another content."""


async def change_of(space: Space, event: Event) -> Change | None:
    """What a client wants to be told about an event; None = nothing."""
    data: dict[str, Any] = event.data
    if not event.type.startswith("artifact.") or event.type not in _LISTS | _CONTENTS:
        return None
    paths = [data.get("path"), data.get("old_path")]
    if paths[0] is None:
        paths = [(await space.read(FindArtifact(data["artifact"]))).path]
    uris = [address(path) for path in paths if path] if event.type in _CONTENTS else []
    return Change(event.type in _LISTS, uris)
