"""Templates in flow files. `{{ name }}` alone keeps the value's type; everything else is Jinja2, sandboxed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from flowide.errors import BadInput
from flowide.patterns import lazy

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

_PLAIN = lazy(r"\{\{\s*([a-z_]\w*(?:\.[a-z_]\w*)*)\s*\}\}")
MAX_RESULT = 1 << 20
"""Characters a template may expand to."""


def render(text: Any, values: Mapping[str, Any]) -> Any:
    """A value of a flow file with its templates filled in; lists and mappings are filled item by item.

    Raises:
        BadInput: A name is unknown, or the template is wrong.
    """
    if isinstance(text, list):
        return [render(item, values) for item in text]
    if isinstance(text, dict):
        return {name: render(item, values) for name, item in text.items()}
    if not isinstance(text, str) or ("{{" not in text and "{%" not in text):
        return text
    plain = _PLAIN.fullmatch(text.strip())
    if plain:
        return _lookup(plain[1], values)
    import jinja2

    try:
        result = _environment().from_string(text).render(values)
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise BadInput(f"the template {text[:80]!r} cannot be filled in: {error}") from error
    if len(result) > MAX_RESULT:
        raise BadInput(f"the template {text[:80]!r} expands to {len(result)} characters")
    return result


def truth(value: Any) -> bool:
    """Whether a condition holds; the texts `false`, `no`, `0` and blank do not."""
    return (
        value.strip().casefold() not in {"", "false", "no", "0", "none"}
        if isinstance(value, str)
        else bool(value)
    )


def check_template(text: str, names: set[str]) -> str | None:
    """What is wrong with a template, or None."""
    if "{{" not in text and "{%" not in text:
        return None
    plain = _PLAIN.fullmatch(text.strip())
    if plain:
        name, *parts = plain[1].split(".")
        if name not in names:
            return f"'{name}' is not known here"
        return f"'{name}' is a value, and has no part '{parts[0]}'" if parts and name != "steps" else None
    import jinja2
    from jinja2 import meta

    try:
        tree = _environment().parse(text)
        unknown = sorted(meta.find_undeclared_variables(tree) - names)
    except jinja2.TemplateSyntaxError as error:  # filters and tests are looked up last
        return f"the template is wrong: {error.message}"
    return f"'{unknown[0]}' is not known here" if unknown else None


def steps_named(text: str) -> list[str]:
    """Steps whose results a template uses by name; those it asks for with `is defined` or `default` too."""
    if "steps" not in text or ("{{" not in text and "{%" not in text):
        return []
    plain = _PLAIN.fullmatch(text.strip())
    if plain:
        first, *rest = plain[1].split(".")
        return rest[:1] if first == "steps" else []
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError:
        return []
    found = []
    for each in tree.find_all(nodes.Getattr):
        if isinstance(each.node, nodes.Name) and each.node.name == "steps":
            found.append(each.attr)
    for item in tree.find_all(nodes.Getitem):
        if (
            isinstance(item.node, nodes.Name)
            and item.node.name == "steps"
            and isinstance(item.arg, nodes.Const)
        ):
            found.append(str(item.arg.value))
    return found


def _lookup(dotted: str, values: Mapping[str, Any]) -> Any:
    value: Any = values
    for part in dotted.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise BadInput(f"the template {{{{ {dotted} }}}} names {part!r}, which is not known")
        value = value[part]
    return value


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
