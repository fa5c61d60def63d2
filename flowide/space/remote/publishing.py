"""Sending a whole exported space to a hub."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from flowide.errors import BadInput, StorageFailed
from flowide.space.archive import Moved
from flowide.space.archive.layout import BLOBS, EVENTS, LIVE, MANIFEST, REPLIES
from flowide.space.remote.http import Http

_PIECE = 256 * 1024


def send_export(http: Http, folder: Path) -> Moved:
    """Fill the hub's space from an export; for a thread.

    Raises:
        Exists: Something has happened in the hub's space already.
        FlowError: The refusal.
        Offline: No answer.
    """
    if not (folder / MANIFEST).is_file():
        raise BadInput(f"{folder} is no export", hint="Name a folder that `flowide export` wrote.")
    try:
        with tempfile.TemporaryFile() as spool:
            with tarfile.open(fileobj=spool, mode="w:") as tar:
                for name in (MANIFEST, EVENTS, REPLIES, LIVE, BLOBS):
                    if (folder / name).exists():
                        tar.add(folder / name, name, filter=_plain)
            spool.seek(0)
            answer = http.post_stream(http.address.path("/import"), _pieces(spool), "application/x-tar")
    except OSError as error:
        raise StorageFailed(f"{folder} cannot be packed: {error.strerror or error}") from error
    return msgspec.convert(answer, Moved)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without who owned it here."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _pieces(spool: IO[bytes]) -> Iterator[bytes]:
    while piece := spool.read(_PIECE):
        yield piece
