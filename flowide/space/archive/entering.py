"""Taking a space in. Nothing in an export is believed: every line is checked, and one bad line changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from msgspec.structs import astuple

from flowide.domain import facts as f
from flowide.domain.commands import MAX_BLOB
from flowide.domain.events import GENESIS, Event, canonical_json, chain_after, plain_json
from flowide.domain.limits import MAX_NAME
from flowide.domain.live_text import stream_of
from flowide.domain.paths import checked_path
from flowide.domain.rows import PROJECTIONS, Artifact, Chunk, Invite, LiveDraft, Lock, Member, Token
from flowide.errors import BadInput, Exists, FlowError
from flowide.space.archive.answers import leave_word
from flowide.space.archive.layout import (
    EVENTS,
    FORMAT,
    LIVE,
    MANIFEST,
    MAX_LINE,
    REPLIES,
    SHA256,
    Folder,
    Moved,
    blob_file,
)
from flowide.store.api import Store, StoredReply, Tx
from flowide.store.projections import BrokenLog, project

PAGE = 1000
_WHOLE = 2**63
_FIELDS = set(Event.__struct_fields__)
_OF_MEMBERS = (Member, Token, Invite)


class _Manifest(msgspec.Struct, frozen=True):
    format: int
    head: int
    chain: str
    blobs: int


def import_from(store: Store, folder: Path) -> Moved:
    """Fill an empty space from an export, all of it or nothing.

    A space that has members and nothing else, as a new one on a hub, is filled too: the events of the export then
    follow those that are there, each with the `seq` and chain value of its new place and all else as it was.

    Raises:
        Exists: Something has happened in the space already.
        BadInput: The export is damaged or hostile; the message names file and line.
    """
    try:
        with Folder(folder) as root:
            manifest = _manifest(root)
            with store.write() as tx:
                if any(tx.count(kind) for kind in PROJECTIONS if kind not in _OF_MEMBERS):
                    raise Exists(
                        "this space has events already", hint="Import into a new, empty project folder."
                    )
                return _read(tx, root, manifest)
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be read: {error.strerror or error}", hint="Name the folder of an export."
        ) from error


def _read(tx: Tx, root: Folder, manifest: _Manifest) -> Moved:
    blobs: set[str] = set()
    before = tx.position().seq
    source = _Source()
    for number, line in _lines(root, EVENTS):
        _take_event(tx, source, _Place(root, EVENTS, number), line, blobs, moved=before > 0)
        if number % PAGE == 0:
            tx.forget()
    if (source.seq, source.chain) != (manifest.head, manifest.chain):
        raise BadInput(
            f"{root.path / EVENTS} ends at event {source.seq}, and {MANIFEST} says {manifest.head} "
            "with another chain",
            hint="The export is not whole; export again.",
        )
    at = tx.position()
    _take_blobs(tx, root, blobs)
    answered: set[str] = set()
    for number, line in _lines(root, REPLIES):
        answered.add(_take_reply(tx, _Place(root, REPLIES, number), line, by=before))
    leave_word(tx, (line for _, line in _lines(root, EVENTS)), source.newest, answered)
    for number, line in _lines(root, LIVE):
        _take_live(tx, _Place(root, LIVE, number), line)
    _check_live(tx, root)
    return Moved(at.seq - before, len(blobs), tx.count(Artifact, deleted=False))


class _Source:
    """Where the log of the export stands."""

    def __init__(self) -> None:
        self.seq = 0
        self.chain = GENESIS
        self.newest = ""
        """Time of the newest event, RFC 3339 UTC."""


class _Place:
    """A line of an export, for messages."""

    def __init__(self, root: Folder, name: str, number: int) -> None:
        self.file = root.path / name
        self.number = number

    def bad(self, what: str, error: Exception | None = None) -> NoReturn:
        raise BadInput(
            f"{self.file}:{self.number}: {what}",
            hint="Nothing was imported. Export again, or look at this line.",
            file=str(self.file),
            line=self.number,
        ) from error


def _manifest(root: Folder) -> _Manifest:
    with root.reading(MANIFEST) as file:
        data = file.read(MAX_LINE)
    try:
        manifest = msgspec.json.decode(data, type=_Manifest)
    except msgspec.DecodeError as error:
        _Place(root, MANIFEST, 1).bad(f"is no manifest of an export: {error}", error)
    if manifest.format != FORMAT:
        _Place(root, MANIFEST, 1).bad(f"format {manifest.format} is not known, only {FORMAT}")
    return manifest


def _lines(root: Folder, name: str) -> Iterator[tuple[int, bytes]]:
    with root.reading(name) as file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            if not line.endswith(b"\n"):
                what = "is too long" if len(line) == MAX_LINE else "does not end: the file was cut"
                _Place(root, name, number).bad(what)
            yield number, line[:-1]


def _object(place: _Place, line: bytes, fields: set[str]) -> dict[str, Any]:
    try:
        found = json.loads(line)
        canonical = plain_json(found) == line or canonical_json(found) == line
    except (ValueError, RecursionError) as error:
        place.bad(f"is no JSON: {error}", error)
    if not isinstance(found, dict) or set(found) != fields:
        place.bad(f"needs exactly the fields {', '.join(sorted(fields))}")
    if not canonical:
        place.bad("is not canonical: keys are sorted, without spaces and doubles")
    return found


# --- events -----------------------------------------------------------------------------------------


def _take_event(tx: Tx, source: _Source, place: _Place, line: bytes, blobs: set[str], *, moved: bool) -> None:
    fields = _object(place, line, _FIELDS)
    chain = fields.pop("chain")
    # The line is canonical, so this is the one place where its own key can be.
    body = line.replace(f'"chain":"{chain}",'.encode(), b"", 1)
    if fields["seq"] != source.seq + 1:
        place.bad(f"event {fields['seq']} follows event {source.seq}")
    if chain != chain_after(source.chain, body):
        place.bad(f"event {fields['seq']} does not fit the chain: it was changed")
    source.seq, source.chain = fields["seq"], chain
    try:
        if moved:
            at = tx.position()
            fields["seq"] = at.seq + 1
            body = canonical_json(fields)
            chain = chain_after(at.chain, body)
        event = msgspec.convert({**fields, "chain": chain}, Event)
        source.newest = max(source.newest, event.ts)
        fact = event.fact()
        _check_event(event, fact)
        _check_order(tx, fact)
        tx.append(event, body)
        changes = project(tx, event, fact)
        tx.drop(changes.drop)
        tx.put(changes.put)
    except (msgspec.ValidationError, BrokenLog, KeyError, TypeError, ValueError, OverflowError) as error:
        place.bad(f"event {fields['seq']} cannot be: {error}", error)
    except FlowError as error:
        place.bad(f"event {fields['seq']} cannot be: {error.message}", error)
    for row in changes.put:
        if any(type(value) is int and abs(value) >= _WHOLE for value in astuple(row)):
            place.bad(f"event {fields['seq']} holds too large a number")
        for name in ("sha256", "base_sha256", "manifest"):
            digest = getattr(row, name, None)
            if digest is not None:
                if not SHA256.match(digest):
                    place.bad(f"event {fields['seq']} names {digest[:80]!r} as a content")
                blobs.add(digest)


def _check_event(event: Event, fact: f.Fact | None) -> None:
    """What the rules would have refused, and what would harm whoever reads it."""
    if event.v != 1:
        raise BadInput(f"version {event.v} of the envelope is not known")
    for name, value in (("actor", event.actor["id"]), ("client", event.client), ("cmd", event.cmd)):
        if not isinstance(value, str) or len(value) > MAX_NAME:
            raise BadInput(f"its {name} is no text, or too long")
    if event.actor["kind"] not in {"human", "agent", "system"}:
        raise BadInput(f"an actor is no {event.actor['kind']!r}")
    path = getattr(fact, "path", None)
    if path is not None and checked_path(path) != path:
        raise BadInput(f"the path {path[:200]!r} is not in its normal form")


def _check_order(tx: Tx, fact: f.Fact | None) -> None:
    """Versions are dense and fences grow, whatever else an export says."""
    if isinstance(fact, f.Saved):
        row = tx.get(Artifact, fact.artifact)
        have = 0 if row is None else row.version
        if fact.version != have + 1:
            raise BadInput(f"version {fact.version} follows version {have}")
    fence = fact.fence if isinstance(fact, f.LockAcquired) else getattr(fact, "new_fence", None)
    if isinstance(fact, f.LockAcquired | f.LockTransferred | f.LockForced) and fence is not None:
        lock = tx.get(Lock, fact.artifact) or Lock(fact.artifact)
        if fence != lock.fence + 1:
            raise BadInput(f"fence {fence} follows fence {lock.fence}")


# --- contents, replies, live text -------------------------------------------------------------------


def _take_blobs(tx: Tx, root: Folder, named: set[str]) -> None:
    """All contents that events name, and those that nobody names yet."""
    present = set(root.names("blobs"))
    for name in sorted(named | present):
        if not SHA256.match(name):
            raise BadInput(f"{root.path / 'blobs'} holds {name[:80]!r}, which names no content")
        with root.reading(blob_file(name)) as file:
            data = file.read(MAX_BLOB + 1)
        if len(data) > MAX_BLOB or sha256(data).hexdigest() != name:
            raise BadInput(
                f"{root.path / blob_file(name)} holds other bytes than its name says",
                hint="Nothing was imported. The export is damaged; export again.",
            )
        tx.put_blob(name, data)
    named |= present


def _take_reply(tx: Tx, place: _Place, line: bytes, *, by: int) -> str:
    """A stored reply, whose `seq` moves `by` so many events; the id of its command."""
    entry = _object(place, line, {"id", "body", "reply", "wall_ms"})
    try:
        said = json.loads(entry["reply"])
        if by:
            said["seq"] += by
            told = said.get("err", {}).get("data", {})
            if "seq" in told:
                told["seq"] += by
            entry["reply"] = canonical_json(said).decode()
        fits = said["seq"] <= tx.position().seq and ("ok" in said) != ("err" in said)
    except (ValueError, TypeError, KeyError):
        fits = False
    if not fits or not SHA256.match(str(entry["body"])) or not isinstance(entry["wall_ms"], int):
        place.bad("is no stored reply")
    id = entry["id"]
    if not isinstance(id, str) or not 0 < len(id) <= MAX_NAME or tx.reply(id) is not None:
        place.bad("has an id that is empty, too long, or there twice")
    tx.put_reply(id, StoredReply(entry["body"], entry["reply"].encode()), entry["wall_ms"])
    return id


def _take_live(tx: Tx, place: _Place, line: bytes) -> None:
    kind: type[LiveDraft | Chunk] = LiveDraft if line.startswith(b'{"live"') else Chunk
    entry = _object(place, line, {"live" if kind is LiveDraft else "chunk"})
    try:
        tx.put([msgspec.convert(next(iter(entry.values())), kind)])
    except (msgspec.ValidationError, OverflowError) as error:
        place.bad(f"is no live text: {error}", error)


def _check_live(tx: Tx, root: Folder) -> None:
    """Live texts belong to the newest fence of a lock, and are whole."""
    for live in tx.find(LiveDraft):
        lock = tx.get(Lock, live.artifact)
        chunks = tx.find(Chunk, stream=stream_of(live.artifact, live.fence), order="off")
        size = 0
        for chunk in chunks:
            size = size + len(chunk.text.encode()) if chunk.off == size else -1
        if lock is None or lock.state == "free" or lock.fence != live.fence or size != live.size:
            raise BadInput(
                f"{root.path / LIVE}: the live text of {live.artifact[:100]} is not whole, or of no lock",
                hint="Nothing was imported. Export again.",
            )
