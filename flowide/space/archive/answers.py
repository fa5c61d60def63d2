"""Answers that did not come along: a client's export of a hub's space has none, for only the hub keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import msgspec

from flowide.domain.events import canonical_json
from flowide.errors import Gone
from flowide.space.arbiter import UNKNOWN
from flowide.store.api import StoredReply, Tx
from flowide.store.audit import DUE, kept_since

_SAID = Gone(
    "this command was carried out before the space was moved, and its answer did not come along",
    hint="Look at what is there now, and send what is still wanted as a new command.",
)


def leave_word(tx: Tx, events: Iterable[bytes], newest: str) -> None:
    """Have recent commands, when they are sent once more, answered with that they were carried out.

    `events` are lines of the log, `newest` is the time of the last one. Answers older than they are kept for, and
    events that come of no command that stores one, are left alone, as the audit leaves them.
    """
    since = kept_since(newest)
    at = tx.position().seq
    answer = canonical_json({"seq": at, "err": {**_SAID.to_dict(), "data": {"seq": at}}})
    for line in events:
        event = _events.decode(line)
        if event.ts <= since or event.type in DUE or tx.reply(event.cmd) is not None:
            continue
        if event.type == "lock.acquired" and json.loads(line)["data"].get("ticket") is not None:
            continue
        wall_ms = round(datetime.fromisoformat(event.ts).timestamp() * 1000)
        tx.put_reply(event.cmd, StoredReply(UNKNOWN, answer), wall_ms)


class _Event(msgspec.Struct):
    ts: str
    type: str
    cmd: str


_events = msgspec.json.Decoder(_Event)
