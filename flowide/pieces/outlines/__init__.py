"""What counts as a declaration in each language."""

from __future__ import annotations

from functools import cache

from flowide.pieces.model import Language
from flowide.pieces.outline import Rules


@cache
def rules_of(language: Language) -> Rules:
    """The declaration rules of a language other than Markdown."""
    if language == "python":
        from flowide.pieces.outlines.python import PythonRules

        return PythonRules()
    if language == "go":
        from flowide.pieces.outlines.go import GoRules

        return GoRules()
    if language == "rust":
        from flowide.pieces.outlines.rust import RustRules

        return RustRules()
    if language == "java":
        from flowide.pieces.outlines.java import JavaRules

        return JavaRules()
    from flowide.pieces.outlines.ecma import EcmaRules

    return EcmaRules()
