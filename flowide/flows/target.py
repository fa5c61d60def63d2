"""What a run varies: a file, or one piece of it, that exists or is to be made."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.paths import checked_path
from flowide.errors import BadInput, NotFound
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import Content


class Target(Struct, frozen=True):
    """A path with the text that is there now."""

    path: str
    piece: str | None
    artifact: rows.Artifact | None
    """None = the file is to be made."""
    text: str
    """Of the newest version; empty when there is none."""

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.path}:{self.piece}" if self.piece else self.path


async def target_of(space: Space, folder: ProjectFolder, ref: str) -> Target:
    """The target that `path` or `path:Piece` names; an existing file becomes an artifact on this first touch.

    Raises:
        BadInput: The path is missing, wrong, or holds no text.
        NotFound: The file has no such piece.
    """
    if not ref:
        raise BadInput("the flow needs a path", hint="Give the file to vary or to make: --set path=notes.md")
    path, piece = ref, None
    artifact = await _artifact(space, folder, ref)
    if artifact is None and ":" in ref:
        path, _, piece = ref.rpartition(":")
        artifact = await _artifact(space, folder, path)
        if artifact is None:
            raise NotFound(
                f"there is no file {path}, so no piece {piece} of it", hint="Give an existing file."
            )
    if artifact is None:
        return Target(checked_path(path), None, None, "")
    data = await space.read(Content(artifact.id))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{artifact.path} is no UTF-8 text", hint="Only texts can be varied.") from None
    if piece is not None:
        _check_piece(artifact.path, piece, data)
    return Target(artifact.path, piece, artifact, text)


async def _artifact(space: Space, folder: ProjectFolder, path: str) -> rows.Artifact | None:
    try:
        found = await folder.artifact(space, path)
    except NotFound:
        return None
    return None if found.deleted else found


def _check_piece(path: str, piece: str, data: bytes) -> None:
    from flowide.pieces import language_of, take

    language = language_of(path)
    if language is None:
        raise BadInput(f"pieces of {path} are not known", hint="Vary the whole file.")
    take(data, piece, language)
