"""Commands, questions and their answers as JSON."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from math import isfinite
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from flowide.domain.commands import COMMANDS, Batch, Command, Results
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, FlowError, from_dict
from flowide.patterns import lazy
from flowide.space import queries
from flowide.space.api import Reply
from flowide.space.queries import Query

Made = TypeVar("Made")
_TIME = lazy(r"[0-9a-f]{8}-[0-9a-f]{4}")


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


def with_ids(name: str, args: dict[str, Any], id: str) -> dict[str, Any]:
    """The arguments with the ids of new things that the sender left out, made from the command's own id.

    So the same command sent again is the same command.
    """
    kind = COMMANDS.get(name)
    if kind is Batch:
        parts = args.get("cmds")
        if not isinstance(parts, list):
            return args
        return {**args, "cmds": [_part_with_ids(each, f"{id}.{at}") for at, each in enumerate(parts)]}
    made = () if kind is None else _ids_made(kind)
    return {**{field: _derived(id, field) for field in made if field not in args}, **args}


def _part_with_ids(part: Any, id: str) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get("args", {}), dict):
        return part
    return {**part, "args": with_ids(str(part.get("cmd")), part.get("args", {}), id)}


@cache
def _ids_made(kind: type[Command[Any]]) -> tuple[str, ...]:
    """Fields that get a new id when they are left out."""
    return tuple(each.encode_name for each in msgspec.structs.fields(kind) if each.default_factory is uuid7)


def _derived(id: str, field: str) -> str:
    """A UUIDv7 that follows from a command's id: its time is that of the command, if that is one too."""
    mixed = sha256(f"{id}\n{field}".encode("utf-8", "replace")).hexdigest()
    start = id[:13].lower()
    if not _TIME.fullmatch(start):
        start = f"{mixed[32:40]}-{mixed[40:44]}"
    return f"{start}-7{mixed[:3]}-{'89ab'[int(mixed[3], 16) % 4]}{mixed[4:7]}-{mixed[7:19]}"


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
