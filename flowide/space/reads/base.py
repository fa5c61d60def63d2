"""What the answers have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.errors import NotFound
from flowide.space.queries import Query

R = TypeVar("R", bound=rows.Row)

Answers = dict[type[Query[Any]], Callable[[View, Any, Now], Any]]
"""How each query is answered, from one consistent view."""


def blob_of(view: View, sha256: str, what: str) -> bytes:
    """The bytes of a content; `what` says whose, for the refusal."""
    data = view.blob(sha256)
    if data is None:
        raise NotFound(f"the content of {what} is missing", hint="Run `flowide verify`.", sha256=sha256)
    return data


def by_start(ref: str, newest_first: Sequence[R], what: str, command: str) -> R:
    """The row whose id starts with `ref`, or the newest for `last`."""
    if ref == "last" and newest_first:
        return newest_first[0]
    found = [row for row in newest_first if getattr(row, "id", "").startswith(ref)] if ref else []
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{len(found)} {what}s start with {ref[:100]}", hint="Give more of the id.")
    raise NotFound(f"there is no {what} {ref[:100]}", hint=f"List them with `{command}`.")
