"""Whether arguments fit a tool, whose schema may itself be anything."""

from __future__ import annotations

from typing import Any

from flowide.agents.json_fit import is_plain, misfits

_LEFT_OUT = frozenset({"pattern", "patternProperties", "$schema", "$id", "format"})
"""Patterns may take for ever; names of schemas are looked up elsewhere."""


def misfit(arguments: dict[str, Any], schema: dict[str, Any]) -> str:
    """Why arguments do not fit a tool; empty when they do, or when its schema cannot be used: its server looks too."""
    try:
        safe = _safe(schema)
        if is_plain(safe):
            found = next(misfits(arguments, safe), "")
            return f"the arguments do not fit: {found[:300]}" if found else ""
        return _by_library(arguments, safe)
    except Exception:  # whatever is wrong with the schema
        return ""


def _by_library(arguments: dict[str, Any], schema: dict[str, Any]) -> str:
    import jsonschema  # type: ignore[import-untyped]  # 60 ms

    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(arguments))
    return (
        ""
        if error is None
        else f"the arguments do not fit: {error.message[:250]} (at {error.json_path[:100]})"
    )


def _safe(schema: Any) -> Any:
    """The schema without what would be slow, or fetched from elsewhere, to look at."""
    if isinstance(schema, list):
        return [_safe(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if not str(schema.get("$ref", "#")).startswith("#"):
        return True
    kept = {name: each for name, each in schema.items() if name not in _LEFT_OUT}
    names = {"properties", "$defs", "definitions"}
    return {
        name: {key: _safe(part) for key, part in each.items()}
        if name in names and isinstance(each, dict)
        else _safe(each)
        for name, each in kept.items()
    }
