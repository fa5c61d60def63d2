"""Answers that did not come along: a client's export of a hub's space has none, for only the hub keeps them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Container, Iterable
from datetime import datetime

from flowide.domain.events import canonical_json
from flowide.errors import Gone
from flowide.space.arbiter import UNKNOWN
from flowide.store.api import StoredReply, Tx
from flowide.store.audit import DUE, kept_since

_SAID = Gone(
    "this command was carried out before the space was moved, and its answer did not come along",
    hint="Look at what is there now, and send what is still wanted as a new command.",
)


def leave_word(tx: Tx, events: Iterable[bytes], newest: str, answered: Container[str]) -> None:
    """Have recent commands, when they are sent once more, answered with that they were carried out.

    `events` are lines of the log, `newest` is the time of the last one, `answered` are ids of commands whose answers
    came along. Answers older than they are kept for, events that come of no command that stores one, and those with
    a time that is none are left alone, as the audit leaves them.
    """
    at = tx.position().seq
    answer = canonical_json({"seq": at, "err": {**_SAID.to_dict(), "data": {"seq": at}}})
    with contextlib.suppress(ValueError, OverflowError):
        since = kept_since(newest)
        for line in events:
            event = json.loads(line)
            of_ticket = event["type"] == "lock.acquired" and event["data"].get("ticket") is not None
            if event["ts"] <= since or event["type"] in DUE or of_ticket or event["cmd"] in answered:
                continue
            wall_ms = round(datetime.fromisoformat(event["ts"]).timestamp() * 1000)
            if tx.reply(event["cmd"]) is None:
                tx.put_reply(event["cmd"], StoredReply(UNKNOWN, answer), wall_ms)
