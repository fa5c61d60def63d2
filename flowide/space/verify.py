"""The audit: does the log still say what it said, and do blobs and projections agree with it?"""

from __future__ import annotations

import json
from hashlib import sha256

from flowide.domain.events import GENESIS, Event, chain_after
from flowide.domain.rows import PROJECTIONS
from flowide.domain.view import View
from flowide.errors import FlowError
from flowide.space.queries import Problem
from flowide.store.api import Store
from flowide.store.memory import MemoryStore, key_of
from flowide.store.projections import BrokenLog, project

PAGE = 1000


def problems(view: View, store: Store) -> list[Problem]:
    """What is wrong, the first broken event first; projections and blobs only when the log is whole."""
    fresh = MemoryStore()
    broken = _check_log(store, fresh)
    if broken is not None:
        return [broken]
    return [*_check_blobs(store), *_check_rows(view, fresh)]


def _check_log(store: Store, fresh: MemoryStore) -> Problem | None:
    """Recompute the chain and fold the events into `fresh`."""
    seq, chain = 0, GENESIS
    while True:
        page = store.bodies(seq, PAGE)
        if not page:
            break
        for at, stored_chain, body in page:
            if at != seq + 1:
                return Problem(seq + 1, f"event {seq + 1} is missing")
            if chain_after(chain, body) != stored_chain:
                return Problem(at, f"event {at} does not fit the chain: it or its chain value was changed")
            problem = _fold(fresh, at, stored_chain, body)
            if problem is not None:
                return problem
            seq, chain = at, stored_chain
    head = store.position()
    if (head.seq, head.chain) != (seq, chain):
        return Problem(seq + 1, f"the log ends at {seq}, its counter says {head.seq}")
    return None


def _fold(fresh: MemoryStore, seq: int, chain: str, body: bytes) -> Problem | None:
    try:
        event = Event(chain=chain, **json.loads(body))
        with fresh.write() as tx:
            changes = project(tx, event)
            tx.drop(changes.drop)
            tx.put(changes.put)
    except (ValueError, TypeError, BrokenLog) as error:
        return Problem(seq, f"event {seq} cannot be read: {error}")
    return None if event.seq == seq else Problem(seq, f"event {seq} calls itself {event.seq}")


def _check_blobs(store: Store) -> list[Problem]:
    found = []
    for name in store.blob_names():
        try:
            data = store.blob(name)
        except FlowError as error:
            found.append(Problem(None, f"blob {name}: {error.message}"))
            continue
        if data is None or sha256(data).hexdigest() != name:
            found.append(Problem(None, f"blob {name} holds other bytes than its name says"))
    return found


def _check_rows(view: View, fresh: MemoryStore) -> list[Problem]:
    found = []
    with fresh.read() as expected:
        for kind in PROJECTIONS:
            have = {key_of(row): row for row in view.find(kind)}
            want = {key_of(row): row for row in expected.find(kind)}
            for key in sorted(have.keys() | want.keys(), key=str):
                if have.get(key) != want.get(key):
                    seq = getattr(want.get(key) or have.get(key), "seq", None)
                    found.append(Problem(seq, f"table {kind.TABLE}, row {key} does not follow from the log"))
            for row in want.values():
                digest = getattr(row, "sha256", None)
                if digest is not None and view.blob_size(digest) is None:
                    found.append(
                        Problem(getattr(row, "seq", None), f"blob {digest} of {kind.TABLE} is missing")
                    )
    return found
