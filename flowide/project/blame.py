"""Where each piece of an artifact comes from."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from msgspec import Struct

from flowide.domain import rows
from flowide.errors import BadInput, NotFound
from flowide.patterns import lazy
from flowide.pieces.languages import language_of
from flowide.pieces.listing import list_pieces
from flowide.pieces.model import Language, Piece
from flowide.space.api import Space
from flowide.space.queries import Content, History, OneVariationSet

WHOLE = "(whole file)"
_LABEL = lazy(r"variation (\d+)")


class Blame(Struct, frozen=True, rename={"for_": "for"}):
    """The origin of one piece."""

    piece: str
    kind: str
    start_line: int
    end_line: int
    version: int
    """The version that brought these bytes."""
    ts: str
    actor: str
    """Who wrote the piece; an agent when it came with a variation of one."""
    actor_kind: str
    saved_by: str
    """Who saved or accepted that version."""
    model: str | None
    run: str | None
    set: str | None
    variation: int | None
    source: str
    """For people: `variation 2`, a path, or the version's note."""
    for_: str | None = None
    """On whose behalf an agent saved it."""
    parents: list[dict[str, Any]] = []
    """What the variation, or else the version, was made from."""


async def blame(space: Space, artifact: rows.Artifact, version: int | None = None) -> list[Blame]:
    """The origin of every piece of a version (None = the newest), in the order of the text.

    A file without pieces is one piece. A piece belongs to the version since which its bytes are the same.
    """
    history = [each for each in await space.read(History(artifact.id)) if each.version <= (version or 10**9)]
    if not history or (version is not None and history[-1].version != version):
        raise NotFound(f"{artifact.path} has no version {version}")
    past = _Past(space, artifact, language_of(artifact.path))
    newest = history[-1]
    pieces = await past.pieces(newest)
    since = {piece.name: newest for piece in pieces}
    digests = await past.digests(newest)
    open_names = set(digests)
    for older in reversed(history[:-1]):
        if not open_names:
            break
        before = await past.digests(older)
        open_names = {name for name in open_names if before.get(name) == digests[name]}
        since |= dict.fromkeys(open_names, older)
    origins = _Origins(space)
    return [await origins.of(piece, since[piece.name]) for piece in pieces]


class _Past:
    """The pieces of versions; versions with the same bytes are read once."""

    def __init__(self, space: Space, artifact: rows.Artifact, language: Language | None) -> None:
        self._space = space
        self._artifact = artifact
        self._language = language
        self._last: tuple[str, list[Piece], dict[str, str]] | None = None

    async def pieces(self, version: rows.Version) -> list[Piece]:
        return (await self._listed(version))[1]

    async def digests(self, version: rows.Version) -> dict[str, str]:
        return (await self._listed(version))[2]

    async def _listed(self, version: rows.Version) -> tuple[str, list[Piece], dict[str, str]]:
        if self._last is None or self._last[0] != version.sha256:
            data = await self._space.read(Content(self._artifact.id, version.version))
            pieces = self._list(data)
            digests = {piece.name: sha256(data[piece.start : piece.end]).hexdigest() for piece in pieces}
            self._last = (version.sha256, pieces, digests)
        return self._last

    def _list(self, data: bytes) -> list[Piece]:
        found: list[Piece] = []
        if self._language is not None:
            try:
                found = list_pieces(data, self._language)
            except BadInput:
                found = []  # no text: the file as a whole
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        whole = Piece(name=WHOLE, kind="file", start=0, end=len(data), start_line=1, end_line=lines)
        return found or [whole]


class _Origins:
    """Looks up the variations that lineages name."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._sets: dict[str, dict[int, rows.Variation]] = {}

    async def of(self, piece: Piece, version: rows.Version) -> Blame:
        parent = next((each for each in version.parents if each.get("set")), None)
        variation = None
        source = version.note or ("created" if version.version == 1 else "saved")
        if parent is not None:
            variations = await self._variations(str(parent["set"]))
            variation, source = _written(variations, int(parent["variation"]), piece.name)
        return Blame(
            piece=piece.name,
            kind=piece.kind,
            start_line=piece.start_line,
            end_line=piece.end_line,
            version=version.version,
            ts=version.ts,
            actor=version.actor if variation is None else variation.actor,
            actor_kind=version.kind if variation is None else variation.kind,
            saved_by=version.actor,
            model=version.model if variation is None else variation.model,
            run=version.run if variation is None else variation.run,
            set=None if variation is None else variation.set,
            variation=None if variation is None else variation.number,
            source=source,
            for_=version.for_,
            parents=version.parents if variation is None else variation.parents,
        )

    async def _variations(self, set: str) -> dict[int, rows.Variation]:
        """Variations of a set by number; none when the set is not known."""
        if set not in self._sets:
            try:
                view = await self._space.read(OneVariationSet(set))
            except NotFound:
                self._sets[set] = {}
            else:
                self._sets[set] = {each.variation.number: each.variation for each in view.variations}
        return self._sets[set]


def _written(
    variations: dict[int, rows.Variation], number: int, piece: str
) -> tuple[rows.Variation | None, str]:
    """The variation in which a piece of variation `number` was written, and its label; through any blends."""
    seen: set[int] = set()
    while number in variations and number not in seen:
        seen.add(number)
        found = variations[number]
        origin = found.lineage.get(piece)
        if origin is not None:
            label = str(origin.get("label", ""))
            by_id = next((each for each in variations.values() if each.id == origin.get("variation")), None)
            named = _LABEL.fullmatch(label)
            source = by_id or (variations.get(int(named[1])) if named else None)
            if source is None or source.number == number:
                return source, label
            number, piece = source.number, str(origin.get("piece", piece))
            continue
        base = found.parents[0].get("variation") if found.origin == "blend" and found.parents else None
        if not base:
            return found, f"variation {number}"
        number = int(base)
    return variations.get(number), f"variation {number}"
