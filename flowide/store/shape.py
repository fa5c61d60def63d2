"""What the row tables of this version look like, in a few hex digits."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row


@cache
def shape() -> str:
    """Changes with every table, column, type, key and index of the row classes; cheap enough for each start."""
    return sha256(repr([_described(row) for row in (*PROJECTIONS, *TRANSIENT)]).encode()).hexdigest()[:16]


def _described(row: type[Row]) -> tuple[object, ...]:
    columns = [(name, str(row.__annotations__[name])) for name in row.__struct_fields__]
    return row.TABLE, columns, row.KEY, row.INDEXES
