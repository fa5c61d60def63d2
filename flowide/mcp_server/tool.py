"""What a tool is: a name, arguments that are checked, words that teach, and a function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from flowide.errors import BadInput

if TYPE_CHECKING:
    from flowide.mcp_server.session import Session

Result = dict[str, Any]

MAX_WAIT_S = 50
"""Seconds a call may wait at most: clients give up on a call after a minute."""
MAX_TEXT = 16 * 1024 * 1024


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a tool, by name."""


A = TypeVar("A", bound=Arguments)

Path = Annotated[
    str,
    Meta(
        description="Path of the artifact relative to the project, its id, or its flowide:// address.",
        min_length=1,
        max_length=4096,
    ),
]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Note = Annotated[str, Meta(description="What the version is about; everybody sees it.", max_length=4000)]
Wait = Annotated[
    int,
    Meta(description="Seconds to queue for the lock when somebody else holds it.", ge=0, le=MAX_WAIT_S),
]
Version = Annotated[int, Meta(ge=1, le=2**53)]


class Tool(Generic[A]):
    """One tool; `run` gets the session and its arguments, and answers with JSON or raises a FlowError."""

    def __init__(
        self,
        name: str,
        about: str,
        arguments: type[A],
        run: Callable[[Session, A], Awaitable[Result]],
        *,
        reads: bool = False,
        again: bool = False,
    ) -> None:
        """`reads`: it changes nothing. `again`: calling it twice with the same arguments is as calling it once."""
        self.name = name
        self.about = about
        self.arguments = arguments
        self.run = run
        self.reads = reads
        self.again = again or reads

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, an object at its root."""
        return _schema(self.arguments)

    async def call(self, session: Session, given: dict[str, Any]) -> Result:
        """Check the arguments and carry it out.

        Raises:
            BadInput: The arguments are wrong; nothing was done.
        """
        # Some models send null for what they leave out.
        given = {name: value for name, value in given.items() if value is not None}
        try:
            arguments = msgspec.convert(given, self.arguments)
        except msgspec.ValidationError as error:
            takes = ", ".join(f"{name}{'' if must else '?'}" for name, must in self.takes().items())
            raise BadInput(
                f"the arguments of {self.name} are wrong: {error}",
                hint=f"{self.name} takes: {takes or 'nothing'}. Correct the call and send it again.",
                tool=self.name,
            ) from None
        return await self.run(session, arguments)

    def takes(self) -> dict[str, bool]:
        """Names of the arguments, and whether each must be given."""
        return {each.name: each.required for each in msgspec.structs.fields(self.arguments)}


@cache
def _schema(arguments: type[Arguments]) -> dict[str, Any]:
    whole = msgspec.json.schema(arguments)
    parts: dict[str, Any] = whole["$defs"]
    root: dict[str, Any] = parts.pop(arguments.__name__)
    root.pop("title", None)
    root.pop("description", None)
    plain: dict[str, Any] = _plain(root, parts)
    return plain


def _plain(schema: Any, parts: dict[str, Any]) -> Any:
    """The schema as every client takes it: without references, and without null for what can be left out."""
    if isinstance(schema, list):
        return [_plain(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**parts[schema["$ref"].rpartition("/")[2]], **schema}
        del schema["$ref"]
    if schema.get("default", ...) is None and "anyOf" in schema:
        others = [each for each in schema["anyOf"] if each != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        schema = {**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}
    return {key: _plain(value, parts) for key, value in schema.items()}
