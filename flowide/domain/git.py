"""Rules of git: the log names the commits of versions, and never learns anything else from git."""

from __future__ import annotations

from flowide.domain import locks
from flowide.domain.actors import Caller, Now
from flowide.domain.commands import Done, RecordCommit
from flowide.domain.facts import ArtifactCommitted
from flowide.domain.limits import MAX_PATH, check_text
from flowide.domain.rows import Version
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, NotFound
from flowide.patterns import lazy

_OBJECT = lazy(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def record_commit(view: View, command: RecordCommit, caller: Caller, now: Now) -> Decision:
    """Say which commit holds a version; no lock is needed, nothing of the artifact changes."""
    artifact = locks.artifact_row(view, command.artifact)
    check_text("ref", command.ref, MAX_PATH, least=1)
    if not _OBJECT.fullmatch(command.commit):
        raise BadInput(f"{command.commit[:100]!r} is no commit", hint="Give its full object name.")
    version = view.get(Version, artifact.id, command.version)
    if version is None:
        raise NotFound(
            f"{artifact.path} has no version {command.version}",
            hint=f"It has versions 1 to {artifact.version}.",
            version=artifact.version,
        )
    return Decision(
        ok=Done(),
        facts=[
            ArtifactCommitted(
                artifact=artifact.id,
                path=version.path,
                version=version.version,
                commit=command.commit,
                ref=command.ref,
            )
        ],
    )
