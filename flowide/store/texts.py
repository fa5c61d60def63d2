"""Which texts of a space can be searched."""

from __future__ import annotations

from collections.abc import Iterator

from flowide.domain.rows import Artifact, Variation
from flowide.domain.view import View


def searchable(view: View) -> Iterator[tuple[str, str, str]]:
    """`(kind, ref, sha256)` of the newest version of each artifact, and of each variation."""
    for artifact in view.find(Artifact, deleted=False):
        yield "artifact", artifact.id, artifact.sha256
    for variation in view.find(Variation):
        yield "variation", f"{variation.set}/{variation.number}", variation.sha256
