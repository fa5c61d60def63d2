"""The audit: does the log still say what it said, and do blobs and projections agree with it?"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from flowide.domain.events import GENESIS, Event, chain_after
from flowide.domain.live_text import stream_of
from flowide.domain.rows import PROJECTIONS, Chunk, Lease, LiveDraft, Lock, Row, Run, Ticket
from flowide.domain.view import View
from flowide.errors import FlowError, StorageFailed
from flowide.space.queries import Problem
from flowide.store.api import Store
from flowide.store.memory import MemoryStore, key_of
from flowide.store.projections import BrokenLog, project

PAGE = 1000


def problems(view: View, store: Store) -> list[Problem]:
    """What is wrong, the first broken event first; projections and blobs only when the log is whole."""
    fresh = MemoryStore()
    broken = _check_log(store, fresh)
    found = [] if broken is None else [broken]
    found += [Problem(None, line, "file") for line in store.damage()]
    if broken is not None:
        return found
    for check in (_check_blobs(view, store), _check_rows(store, fresh), _check_live(view)):
        try:
            found += check
        except (FlowError, ValueError, TypeError, AttributeError) as error:  # NULL where a text belongs, say
            found.append(Problem(None, f"what is stored cannot be read: {error}", "file"))
    return found


class _Wrong(Exception):
    """The log is broken; from there on nothing follows from it."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.problem = Problem(seq, what, "log")


def _check_log(store: Store, fresh: MemoryStore) -> Problem | None:
    """Recompute the chain and fold the events into `fresh`."""
    seq, chain = 0, GENESIS
    try:
        for at, stored_chain, body in _bodies(store):
            if at != seq + 1:
                raise _Wrong(seq + 1, f"event {seq + 1} is missing")
            if chain_after(chain, body) != stored_chain:
                raise _Wrong(at, f"event {at} does not fit the chain: it or its chain value was changed")
            _fold(fresh, at, stored_chain, body)
            seq, chain = at, stored_chain
    except _Wrong as wrong:
        return wrong.problem
    try:
        head = store.position()
    except (StorageFailed, ValueError) as error:
        return Problem(seq + 1, f"the counter of the log cannot be read: {error}", "log")
    if (head.seq, head.chain) != (seq, chain):
        return Problem(seq + 1, f"the log ends at {seq}, its counter says {head.seq}", "log")
    return None


def _bodies(store: Store) -> Iterator[tuple[int, str, bytes]]:
    """All of the log; where a page of it cannot be read, one by one up to the first bad event."""
    seq, size = 0, PAGE
    while True:
        try:
            page = store.bodies(seq, size)
        except StorageFailed as error:
            if size == 1:
                raise _Wrong(seq + 1, f"event {seq + 1} cannot be read: {error.message}") from error
            size = 1
            continue
        if not page:
            return
        yield from page
        seq = page[-1][0]


def _fold(fresh: MemoryStore, seq: int, chain: str, body: bytes) -> None:
    try:
        event = Event(chain=chain, **msgspec.json.decode(body))
        with fresh.write() as tx:
            changes = project(tx, event)
            tx.drop(changes.drop)
            tx.put(changes.put)
    except (ValueError, TypeError, BrokenLog) as error:
        raise _Wrong(seq, f"event {seq} cannot be read: {error}") from error
    if event.seq != seq:
        raise _Wrong(seq, f"event {seq} calls itself {event.seq}")


def _check_blobs(view: View, store: Store) -> Iterator[Problem]:
    for name in store.blob_names():
        try:
            data = store.blob(name)
        except FlowError as error:
            yield Problem(None, f"blob {name}: {error.message}", "content")
            continue
        if data is None or sha256(data).hexdigest() != name or view.blob_size(name) != len(data):
            yield Problem(None, f"blob {name} holds other bytes than its name and size say", "content")


def _check_live(view: View) -> Iterator[Problem]:
    """Leases and live texts have no events; they have to belong to something, and to be whole."""
    streams: dict[str, int] = {}
    for chunk in view.find(Chunk, order="off"):
        if chunk.off != streams.get(chunk.stream, 0):
            yield Problem(None, f"live text {chunk.stream} has a gap before byte {chunk.off}", "live")
        streams[chunk.stream] = chunk.off + len(chunk.text.encode())
    for live in view.find(LiveDraft):
        lock = view.get(Lock, live.artifact)
        if lock is None or lock.state == "free" or lock.fence != live.fence:
            yield Problem(
                None, f"a live draft of {live.artifact} has the fence {live.fence} of no lock", "live"
            )
        if streams.pop(stream_of(live.artifact, live.fence), 0) != live.size:
            yield Problem(None, f"the live draft of {live.artifact} is not as long as it says", "live")
    for stream in streams:
        if stream.startswith("draft:"):
            yield Problem(None, f"live text {stream} belongs to no draft", "live")
    for lease in view.find(Lease):
        kind, _, id = lease.key.partition(":")
        leased: Lock | Run | None = view.get(Lock, id) if kind == "lock" else view.get(Run, id)
        fits = leased is not None and leased.fence == lease.fence
        if not (fits or (kind == "ticket" and lease.fence == 0 and view.get(Ticket, id) is not None)):
            yield Problem(None, f"the lease {lease.key} with fence {lease.fence} belongs to nothing", "live")


def _check_rows(store: Store, fresh: MemoryStore) -> Iterator[Problem]:
    contents = set(store.blob_names())
    for kind in PROJECTIONS:
        want = fresh.take(kind)
        try:
            for row in store.rows(kind):
                expected = want.pop(key_of(row), None)
                if expected != row:
                    yield _astray(row if expected is None else expected)
                yield from _missing_content(contents, row)
        except (ValueError, TypeError) as error:
            yield Problem(None, f"table {kind.TABLE} holds what cannot be read: {error}", "table")
            continue
        for row in want.values():
            yield _astray(row)


def _astray(row: Row) -> Problem:
    what = f"table {row.TABLE}, row {key_of(row)} does not follow from the log"
    return Problem(getattr(row, "seq", None), what, "table")


def _missing_content(contents: set[str], row: Row) -> Iterator[Problem]:
    digest = getattr(row, "sha256", None)
    if digest is not None and digest not in contents:
        yield Problem(getattr(row, "seq", None), f"blob {digest} of {row.TABLE} is missing", "content")
