"""Commands, questions and their answers as JSON."""

from __future__ import annotations

from math import isfinite
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from flowide.domain.commands import COMMANDS, Batch, Command, Results
from flowide.errors import BadInput, FlowError, from_dict
from flowide.space import queries
from flowide.space.api import Reply
from flowide.space.queries import Query

Made = TypeVar("Made")


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """A command or question on the wire."""

    id: str
    """Of a command its UUIDv7, by which it is carried out once; of a question any name, returned with the answer."""
    cmd: str
    args: dict[str, Any] = {}


class Result(Struct, frozen=True, omit_defaults=True):
    """The answer to a `Call`: `ok` or `err`."""

    id: str
    seq: int
    """The log's position just after the command, or at the question."""
    ok: Any = UNSET
    err: dict[str, Any] | UnsetType = UNSET


QUERIES: dict[str, type[Query[Any]]] = {
    found.__name__: found
    for found in vars(queries).values()
    if isinstance(found, type) and issubclass(found, Query) and found is not Query
}
"""Question of each name on the wire, e.g. `FindArtifact`."""


def args_of(asked: Command[Any] | Query[Any]) -> dict[str, Any]:
    """The fields of a command or question as JSON values.

    Raises:
        BadInput: It holds what JSON cannot say.
    """
    if isinstance(asked, Batch):
        return {"cmds": [{"cmd": each.wire_name(), "args": args_of(each)} for each in asked.cmds]}
    try:
        fields: dict[str, Any] = msgspec.to_builtins(asked)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"the command holds what JSON cannot say: {error}") from error
    fields.pop("cmd", None)
    if not _sayable(fields):
        raise BadInput("the command holds what JSON cannot say: a number that is not finite")
    return fields


def _sayable(value: Any) -> bool:
    """Whether all numbers are finite: the encoder would make them null without a word."""
    if isinstance(value, dict):
        return all(map(_sayable, value.values()))
    if isinstance(value, list):
        return all(map(_sayable, value))
    return not isinstance(value, float) or isfinite(value)


def command_of(name: str, args: dict[str, Any]) -> Command[Any]:
    """The command with this name.

    Raises:
        BadInput: No such command, or its arguments are wrong; says which and why.
    """
    kind = COMMANDS.get(name)
    if kind is None:
        raise BadInput(f"there is no command {name[:80]}", hint="docs/protocol.md lists the commands.")
    if kind is Batch:
        return Batch(cmds=[_part(each) for each in _list(args)])
    return _made(kind, name, {**args, "cmd": name})


def _list(args: dict[str, Any]) -> list[Any]:
    cmds = args.get("cmds")
    if not isinstance(cmds, list) or len(args) > 1:
        raise BadInput('a batch is {"cmds": [...]}')
    return cmds


def _part(each: Any) -> Command[Any]:
    if not isinstance(each, dict) or not isinstance(each.get("cmd"), str) or set(each) - {"cmd", "args"}:
        raise BadInput('the parts of a batch are {"cmd", "args"} objects')
    args = each.get("args", {})
    if each["cmd"] == "batch" or not isinstance(args, dict):
        raise BadInput("a batch holds commands only, and no batch")
    return command_of(each["cmd"], args)


def query_of(name: str, args: dict[str, Any]) -> Query[Any]:
    """The question with this name.

    Raises:
        BadInput: No such question, or its arguments are wrong.
    """
    kind = QUERIES.get(name)
    if kind is None:
        raise BadInput(f"there is no question {name[:80]}")
    return _made(kind, name, args)


def _made(kind: type[Made], name: str, fields: dict[str, Any]) -> Made:
    try:
        return msgspec.convert(fields, kind)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"{name}: {error}") from error


def ok_of(asked: Command[Any] | Query[Any], ok: Any) -> Any:
    """An answer as JSON values turned into the type that was promised."""
    if isinstance(asked, Batch):
        parts = [ok_of(each, got) for each, got in zip(asked.cmds, ok["results"], strict=True)]
        return Results(parts)
    return msgspec.convert(ok, answer_type(type(asked)))


def reply_of(asked: Command[Any] | Query[Any], result: Result) -> Reply[Any] | FlowError:
    """What a result means for who asked."""
    if not isinstance(result.err, UnsetType):
        return from_dict(result.err)
    return Reply(result.seq, ok_of(asked, result.ok))


def answer_type(asked: type[Command[Any]] | type[Query[Any]]) -> Any:
    """The type of the answer that a command or query class promises."""
    base = asked.__orig_bases__[0]  # type: ignore[union-attr]
    return base.__args__[0]
