"""Writing a space out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from flowide.domain.events import canonical_json
from flowide.domain.rows import Artifact, Chunk, LiveDraft
from flowide.domain.view import View
from flowide.errors import BadInput, NotFound, StorageFailed
from flowide.space.arbiter import UNKNOWN
from flowide.space.archive.layout import (
    EVENTS,
    FILES,
    FORMAT,
    LIVE,
    MANIFEST,
    REPLIES,
    Folder,
    Moved,
    blob_file,
)
from flowide.store.api import Position, Store

PAGE = 500


def export_to(store: Store, folder: Path) -> Moved:
    """Write all of a space into a folder that is empty or not there; what is committed meanwhile is left out.

    Raises:
        BadInput: The folder is in use.
        StorageFailed: The space cannot be read, or the folder not be written. What was written is no export:
            its `flowide-space.json` is missing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.listdir(folder):
            raise BadInput(f"the folder {folder} is not empty", hint="Export into a new one.")
        with Folder(folder) as root, store.read() as view:
            return _write(store, view, root)
    except OSError as error:
        raise StorageFailed(
            f"the space could not be written to {folder}: {error.strerror or error}",
            hint="Free some space on the disk or choose another folder; the workspace was not changed.",
        ) from error


def _write(store: Store, view: View, root: Folder) -> Moved:
    head = store.position()
    _write_lines(root, EVENTS, _events(store, head))
    blobs = 0
    for name in sorted(store.blob_names()):
        data = view.blob(name)
        if data is None:
            raise NotFound(f"blob {name} is missing", hint="Run `flowide verify`.")
        with root.writing(blob_file(name)) as file:
            file.write(data)
        blobs += 1
    _write_lines(root, REPLIES, _replies(store))
    _write_lines(root, LIVE, _live(view))
    artifacts = view.find(Artifact, order="path", deleted=False)
    skipped = [row.path for row in artifacts if not _write_file(root, view, row)]
    manifest = {
        "format": FORMAT,
        "what": "a FlowIDE space; bring it back with: flowide import FOLDER",
        "head": head.seq,
        "chain": head.chain,
        "blobs": blobs,
    }
    with root.writing(MANIFEST) as file:
        file.write(msgspec.json.format(canonical_json(manifest), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Moved(head.seq, blobs, len(artifacts), skipped)


def _write_lines(root: Folder, name: str, lines: Iterator[bytes]) -> None:
    with root.writing(name) as file:
        for line in lines:
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _events(store: Store, head: Position) -> Iterator[bytes]:
    seq = 0
    while seq < head.seq:
        page = store.events(seq, min(PAGE, head.seq - seq))
        if not page:
            raise StorageFailed(f"event {seq + 1} is missing", hint="Run `flowide verify`.", seq=seq + 1)
        for event in page:
            yield canonical_json(msgspec.to_builtins(event))
        seq = page[-1].seq


def _replies(store: Store) -> Iterator[bytes]:
    after = ""
    while True:
        page = store.replies(after, PAGE)
        if not page:
            return
        for id, stored, wall_ms in page:
            if stored.body == UNKNOWN:
                continue  # an import makes it anew
            entry = {"id": id, "body": stored.body, "reply": stored.reply.decode(), "wall_ms": wall_ms}
            yield canonical_json(entry)
        after = page[-1][0]


def _live(view: View) -> Iterator[bytes]:
    for row in sorted(view.find(LiveDraft), key=lambda row: (row.artifact, row.fence)):
        yield canonical_json({"live": msgspec.to_builtins(row)})
    for chunk in sorted(view.find(Chunk), key=lambda row: (row.stream, row.off)):
        yield canonical_json({"chunk": msgspec.to_builtins(chunk)})


def _write_file(root: Folder, view: View, row: Artifact) -> bool:
    data = view.blob(row.sha256)
    assert data is not None, "blobs were written before"
    try:
        with root.writing(f"{FILES}/{row.path}") as file:
            file.write(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return False
    return True
