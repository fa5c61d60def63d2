"""Splicing pieces of one file into another, against one bare parse of both files.

The files are generated: a class, or what the language has in its place, with many members; in the other file some
members differ, some are new, and they use imports that the base lacks. Growth compares
files with others ten times as long.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from benchmarks import Row, in_turns, row
from flowide.pieces import Language, Take, list_pieces, splice
from flowide.pieces.languages import grammar

MEMBERS = 150
"""Members of a file of usual length; 1,000 to 2,000 lines."""
ROUNDS = 15

_HEADS: dict[Language, tuple[str, str, str]] = {
    "python": ("import os\nfrom typing import Any\n\n\nclass Big:\n", "", "import json\nimport re\n"),
    "typescript": (
        "import { a } from './a';\n\nexport class Big {\n",
        "}\n",
        "import { json, re } from './b';\n",
    ),
    "tsx": ("import { a } from './a';\n\nexport class Big {\n", "}\n", "import { json, re } from './b';\n"),
    "javascript": (
        "import { a } from './a';\n\nexport class Big {\n",
        "}\n",
        "import { json, re } from './b';\n",
    ),
    "go": ('package big\n\nimport (\n\t"os"\n)\n\ntype Big struct{}\n\n', "", ""),
    "rust": (
        "use std::fmt;\n\npub struct Big;\n\nimpl Big {\n",
        "}\n",
        "use std::collections::{json, re};\n",
    ),
    "java": (
        "package big;\n\nimport java.util.List;\n\npublic class Big {\n",
        "}\n",
        "import other.json;\nimport other.re;\n",
    ),
    "markdown": ("# Big\n\nSee [a].\n\n", "\n[a]: http://a\n", ""),
}
_MEMBER: dict[Language, str] = {
    "python": (
        "    def method_{0}(self, key: str, count: int = {1}) -> Any:\n"
        '        """Find the entry for a key, or None."""\n'
        "        # Most callers ask again.\n"
        "        if key in self.entries and count > {1}:\n"
        "            return self.entries[key] or {2}(os.path)\n"
        "        found = [each for each in self.entries if each.startswith(key)]\n"
        "        return found[0] if found else None\n\n"
    ),
    "go": (
        "// Method{0} finds the entry for a key.\n"
        "func (b *Big) Method{0}(key string, count int) (string, error) {{\n"
        "\tif found, ok := b.entries[key]; ok && count > {1} {{\n"
        "\t\treturn {2}.Clean(found), nil\n"
        "\t}}\n"
        "\tfor _, each := range b.list {{\n"
        "\t\tb.seen[each] = os.Getpid() + {1}\n"
        "\t}}\n"
        '\treturn "", errMissing\n'
        "}}\n\n"
    ),
    "rust": (
        "    /// Finds the entry for a key.\n"
        "    #[inline]\n"
        "    pub fn method_{0}(&self, key: &str, count: usize) -> Option<String> {{\n"
        "        if let Some(found) = self.entries.get(key) {{\n"
        "            return Some({2}::clean(found, count + {1}));\n"
        "        }}\n"
        "        self.list.iter().filter(|each| each.starts_with(key)).next().cloned()\n"
        "    }}\n\n"
    ),
    "java": (
        "    /** Finds the entry for a key. */\n"
        "    @Override\n"
        "    public String method{0}(String key, int count) {{\n"
        "        if (this.entries.containsKey(key) && count > {1}) {{\n"
        "            return {2}.clean(this.entries.get(key));\n"
        "        }}\n"
        "        List<String> found = this.list.subList({1}, count);\n"
        "        return found.isEmpty() ? null : found.get(0);\n"
        "    }}\n\n"
    ),
    "markdown": (
        "## Section {0}\n\nText about *{1}* with `code` and [a].\n\n"
        "```sh\n# no heading {2}\n```\n\n- one\n- two\n\n"
    ),
}
_ECMA = (
    "  /** Finds the entry for a key. */\n"
    "  method{0}(key, count = {1}) {{\n"
    "    if (this.entries.has(key) && count > {1}) {{\n"
    "      return {2}(a, `entry ${{key}}`);\n"
    "    }}\n"
    "    const found = this.list.filter((each) => each.startsWith(key));\n"
    "    return found.length ? found[0] : null;\n"
    "  }}\n\n"
)


def source(language: Language, members: int, *, other: bool) -> bytes:
    """A generated file; the other one differs in a third of its members and has one more of ten."""
    head, tail, more = _HEADS[language]
    member = _MEMBER.get(language, _ECMA)
    used = {"go": ("os", "filepath"), "markdown": ("a", "b")}.get(language, ("list", "json"))
    if other:
        head = (
            head.replace('\t"os"\n', '\t"os"\n\t"path/filepath"\n') if language == "go" else _with(head, more)
        )
    texts = []
    for at in range(members):
        if other or at % 10:
            changed = other and at % 3 == 0
            texts.append(member.format(at, at * 7 + changed, used[changed]))
    return (head + "".join(texts) + tail).encode()


def _with(head: str, imports: str) -> str:
    """The head with more imports, after the package declaration where there is one."""
    if head.startswith("package"):
        first, _, rest = head.partition("\n\n")
        return f"{first}\n\n{imports}{rest}"
    return imports + head


def _parse(language: Language, *texts: bytes) -> Callable[[], object]:
    if language == "markdown":
        from flowide.pieces.sections import _parser

        documents = [text.decode() for text in texts]
        return lambda: [_parser().parse(text) for text in documents]
    from tree_sitter import Parser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = Parser(grammar(language))
    return lambda: [parser.parse(text) for text in texts]


def measured(language: Language, members: int, takes: int) -> tuple[float, float]:
    """Median seconds of a splice of so many pieces, and of one parse of both files."""
    base, other = source(language, members, other=False), source(language, members, other=True)
    names = [
        piece.name for piece in list_pieces(other, language) if piece.parent is not None or "." in piece.name
    ]
    middle = len(names) // 2 // 30 * 30
    chosen = [Take(source=other, piece=names[middle + at * 3]) for at in range(takes)]
    made = splice(base, chosen, language)
    assert len(made.changes) >= takes
    spliced, parsed = in_turns(
        lambda: splice(base, chosen, language), _parse(language, base, other), rounds=ROUNDS, warm=2
    )
    return spliced, parsed


def run(quick: bool) -> list[Row]:
    """One row per language, several pieces at once, and the growth with the length of the files."""
    rows: list[Row] = []
    for language in _HEADS:
        spliced, parsed = measured(language, MEMBERS, 1)
        goal = "≤ 5 × one parse of both files"
        rows.append(row(f"splice: {language}", spliced * 1e3, "ms", parsed * 1e3, goal=goal, at_most=5))
    spliced, parsed = measured("python", MEMBERS, 8)
    goal = "≤ 5 × one parse of both files"
    rows.append(
        row("splice: python, 8 pieces at once", spliced * 1e3, "ms", parsed * 1e3, goal=goal, at_most=5)
    )
    for language in ("python", "typescript", "markdown") if quick else tuple(_HEADS):
        small, _ = measured(language, MEMBERS // 5, 1)
        large, _ = measured(language, MEMBERS * 2, 1)
        name = f"splice: {language}, files ten times as long"
        goal = "≤ 1.5 × ten splices of a tenth"
        rows.append(row(name, large * 1e3, "ms", small * 1e4, goal=goal, at_most=1.5))
    return rows
