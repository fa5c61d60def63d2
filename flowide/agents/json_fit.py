"""Whether a JSON value fits a schema, for the keywords that our own schemas use.

The jsonschema library takes longer to import than a whole scripted run; other schemas still go to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_ANNOTATIONS = frozenset({"$schema", "title", "description", "default", "examples"})
_KEYWORDS = _ANNOTATIONS | {
    "type", "properties", "required", "additionalProperties", "items", "enum",
    "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength",
}  # fmt: skip


def is_plain(schema: Any) -> bool:
    """Whether `misfits` knows all that this schema says."""
    if not isinstance(schema, dict) or not _KEYWORDS.issuperset(schema):
        return False
    if not isinstance(schema.get("type", "null"), str) or schema.get("type", "null") not in _TYPES:
        return False
    if not isinstance(schema.get("additionalProperties", True), bool):
        return False
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return all(is_plain(part) for part in parts)


def misfits(value: Any, schema: dict[str, Any], at: str = "$") -> Iterator[str]:
    """What is wrong with a value and where, from the outside in; nothing when it fits a plain schema."""
    kind = schema.get("type")
    if kind is not None and not _is(value, kind):
        yield f"{_shown(value)} is not of type {kind!r} (at {at})"
        return
    if "enum" in schema and not any(value == each and _same(value, each) for each in schema["enum"]):
        yield f"{_shown(value)} is not one of {schema['enum']!r} (at {at})"
    if isinstance(value, dict):
        yield from _in_object(value, schema, at)
    elif isinstance(value, list):
        yield from _in_bounds(len(value), schema.get("minItems"), schema.get("maxItems"), "items", at)
        for number, each in enumerate(value):
            yield from misfits(each, schema.get("items", {}), f"{at}[{number}]")
    elif isinstance(value, str):
        yield from _in_bounds(len(value), schema.get("minLength"), schema.get("maxLength"), "characters", at)
    elif _is(value, "number"):
        yield from _in_bounds(value, schema.get("minimum"), schema.get("maximum"), "", at)


def _in_object(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{name!r} is missing (at {at})"
    for name, each in value.items():
        if name in known:
            yield from misfits(each, known[name], f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{_shown(name)} is unexpected (at {at})"


def _in_bounds(size: float, least: float | None, most: float | None, unit: str, at: str) -> Iterator[str]:
    if least is not None and size < least:
        yield (
            f"{size:g} {unit} are fewer than {least:g} (at {at})"
            if unit
            else f"{size:g} < {least:g} (at {at})"
        )
    if most is not None and size > most:
        yield (
            f"{size:g} {unit} are more than {most:g} (at {at})" if unit else f"{size:g} > {most:g} (at {at})"
        )


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _same(value: Any, other: Any) -> bool:
    """JSON tells 1 and true apart; Python does not."""
    return isinstance(value, bool) == isinstance(other, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
