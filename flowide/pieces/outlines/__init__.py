"""What counts as a declaration in each language."""

from __future__ import annotations

from functools import cache

from flowide.pieces.model import Language
from flowide.pieces.outline import Rules


@cache
def rules_of(language: Language) -> Rules:
    """The declaration rules of a language other than Markdown."""
    if language == "python":
        from flowide.pieces.outlines.python import PythonRules  # noqa: PLC0415

        return PythonRules()
    if language == "go":
        from flowide.pieces.outlines.go import GoRules  # noqa: PLC0415

        return GoRules()
    if language == "rust":
        from flowide.pieces.outlines.rust import RustRules  # noqa: PLC0415

        return RustRules()
    if language == "java":
        from flowide.pieces.outlines.java import JavaRules  # noqa: PLC0415

        return JavaRules()
    from flowide.pieces.outlines.ecma import EcmaRules  # noqa: PLC0415

    return EcmaRules()
