"""Answers about artifacts and their versions."""

from __future__ import annotations

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.paths import path_key
from flowide.domain.view import View
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.space.reads.base import Answers, blob_of
from flowide.text import close_to


def _artifacts(view: View, query: q.Artifacts, now: Now) -> list[rows.Artifact]:
    if query.deleted:
        return view.find(rows.Artifact, order="path")
    return view.find(rows.Artifact, order="path", deleted=False)


def _find_artifact(view: View, query: q.FindArtifact, now: Now) -> rows.Artifact:
    found = view.get(rows.Artifact, query.ref)
    if found is not None:
        return found
    by_path = view.find(rows.Artifact, path_key=path_key(query.ref))
    if by_path:
        return by_path[0]
    paths = [row.path for row in view.find(rows.Artifact, deleted=False)]
    close = close_to(query.ref, paths, 3)
    raise NotFound(
        f"there is no artifact {query.ref[:200]}",
        hint=f"Did you mean {', '.join(close)}?" if close else "List them with `flowide artifact list`.",
        close=close,
    )


def _artifact_at(view: View, query: q.ArtifactAt, now: Now) -> rows.Artifact | None:
    found = view.find(rows.Artifact, path_key=path_key(query.path), limit=1)
    return found[0] if found else None


def _history(view: View, query: q.History, now: Now) -> list[rows.Version]:
    return view.find(rows.Version, order="version", artifact=query.artifact)


def _content(view: View, query: q.Content, now: Now) -> bytes:
    artifact = view.get(rows.Artifact, query.artifact)
    if artifact is None:
        raise NotFound(f"there is no artifact {query.artifact[:100]}")
    version = view.get(rows.Version, artifact.id, query.version or artifact.version)
    if version is None:
        raise NotFound(
            f"{artifact.path} has no version {query.version}",
            hint=f"It has versions 1 to {artifact.version}.",
        )
    return blob_of(view, version.sha256, artifact.path)


ANSWERS: Answers = {
    q.Artifacts: _artifacts,
    q.FindArtifact: _find_artifact,
    q.ArtifactAt: _artifact_at,
    q.History: _history,
    q.Content: _content,
}
