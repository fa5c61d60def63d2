"""What a rule may look at, and what it answers."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from msgspec import Struct

from flowide.domain.facts import Fact
from flowide.domain.rows import Row

R = TypeVar("R", bound=Row)


class View(Protocol):
    """Read-only state at one `seq`. Loads only the rows that are asked for."""

    def get(self, row: type[R], *key: Any) -> R | None:
        """The row with this primary key, or None."""
        ...

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        """Rows whose fields equal the given values. `order` is a field name, `-field` for descending."""
        ...

    def count(self, row: type[R], **equal: Any) -> int:
        """How many rows `find` would give."""
        ...

    def blob(self, sha256: str) -> bytes | None:
        """Bytes of a stored blob, or None."""
        ...

    def blob_size(self, sha256: str) -> int | None:
        """Bytes of a stored blob, or None."""
        ...


class Decision(Struct, frozen=True):
    """What a legal command does: facts for the log, rows without events, new blobs, and the answer."""

    ok: Struct
    """The result, as the sender gets it."""
    facts: list[Fact] = []
    put: list[Row] = []
    """Rows of `TRANSIENT` tables to store."""
    drop: list[Row] = []
    """Rows of `TRANSIENT` tables to remove (only their key counts)."""
    blobs: dict[str, bytes] = {}
    """Contents to store, by their SHA-256."""
