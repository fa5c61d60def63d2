"""Tools that change: lock, draft, save, release; create, move, restore; drafts that outlived their lock."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flowide.domain import rows
from flowide.domain.commands import MAX_INLINE, KeepDraft
from flowide.errors import BadInput, Conflict, Fenced, FlowError
from flowide.mcp_server.holding import Hold
from flowide.mcp_server.session import Session
from flowide.mcp_server.tool import Arguments, Note, Path, Result, Text, Tool, Wait
from flowide.mcp_server.tools.reading import lock_of
from flowide.project.kinds import is_text, written_like
from flowide.space.queries import Content, Drafts, FindArtifact, Locks

HELD = (
    "Now draft or save. The lock is kept for you while this session lives; it is given back by save, by release"
    " and when the session ends. Without a call for some minutes somebody who waits may take it."
)


class Edit(Struct, frozen=True, forbid_unknown_fields=True):
    """One exact replacement."""

    old: Annotated[
        str, Meta(description="Text that stands there exactly once, with its white space.", min_length=1)
    ]
    new: str
    all: Annotated[bool, Meta(description="Replace every occurrence.")] = False


Edits = (
    Annotated[
        list[Edit],
        Meta(
            description="Replacements in your draft, or in the version when there is no draft; one after the other,"
            " all or none.",
        ),
    ]
    | None
)


class LockIt(Arguments, frozen=True):
    path: Path
    wait_s: Wait = 0
    purpose: Annotated[
        str, Meta(description="What for, in a few words; everybody sees it.", max_length=1000)
    ] = ""


async def lock(session: Session, asked: LockIt) -> Result:
    row = await session.find(asked.path)
    async with session.holds.turn(row.id):
        before = session.holds.get(row.id)
        hold = await session.holds.take(row, wait_s=asked.wait_s, purpose=asked.purpose)
    row = await session.space.read(FindArtifact(row.id))
    told: Result = {"path": row.path, "version": hold.base, "fence": hold.fence, "next": HELD}
    if before is hold:
        told["already"] = True
    if hold.draft is not None:
        told["draft_bytes"] = len(hold.draft.encode())
    kept = [
        each.id for each in await session.space.read(Drafts(row.id)) if each.actor == session.space.actor.id
    ]
    if kept:
        told["drafts"] = kept
        told["next"] += " Drafts of yours from earlier are kept: see list_drafts."
    return told


class ListLocks(Arguments, frozen=True):
    pass


async def list_locks(session: Session, asked: ListLocks) -> Result:
    return {
        "locks": [
            {"path": state.path, "version": state.version, **lock_of(state, session)["lock"]}
            for state in await session.space.read(Locks())
            if state.lock.state != "free"
        ]
    }


class Draft(Arguments, frozen=True):
    path: Path
    text: Text | None = None
    mode: Annotated[
        Literal["replace", "append"],
        Meta(
            description="Whether `text` is the whole text, or comes at the end of what `edits` would change."
        ),
    ] = "replace"
    edits: Edits = None


async def draft(session: Session, asked: Draft) -> Result:
    row = await session.known(asked.path)
    async with session.holds.turn(row.id):
        hold = _held(session, row)
        text = await _text(session, hold, asked.text, asked.edits, append=asked.mode == "append")
        try:
            session.holds.need(row)
            await session.holds.write(hold, text)
        except Fenced as refused:
            raise await _kept(session, hold, text.encode(), refused) from refused
    return {
        "path": row.path,
        "bytes": len(text.encode()),
        "next": "Others can see the draft. Call save without text to make it a version.",
    }


class Save(Arguments, frozen=True):
    path: Path
    text: Annotated[Text, Meta(description="The whole new text.")] | None = None
    edits: Edits = None
    base64: Annotated[Text, Meta(description="The whole new content, for what is no text.")] | None = None
    note: Note = ""
    keep_lock: Annotated[bool, Meta(description="Keep the lock to go on; by default it is released.")] = False
    exact: Annotated[
        bool, Meta(description="Keep the line ends of `text`; by default they become those of the artifact.")
    ] = False


async def save(session: Session, asked: Save) -> Result:
    row = await session.known(asked.path)
    async with session.holds.turn(row.id):
        hold = _held(session, row)
        data = await _content(session, hold, asked)
        try:
            session.holds.need(row)
            made = await session.folder.save(
                session.space,
                row,
                fence=hold.fence,
                base=hold.base,
                data=data,
                note=asked.note,
                then="keep" if asked.keep_lock else "release",
            )
        except (Fenced, Conflict) as refused:
            raise await _kept(session, hold, data, refused) from refused
        await session.holds.saved(hold, made)
    return {
        "path": row.path,
        "version": made.version,
        "bytes": len(data),
        "lock": "kept" if asked.keep_lock else "released",
    }


async def _content(session: Session, hold: Hold, asked: Save) -> bytes:
    given = [each for each in (asked.text, asked.edits, asked.base64) if each is not None]
    if len(given) > 1:
        raise BadInput(
            "text, edits and base64 exclude each other", hint="Send one, or none to save the draft."
        )
    if asked.base64 is not None:
        return decoded(asked.base64)
    if not given and hold.draft is None:
        raise BadInput(
            f"there is nothing to save: no draft of {hold.artifact.path} was written under this lock",
            hint="Send text or edits with save, or call draft first; call release to give the lock back.",
        )
    if asked.exact and asked.text is not None:
        return asked.text.encode()
    return (await _text(session, hold, asked.text, asked.edits)).encode()


async def _text(
    session: Session, hold: Hold, text: str | None, edits: list[Edit] | None, *, append: bool = False
) -> str:
    """The new text that is asked for; without `text` and `edits` the draft."""
    if text is not None and edits is not None:
        raise BadInput("text and edits exclude each other", hint="Send one of them.")
    check_unicode(text or "", *(part for each in edits or [] for part in (each.old, each.new)))
    base = hold.draft
    if base is None:
        data = await session.space.read(Content(hold.artifact.id, hold.base))
        if is_text(data):
            base = data.decode()
        elif text is None or append:
            raise BadInput(
                f"{hold.artifact.path} is no text", hint="Send the whole content to save, as text or base64."
            )
        else:
            return text
    if edits is not None:
        return edited(base, edits, hold.artifact.path)
    if text is None:
        return base
    if append:
        return base + written_like(text, base.removeprefix("\ufeff"))
    return written_like(text, base)


def edited(text: str, edits: list[Edit], path: str) -> str:
    """The text after replacements.

    Raises:
        BadInput: Something is not there, or more than once; nothing was changed.
    """
    for at, edit in enumerate(edits, 1):
        old, new = edit.old, edit.new
        if old not in text and "\r\n" in text:
            old, new = (each.replace("\r\n", "\n").replace("\n", "\r\n") for each in (old, new))
        times = text.count(old)
        if times == 0:
            raise BadInput(
                f"edit {at}: its `old` is not in {path}",
                hint="Call read_artifact, and copy the place exactly, with its white space. Nothing was changed.",
                edit=at,
            )
        if times > 1 and not edit.all:
            raise BadInput(
                f"edit {at}: its `old` is in {path} {times} times",
                hint="Add lines around it until it is unique, or set all. Nothing was changed.",
                edit=at,
                times=times,
            )
        text = text.replace(old, new)
    return text


def decoded(text: str) -> bytes:
    """Bytes of a base64 argument."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(
            f"base64 is malformed: {error}", hint="Send standard base64 without line breaks."
        ) from None


