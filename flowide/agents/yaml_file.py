"""YAML that knows where each value stands, so that a wrong one can be pointed at by line and column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from flowide.errors import BadInput, NotFound
from flowide.patterns import lazy
from flowide.text import close_to

if TYPE_CHECKING:
    import yaml

T = TypeVar("T")
Route = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50

_STEP = lazy(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN_FIELD = lazy(r"unknown field `([^`]+)`")
_MISSING_FIELD = lazy(r"missing required field `([^`]+)`")


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file, line ends as `\\n`.

    Raises:
        NotFound: There is no such file.
        BadInput: It cannot be read, is larger than 1 MiB or not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist", file=str(path)) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", file=str(path)) from error
    if len(raw) > MAX_BYTES:
        raise BadInput(
            f"{path} has {len(raw):,} bytes", hint=f"At most {MAX_BYTES:,} are read.", file=str(path)
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise BadInput(
            f"{path}:{line}:{column}: byte {error.start} is not UTF-8",
            hint="Save the file as UTF-8.",
            file=str(path),
            line=line,
            column=column,
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


class YamlFile:
    """The mapping that a YAML text holds, with the place of every value."""

    def __init__(self, text: str, file: str, *, first_line: int = 1) -> None:
        """`first_line` is the line of `file` that the text begins on.

        Raises:
            BadInput: The text is no YAML, or no mapping.
        """
        import yaml  # 15 ms

        self.file = file
        self._first_line = first_line
        self._places: dict[Route, tuple[int, int]] = {}
        self._keys: dict[Route, tuple[int, int]] = {}
        self._constructor = yaml.constructor.SafeConstructor()
        try:
            root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._places[()] = (mark.line + first_line, mark.column + 1) if mark else (first_line, 1)
            self.bad(
                (),
                error.problem or "this is not YAML",
                "Indent with spaces and quote texts that hold ': ' or '#'.",
            )
        except yaml.YAMLError as error:
            self._places[()] = (first_line, 1)
            self.bad((), str(error).splitlines()[0], "Remove control characters from the file.")
        self.data: dict[str, Any] = {}
        if root is None:
            self._places[()] = (first_line, 1)
            return
        self._note((), root)
        if not isinstance(root, yaml.MappingNode):
            self.bad((), "expected `key: value` lines", "Write one key and its value per line.")
        self.data = self._value(root, (), frozenset())

    def convert(self, type_: type[T], hints: dict[str, str] | None = None) -> T:
        """The mapping as a Struct; `hints` say per field what would be right.

        Raises:
            BadInput: A field is unknown, missing or of the wrong type.
        """
        try:
            return msgspec.convert(self.data, type_, strict=True)
        except msgspec.ValidationError as error:
            self._explain(type_, str(error), hints or {})

    def bad(self, route: Route, what: str, right: str = "", *, at_key: bool = False, **data: Any) -> NoReturn:
        """Raise BadInput that points at a value, or at the key in front of it."""
        line, column = self._keys[route] if at_key and route in self._keys else self.place(route)
        raise BadInput(
            f"{self.file}:{line}:{column}: {what}",
            hint=right,
            file=self.file,
            line=line,
            column=column,
            **data,
        )

    def place(self, route: Route) -> tuple[int, int]:
        """Line and column of a value, or of the nearest one that encloses it; both from 1."""
        while route not in self._places:
            route = route[:-1]
        return self._places[route]

    def _explain(self, type_: Any, message: str, hints: dict[str, str]) -> NoReturn:
        what, _, where = message.partition(" - at `$")
        route: Route = ()
        for name, index in _STEP.findall(where.rstrip("`")):
            step = self._key_of_wrong(type_, route) if index == "..." else name or int(index)
            route = (*route, step)
        if unknown := _UNKNOWN_FIELD.search(what):
            name = unknown[1]
            known = [field.encode_name for field in msgspec.structs.fields(_at(type_, route))]
            near = close_to(name, known)
            right = f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(known)}."
            self.bad((*route, name), f"'{name}' means nothing here", right, at_key=True)
        if missing := _MISSING_FIELD.search(what):
            self.bad(
                route, f"'{missing[1]}' is missing", hints.get(missing[1], f"Add a line '{missing[1]}: …'.")
            )
        field = next((step for step in reversed(route) if isinstance(step, str)), "")
        label = f"{field}: " if field else ""
        right = next((hints[str(step)] for step in reversed(route) if str(step) in hints), "")
        said, example = _in_words(what)
        self.bad(
            route, label + said, right or (f"For example: {field or 'key'}: {example}" if example else "")
        )

    def _key_of_wrong(self, type_: Any, route: Route) -> str:
        """The key of the first value in a mapping that cannot be converted; messages do not name it."""
        mapping: Any = self.data
        for step in route:
            mapping = mapping[step]
        for key in mapping:
            try:
                msgspec.convert(_replaced(self.data, route, {key: mapping[key]}), type_, strict=True)
            except msgspec.ValidationError:
                return str(key)
        return str(next(iter(mapping)))

    def _note(self, route: Route, node: yaml.Node) -> None:
        self._places[route] = (node.start_mark.line + self._first_line, node.start_mark.column + 1)

    def _value(self, node: yaml.Node, route: Route, above: frozenset[int]) -> Any:
        import yaml

        if id(node) in above or len(above) > MAX_DEPTH:
            self.bad(route, "nested too deeply, or within itself", "Write the value out without the anchor.")
        if len(self._places) > MAX_BYTES:
            self.bad(route, "anchors make this text too large", "Write the values out.")
        above = above | {id(node)}
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, route, above)
        if isinstance(node, yaml.SequenceNode):
            found = []
            for index, item in enumerate(node.value):
                self._note((*route, index), item)
                found.append(self._value(item, (*route, index), above))
            return found
        try:
            return self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            self.bad(route, f"this value cannot be read: {str(error).splitlines()[0]}", "Put it in quotes.")

    def _mapping(self, node: yaml.MappingNode, route: Route, above: frozenset[int]) -> dict[str, Any]:
        import yaml

        found: dict[str, Any] = {}
        for key, value in node.value:
            self._note((*route, "?"), key)
            if not isinstance(key, yaml.ScalarNode):
                self.bad((*route, "?"), "a key must be a word", "Quote it when it is a text.")
            name = key.value  # as written: YAML reads a bare `on` as true
            if name in found:
                self.bad((*route, "?"), f"'{name}' stands here twice", "Keep one of them.")
            self._keys[*route, name] = self._places[*route, "?"]
            self._note((*route, name), value if value.start_mark.line == key.start_mark.line else key)
            found[name] = self._value(value, (*route, name), above)
        self._places.pop((*route, "?"), None)
        return found


_WORDS = {
    "object": ("a mapping", "{key: value}"),
    "array": ("a list", "[first, second]"),
    "str": ("a text", '"text"'),
    "int": ("a whole number", "3"),
    "float": ("a number", "0.5"),
    "bool": ("true or false", "true"),
}
"""What msgspec calls a type, for people, and an example of it."""
_QUOTED = lazy(r"`([^`]+)`")


def _in_words(what: str) -> tuple[str, str]:
    """What msgspec says of a wrong value in plain words, and an example of a right one; empty = there is none."""
    wanted = _QUOTED.search(what)
    kinds = [each.strip() for each in wanted[1].split("|")] if wanted else []
    example = next((_WORDS[each][1] for each in kinds if each in _WORDS), "")

    def words(match: re.Match[str]) -> str:
        named = [each.strip() for each in match[1].split("|")]
        told = [_WORDS[each][0] if each in _WORDS else each for each in named if each != "null"] or [
            "nothing"
        ]
        return " or ".join(told)

    plain = _QUOTED.sub(words, what).replace(" >= ", " of at least ").replace(" <= ", " of at most ")
    return plain[0].lower() + plain[1:], example


def _replaced(value: Any, route: Route, new: Any) -> Any:
    """A value with another one where the route leads to; what is beside the route in a list is left out."""
    if not route:
        return new
    first, *rest = route
    inner = _replaced(value[first], tuple(rest), new)
    return [inner] if isinstance(value, list) else {**value, first: inner}


def _at(type_: Any, route: Route) -> Any:
    """The Struct that a route leads to, through lists, and Structs or lists of them by name."""
    for step in route:
        if isinstance(step, int) or not (isinstance(type_, type) and issubclass(type_, msgspec.Struct)):
            type_ = _inner(type_, by=dict if isinstance(step, str) else list)
            continue
        hint = get_type_hints(type_)[_python_name(type_, step)]
        type_ = (
            next((each for each in get_args(hint) if each is not type(None)), hint)
            if _optional(hint)
            else hint
        )
    return type_


def _inner(hint: Any, by: type) -> Any:
    """What a list or mapping holds; the hint itself when it is neither."""
    return get_args(hint)[-1] if get_origin(hint) is by else hint


def _optional(hint: Any) -> bool:
    return type(None) in get_args(hint)


def _python_name(type_: Any, step: str) -> str:
    return next(field.name for field in msgspec.structs.fields(type_) if field.encode_name == step)
