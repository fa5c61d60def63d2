"""What a person's answer to a conflict card does: theirs stands, and mine goes where they want it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.commands import (
    AcquireLock,
    AddVariation,
    AnswerGate,
    Command,
    DiscardDraft,
    OpenVariationSet,
    ReleaseLock,
)
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, Busy, Conflict, Gone, NotAllowed
from flowide.project import conflicts, sync
from flowide.project.conflicts import CHOICES, Card
from flowide.project.kinds import is_text
from flowide.project.merging import merge
from flowide.project.turn import uninterrupted
from flowide.space.api import Space
from flowide.space.drafting import put_draft
from flowide.space.queries import Content, Drafts, FindArtifact, Locks, LockState

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder


class Resolved(Struct, frozen=True, omit_defaults=True):
    """What came of an answer."""

    conflict: str
    choice: str
    artifact: str
    path: str
    version: int
    """The newest one afterwards."""
    set: str | None = None
    number: int | None = None
    """The variation that my text became, and its set."""
    fence: int | None = None
    """Of the lock that is held now, with the merged text as its draft."""
    draft: str | None = None
    """The kept draft that my text became."""
    conflicts: int = 0
    """Places of a merge, between markers, that are left to decide."""
    kept: str | None = None
    """The file that holds my bytes, which are no text."""
    nothing: bool = False
    """True = there was no text of mine."""


class Sides(Struct, frozen=True):
    """The three texts of a card as they are now."""

    base: bytes
    mine: bytes | None
    """None = nothing was written."""
    theirs: bytes


async def sides(folder: ProjectFolder, space: Space, card: Card) -> Sides:
    """What a card is about: for showing it, and for merging."""
    row = await space.read(FindArtifact(card.artifact))
    [state] = await space.read(Locks(row.id))
    return Sides(
        await space.read(Content(row.id, card.base)),
        await _mine(folder, space, row, card, state),
        await _theirs(folder, space, row, card),
    )


async def resolve(
    folder: ProjectFolder, space: Space, conflict: str, choice: str, *, save: bool = False, note: str = ""
) -> Resolved:
    """Carry out `choice`; see `ProjectFolder.resolve`."""
    if choice not in CHOICES:
        raise BadInput(
            f"{choice[:100]!r} is no answer to a conflict", hint=f"Choose one of: {', '.join(CHOICES)}."
        )
    card = await conflicts.find_card(space, conflict)
    if card.status != "open":
        raise Gone(
            f"this conflict of {card.path} was settled before: {card.answer}",
            hint="There is nothing left to do.",
        )
    if space.actor.kind == "agent":
        raise NotAllowed(f"{space.actor.id} is an agent and may not settle conflicts", hint="Ask a person.")
    async with folder.turn():
        resolved = await uninterrupted(_Resolving(folder, space, card, note).run(choice))
    if save and choice == "merge" and resolved.fence is not None and not resolved.conflicts:
        row = await space.read(FindArtifact(card.artifact))
        merged = (await draft_text(space, row)).encode()
        made = await folder.save(
            space, row, fence=resolved.fence, base=resolved.version, data=merged, note=note or "merged"
        )
        return Resolved(card.id, choice, row.id, row.path, made.version)
    return resolved


async def draft_text(space: Space, row: rows.Artifact) -> str:
    """What is written under the lock now; empty when nothing is."""
    from flowide.space.queries import LiveDraft

    live = await space.read(LiveDraft(row.id))
    return "" if live is None else live.text


class _Resolving:
    """One answer on its way, in the folder's turn. Until the gate is answered, mine is where it was."""

    def __init__(self, folder: ProjectFolder, space: Space, card: Card, note: str) -> None:
        self._folder, self._space, self._card, self._note = folder, space, card, note

    async def run(self, choice: str) -> Resolved:
        space, card = self._space, self._card
        row = await space.read(FindArtifact(card.artifact))
        [state] = await space.read(Locks(row.id))
        self._check_holder(state, choice)
        mine = await _mine(self._folder, space, row, card, state)
        if mine is None:
            await self._answer(choice, *self._release(state, "keep"))
            made: dict[str, Any] = {"nothing": True}
        elif choice == "discard":
            made = await self._discard(state)
        elif not is_text(mine):
            made = await self._keep_bytes(state, choice, mine)
        elif choice == "variation":
            made = await self._vary(state, mine)
        elif choice == "draft":
            made = await self._draft(row, state, mine)
        else:
            made = await self._merge(row, state, mine)
        if choice != "merge" or mine is None:
            await self._let_theirs_stand(mine)
        row = await space.read(FindArtifact(row.id))
        return Resolved(card.id, choice, row.id, row.path, row.version, **made)

    def _check_holder(self, state: LockState, choice: str) -> None:
        card, lock, me = self._card, state.lock, self._space.actor.id
        needs_lock = choice in {"merge", "draft"} and not (card.shape == "editor" and self._own(state))
        held = lock.state == "held" and (lock.fence == card.fence or needs_lock)
        if held and (lock.actor != me or lock.fence != card.fence):
            raise Busy(
                f"{lock.actor} holds the lock of {card.path} with fence {lock.fence}",
                hint="Wait for its release, or end it with `flowide lock force`, which keeps the draft; "
                "then answer again.",
                holder=lock.actor,
                kind=lock.kind,
                since=lock.since,
                purpose=lock.purpose,
                queue=len(state.queue),
            )
        if choice == "discard" and card.holder not in (None, me) and card.holder_kind == "human":
            raise NotAllowed(
                f"the text is {card.holder}'s, and only {card.holder} can let it go",
                hint="Keep it as a variation or a draft.",
            )

    def _own(self, state: LockState) -> bool:
        """Whether the lock under which mine was written is still ours."""
        lock = state.lock
        return (
            self._card.shape == "editor"
            and lock.state != "free"
            and (lock.actor, lock.fence) == (self._space.actor.id, self._card.fence)
        )

    def _release(self, state: LockState, draft: Any) -> list[Command[Any]]:
        if not self._own(state):
            return []
        return [ReleaseLock(artifact=self._card.artifact, fence=state.lock.fence, draft=draft)]

    async def _answer(self, choice: str, *first: Command[Any]) -> list[Any]:
        """Do it and answer the card, all together or not at all."""
        answer = AnswerGate(gate=self._card.id, answer=choice, reason=self._note or None)
        return (await self._space.batch([*first, answer])).ok

    async def _clear(self, state: LockState) -> list[Command[Any]]:
        """End the fence with its draft, which says no more than mine does."""
        if self._own(state):
            return self._release(state, "drop")
        orphan = await conflicts.orphan_under(self._space, self._card)
        return [] if orphan is None else [DiscardDraft(draft=orphan.id)]

    async def _vary(self, state: LockState, mine: bytes) -> dict[str, Any]:
        card = self._card
        set_id = uuid7()
        who = card.holder or "the file on disk"
        content = await sync.content_of(self._space, mine)
        answers = await self._answer(
            "variation",
            OpenVariationSet(
                set=set_id,
                title=card.path,
                brief=f"From a conflict: the text of {who}, made from version {card.base}.",
                path=card.path,
                artifact=card.artifact,
                base=card.base,
            ),
            AddVariation(
                set=set_id,
                origin="manual",
                author=card.holder if card.holder_kind == "agent" else None,
                **content,
            ),
            *await self._clear(state),
        )
        return {"set": set_id, "number": answers[1].number}

    async def _discard(self, state: LockState) -> dict[str, Any]:
        await self._answer("discard", *await self._clear(state))
        return {}

    async def _keep_bytes(self, state: LockState, choice: str, mine: bytes) -> dict[str, Any]:
        if choice == "merge":
            raise BadInput(
                f"{self._card.path} is no text and cannot be merged",
                hint="Choose variation, draft or discard.",
            )
        file = self._folder.keep_beside(PurePosixPath(self._card.path).name, mine)
        await self._answer(choice, *self._release(state, "keep"))
        return {"kept": file}

    async def _draft(self, row: rows.Artifact, state: LockState, mine: bytes) -> dict[str, Any]:
        space = self._space
        written = await conflicts.draft_under(space, self._card, state)
        if self._own(state):
            if written != mine:
                await put_draft(space, row.id, state.lock.fence, mine.decode(), have=None)
            await self._answer("draft", *self._release(state, "keep"))
            fence = state.lock.fence
        elif written == mine:
            await self._answer("draft")
            fence = self._card.fence or 0
        else:
            fence = await self._locked(row, "keeping a text")
            await put_draft(space, row.id, fence, mine.decode(), have=None)
            await self._answer("draft", ReleaseLock(artifact=row.id, fence=fence))
        kept = await space.read(Drafts(row.id))
        return {"draft": next((draft.id for draft in kept if draft.fence == fence), None)}

    async def _merge(self, row: rows.Artifact, state: LockState, mine: bytes) -> dict[str, Any]:
        space, card = self._space, self._card
        theirs = await _theirs(self._folder, space, row, card)
        base = await space.read(Content(row.id, card.base))
        merged = merge(base, mine, theirs, mine_name=card.holder or "the file on disk", theirs_name="theirs")
        if self._own(state):
            # Mine becomes a kept draft, theirs a version; only then the lock is taken again, on top of it.
            if await conflicts.draft_under(space, card, state) != mine:
                await put_draft(space, row.id, state.lock.fence, mine.decode(), have=None)
            await space.batch(self._release(state, "keep"))
        if card.shape == "editor":
            found = self._folder.tree.read(row.path)
            row = await sync.in_step(space, self._folder.tree, self._folder.ledger, row, found)
        fence = await self._locked(row, "merging")
        await put_draft(space, row.id, fence, merged.data.decode(), have=None)
        orphan = await conflicts.orphan_under(space, card)
        done = orphan is not None and await space.blob(orphan.sha256) == mine
        await self._answer("merge", *([DiscardDraft(draft=orphan.id)] if done and orphan else []))
        if card.shape == "disk":
            await self._write_newest(mine)
        return {"fence": fence, "conflicts": merged.conflicts}

    async def _locked(self, row: rows.Artifact, purpose: str) -> int:
        fence = (await self._space.execute(AcquireLock(artifact=row.id, purpose=purpose))).ok.fence
        assert fence is not None
        return fence

    async def _let_theirs_stand(self, mine: bytes | None) -> None:
        """The file becomes the next version, or the newest version the file."""
        if self._card.shape == "disk":
            await self._write_newest(mine)
            return
        row = await self._space.read(FindArtifact(self._card.artifact))
        if not row.deleted:
            found = self._folder.tree.read(row.path)
            try:
                await sync.in_step(self._space, self._folder.tree, self._folder.ledger, row, found)
            except Conflict:
                return  # somebody took the lock meanwhile; that is a card of its own

    async def _write_newest(self, mine: bytes | None) -> None:
        """The file gives way to the newest version, provided it still says what has been kept of it."""
        row = await self._space.read(FindArtifact(self._card.artifact))
        found = self._folder.tree.read(row.path)
        if row.deleted and found is not None and found.data == mine:
            self._folder.tree.remove(row.path, found)
        elif found is not None and found.data == mine and found.sha256 != row.sha256:
            await sync.write_head(self._space, self._folder.tree, self._folder.ledger, row, found)


async def _mine(
    folder: ProjectFolder, space: Space, row: rows.Artifact, card: Card, state: LockState
) -> bytes | None:
    """The text a card asks about, as it is now: a draft may have grown, a file may have been edited again."""
    if card.shape == "disk":
        found = folder.tree.read(row.path)
        if found is not None and found.sha256 != row.sha256:
            return found.data
        return None
    written = await conflicts.draft_under(space, card, state)
    if card.mine is None:
        return written
    saved = await space.blob(card.mine)
    # A draft lags behind what is saved from it; one that says something else was written later.
    return saved if written is None or saved.startswith(written) else written


async def _theirs(folder: ProjectFolder, space: Space, row: rows.Artifact, card: Card) -> bytes:
    if card.shape == "editor" and not row.deleted:
        found = folder.tree.read(row.path)
        if found is not None and found.sha256 != row.sha256:
            return found.data
    return await space.read(Content(row.id))
