"""The snapshot of a space: JSON lines with the whole log and the tables that follow from it.

{"v":1,"hub":…,"seq":…,"chain":…}             where it stands
{"chain":"<64 hex>","body":{…}}               each event, in order; `body` is its canonical JSON without `chain`
{"table":"locks","columns":[…],"rows":[[…]]}  a page of one table
{"end":true}                                  nothing is missing
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from flowide.domain.rows import PROJECTIONS
from flowide.store.api import Store

MEDIA_TYPE = "application/jsonl"
PAGE = 1000
_BODY_AT = len('{"chain":"') + 64 + len('","body":')
_END = b'{"end":true}\n'


class Head(Struct, frozen=True):
    """The first line."""

    v: int
    hub: str
    """As in the stream's `hello`."""
    seq: int
    chain: str


class Page(Struct, frozen=True):
    """Some rows of one table."""

    table: str
    columns: list[str]
    rows: list[list[Any]]


def lines(store: Store, hub: str) -> Iterator[bytes]:
    """The lines of a snapshot, in pieces of some hundred kilobytes.

    `store` is one of its own (`Store.aside`): the view stays open until the last piece was taken.
    """
    encode = msgspec.json.encode
    with store.read():
        at = store.position()
        yield encode(Head(1, hub, at.seq, at.chain)) + b"\n"
        seq = 0
        while page := store.bodies(seq, PAGE):
            yield b"".join(
                [b'{"chain":"%s","body":%s}\n' % (chain.encode(), body) for _, chain, body in page]
            )
            seq = page[-1][0]
        for kind in PROJECTIONS:
            columns = list(kind.__struct_fields__)
            rows: list[list[Any]] = []
            for row in store.rows(kind):
                rows.append(list(astuple(row)))
                if len(rows) == PAGE:
                    yield encode(Page(kind.TABLE, columns, rows)) + b"\n"
                    rows = []
            if rows:
                yield encode(Page(kind.TABLE, columns, rows)) + b"\n"
    yield _END


def event_of(line: bytes) -> tuple[str, bytes] | None:
    """Chain value and canonical body of an event's line; None for another line."""
    if not line.startswith(b'{"chain":"'):
        return None
    return line[10:74].decode(), line[_BODY_AT:-1]


def is_end(line: bytes) -> bool:
    """Whether this is the line after which nothing is missing."""
    return line == _END.rstrip()
