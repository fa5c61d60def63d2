"""Conflict cards: two texts want to be the next version of one artifact, and a person says what becomes of mine.

A card is a gate of kind `conflict`, so it is in the log, outlives every process, and is answered from anywhere.
It comes in two shapes:

- `editor`: the file was changed on disk while somebody edits the artifact, or a text was to be saved over a
  version it is not made from. *Mine* is the text of who edits; *theirs* is the file, or the newest version.
- `disk`: the file was changed on disk, but it is made from a version that is no longer the newest. *Mine* is
  the file; *theirs* is the newest version.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.actors import DISK
from flowide.domain.commands import AnswerGate, OpenGate
from flowide.domain.ids import uuid7
from flowide.errors import Conflict, FlowError, NotFound
from flowide.space.api import Space
from flowide.space.queries import Drafts, Gates, LiveDraft, Locks, LockState

KIND = "conflict"
CHOICES = {
    "variation": "keep my text as a variation; theirs stands",
    "merge": "put my changes on top of theirs, in a draft to look through",
    "draft": "keep my text as a draft; theirs stands",
    "discard": "let my text go; theirs stands",
}
"""The answers of a card, the default first."""

Shape = Literal["editor", "disk"]


class Card(Struct, frozen=True):
    """A conflict as its gate tells it."""

    id: str
    """Of the gate."""
    artifact: str
    path: str
    shape: Shape
    base: int
    """The version that mine is made from."""
    fence: int | None = None
    """Under which mine was written."""
    holder: str | None = None
    """Who wrote mine; None = the file."""
    holder_kind: str | None = None
    mine: str | None = None
    """SHA-256 of a text that was to be saved; None = what the draft under the fence says."""
    theirs: str | None = None
    """SHA-256 of the file when the card was opened; None = the newest version stands against mine."""
    status: str = "open"
    answer: str | None = None
    ts: str = ""


def card_of(gate: rows.Gate) -> Card:
    """The card that a gate of kind `conflict` is."""
    known = {name: gate.context.get(name) for name in _CONTEXT}
    return Card(id=gate.id, status=gate.status, answer=gate.answer, ts=gate.ts, **known)  # type: ignore[arg-type]


async def cards(space: Space, *, status: str | None = "open", artifact: str | None = None) -> list[Card]:
    """Conflicts, newest first; status None = settled ones too."""
    found = [card_of(gate) for gate in await space.read(Gates(status=status)) if gate.kind == KIND]
    return [card for card in found if artifact in (None, card.artifact)]


async def find_card(space: Space, ref: str) -> Card:
    """The card by its id, a unique start of it, the path of its artifact, or `last`.

    Raises:
        NotFound: With what to do in its hint.
    """
    known = await cards(space, status=None)
    waiting = [card for card in known if card.status == "open"]
    if ref == "last" and waiting:
        return waiting[0]
    exact = [card for card in known if card.id == ref] or [card for card in waiting if card.path == ref]
    found = exact or [card for card in known if ref and card.id.startswith(ref)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{len(found)} conflicts go by {ref[:100]}", hint="Give more of the id.")
    raise NotFound(f"there is no conflict {ref[:100]}", hint="List them with `flowide conflicts list`.")


async def changed_under_lock(
    space: Space, row: rows.Artifact, theirs: bytes, *, mine: bytes | None = None
) -> Conflict:
    """The refusal to overwrite what another program wrote to the file while the artifact is locked."""
    [state] = await space.read(Locks(row.id))
    lock = state.lock
    card = Card(
        id=uuid7(),
        artifact=row.id,
        path=row.path,
        shape="editor",
        base=row.version,
        fence=lock.fence,
        holder=lock.actor,
        holder_kind=lock.kind,
        mine=None if mine is None else await space.put_blob(mine),
        theirs=await space.put_blob(theirs),
    )
    while_ = f"while {lock.actor} holds its lock" if lock.actor else "meanwhile"
    return await _refusal(space, row, card, f"{row.path} was changed on disk {while_}")


async def saved_over_stale_base(
    space: Space, row: rows.Artifact, mine: bytes, *, base: int, fence: int
) -> Conflict:
    """The refusal of a text that is made from an older version than the newest."""
    card = Card(
        id=uuid7(),
        artifact=row.id,
        path=row.path,
        shape="editor",
        base=base,
        fence=fence,
        holder=space.actor.id,
        holder_kind=space.actor.kind,
        mine=await space.put_blob(mine),
    )
    said = f"{row.path} is at version {row.version}, and this text is made from version {base}"
    return await _refusal(space, row, card, said)


async def file_is_stale(space: Space, row: rows.Artifact, mine: bytes, *, base: int) -> Conflict:
    """The refusal to take a changed file for the next version, when it is made from an older one."""
    card = Card(
        id=uuid7(),
        artifact=row.id,
        path=row.path,
        shape="disk",
        base=base,
        mine=await space.put_blob(mine),
    )
    said = (
        f"{row.path} was changed on disk, from version {base}, and version {row.version} has been saved since"
    )
    return await _refusal(space, row, card, said)


async def file_is_foreign(space: Space, row: rows.Artifact, mine: bytes) -> Conflict:
    """The refusal to take a file for the next version that was here before the artifact was."""
    card = Card(
        id=uuid7(),
        artifact=row.id,
        path=row.path,
        shape="disk",
        base=row.version,
        mine=await space.put_blob(mine),
    )
    return await _refusal(
        space, row, card, f"{row.path} is here already, with another content than version {row.version}"
    )


async def settle_moot(space: Space, row: rows.Artifact, why: str) -> None:
    """Close the cards of an artifact whose two texts are one by now: nobody wrote anything of their own."""
    [state] = await space.read(Locks(row.id))
    for card in await cards(space, artifact=row.id):
        if card.shape == "disk" or (card.mine is None and await draft_under(space, card, state) is None):
            await _close(space, card, why)


async def draft_under(space: Space, card: Card, state: LockState) -> bytes | None:
    """What is written under the fence of a card: the live draft, or the orphan it has become."""
    if state.lock.state != "free" and state.lock.fence == card.fence:
        live = await space.read(LiveDraft(card.artifact))
        return None if live is None or not live.text else live.text.encode()
    orphan = await orphan_under(space, card)
    return None if orphan is None else await space.blob(orphan.sha256)


async def orphan_under(space: Space, card: Card) -> rows.Draft | None:
    """The kept draft whose fence is that of the card."""
    drafts = await space.read(Drafts(card.artifact))
    return next((draft for draft in drafts if draft.fence == card.fence), None)


async def _refusal(space: Space, row: rows.Artifact, card: Card, said: str) -> Conflict:
    known = await _same(space, card)
    if known is None:
        known = card
        mine = f"the text of {card.holder}" if card.holder else "the file"
        await space.acting_as(DISK).execute(
            OpenGate(
                gate=card.id,
                kind=KIND,
                question=f"{said}. What shall become of {mine}?",
                options=list(CHOICES),
                context={name: getattr(card, name) for name in _CONTEXT},
            )
        )
        await _supersede(space, card)
    return Conflict(
        said,
        hint=f"Nothing was overwritten. Decide with `flowide conflicts resolve {known.id}`.",
        version=row.version,
        path=row.path,
        artifact=row.id,
        holder=card.holder,
        conflict=known.id,
        disk_sha256=card.theirs or (card.mine if card.shape == "disk" else None),
    )


async def _same(space: Space, card: Card) -> Card | None:
    """An open card about the same thing; one without a text of its own stands for whatever is in the draft."""
    for known in await cards(space, artifact=card.artifact):
        if (known.shape, known.fence, known.base) == (card.shape, card.fence, card.base) and (
            card.mine in (None, known.mine) or card.shape == "disk"
        ):
            return known
    return None


async def _supersede(space: Space, card: Card) -> None:
    """Close the cards that ask about earlier states of the text that is in this one: one conflict, one card."""
    if card.mine is None or card.shape != "editor":
        return
    mine = await space.blob(card.mine)
    [state] = await space.read(Locks(card.artifact))
    for older in await cards(space, artifact=card.artifact):
        if older.id == card.id or (older.shape, older.fence, older.base) != ("editor", card.fence, card.base):
            continue
        written = None if older.mine is not None else await draft_under(space, older, state)
        if written is None or mine.startswith(written):
            await _close(space, older, f"the text as it was to be saved is asked about in {card.id}")


async def _close(space: Space, card: Card, why: str) -> None:
    with contextlib.suppress(FlowError):  # somebody has answered it
        await space.acting_as(DISK).execute(AnswerGate(gate=card.id, answer="draft", reason=why))


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(data).hexdigest()


_CONTEXT = ("artifact", "path", "shape", "base", "fence", "holder", "holder_kind", "mine", "theirs")
