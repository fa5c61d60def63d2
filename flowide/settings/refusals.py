"""What is wrong with a setting, in words of people who write TOML; loaded only when something is."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, ValidationError
from msgspec.inspect import LiteralType, StructType, type_info

from flowide.errors import BadInput
from flowide.text import close_to
from flowide.toml_file import TomlFile


def refusal(file: TomlFile, route: list[str], kind: type[Struct], error: ValidationError) -> BadInput:
    """Which setting of a table is wrong and why, where it stands, and what can stand there."""
    said, _, inside = str(error).partition(" - at ")
    name = ".".join(route)
    unknown = re.search(r"unknown field `([^`]*)`", said)
    known = list(kind.__struct_fields__)
    if unknown:
        return file.refuse(
            [*route, unknown[1]],
            f"there is no setting [{name}] {unknown[1]}",
            hint=near(unknown[1], known, f"[{name}] has"),
        )
    missing = re.search(r"missing required field `([^`]*)`", said)
    if missing:
        return file.refuse(route, f"[{name}] has no {missing[1]}", hint=f"Add: {missing[1]} = …")
    key = re.sub(r"`\$\.?([^`\[]*).*`", r"\1", inside)
    choices = _choices(kind, key)
    return file.refuse(
        [*route, key],
        f"[{name}] {key}: {plainly(said)}",
        hint=f"One of: {', '.join(choices)}." if choices else near("", known, f"[{name}] has"),
        value=True,
    )


def _choices(kind: type[Any], key: str) -> list[str]:
    """The words that a setting can be; none when it can be any."""
    info = type_info(kind)
    found = (
        [each.type for each in info.fields if each.encode_name == key] if isinstance(info, StructType) else []
    )
    return [str(value) for type_ in found if isinstance(type_, LiteralType) for value in type_.values]


def plainly(said: str) -> str:
    """What msgspec expected, in words of people who write TOML."""
    words = {
        "int": "a whole number",
        "float": "a number",
        "str": "a text",
        "bool": "true or false",
        "array": "a list",
    }
    said = (
        said.replace("Invalid enum value", "there is no")
        .replace(" | null", "")
        .replace("`object`", "a section")
    )
    return re.sub(r"`(\w+)`", lambda found: words.get(found[1], f"`{found[1]}`"), said).replace(
        "Expected", "expected"
    )


def near(name: str, known: list[str], about: str) -> str:
    """The name that may have been meant, and all there are."""
    close = close_to(name, known)
    return (f"Did you mean {close[0]}? " if close else "") + f"{about}: {', '.join(known)}."