def check_unicode(*texts: str) -> None:
    """Raise BadInput for lone surrogates."""
    try:
        for each in texts:
            each.encode()
    except UnicodeEncodeError:
        raise BadInput("the text is not valid Unicode", hint="Send UTF-8 without lone surrogates.") from None


def _held(session: Session, row: rows.Artifact) -> Hold:
    """The lock, also when it was lost meanwhile: then the text is still worked out, and kept."""
    return session.holds.get(row.id) or session.holds.need(row)


async def _kept(session: Session, hold: Hold, data: bytes, refused: FlowError) -> FlowError:
    """The refusal of a save, after the text was put where it is not lost."""
    if "conflict" in refused.data:
        return refused
    space, row = session.space, hold.artifact
    if isinstance(refused, Fenced):
        await session.holds.forget(hold)
    where: dict[str, str] = {}
    try:
        text = data.decode()
    except UnicodeDecodeError:
        where["kept"] = session.folder.keep_beside(row.path.rpartition("/")[2], data)
    else:
        content = {"text": text} if len(data) <= MAX_INLINE else {"blob": await space.put_blob(data)}
        kept = KeepDraft(artifact=row.id, base=hold.base, why="could not be saved", **content)
        where["draft"] = (await space.execute(kept)).ok.draft
    return type(refused)(refused.message, hint=refused.hint, **refused.data | where)


class Release(Arguments, frozen=True):
    path: Path
    draft: Annotated[
        Literal["keep", "drop"], Meta(description="Whether what you wrote and did not save is kept.")
    ] = "keep"


async def release(session: Session, asked: Release) -> Result:
    row = await session.known(asked.path)
    async with session.holds.turn(row.id):
        hold = session.holds.need(row)
        wrote = bool(hold.draft)
        await session.holds.give_back(hold, draft=asked.draft)
    told: Result = {"path": row.path, "lock": "released"}
    if wrote and asked.draft == "keep":
        kept = [each for each in await session.space.read(Drafts(row.id)) if each.fence == hold.fence]
        told["drafts"] = [each.id for each in kept]
    return told


TOOLS: list[Tool[Any]] = [
    Tool(
        "lock",
        "Take the lock of an artifact before you change it. The cycle is: lock, read_artifact, draft or save (save"
        " gives the lock back), or release. One actor at a time edits an artifact, people and agents alike; when"
        " somebody else holds the lock you are told who, and can queue with wait_s. Hold few locks, and not long.",
        LockIt,
        lock,
        again=True,
    ),
    Tool(
        "list_locks",
        "List who holds which lock, for what, and how many wait.",
        ListLocks,
        list_locks,
        reads=True,
    ),
    Tool(
        "draft",
        "Write under a lock you hold, without making a version yet: others see it live, and it survives you. Give"
        " the whole text, or more of it (mode append), or exact replacements (edits). save makes it a version.",
        Draft,
        draft,
    ),
    Tool(
        "save",
        "Make the next version under a lock you hold: of a whole text, of exact replacements (edits), or of the"
        " draft you wrote. The file is written, and the lock released unless keep_lock. A text that is refused is"
        " kept as a draft of yours.",
        Save,
        save,
    ),
    Tool(
        "release",
        "Give a lock back without saving. What you wrote is kept as a draft unless draft is drop.",
        Release,
        release,
        again=True,
    ),
]
