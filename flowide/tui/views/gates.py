"""A question and what may be typed as its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.tui.views.spans import clean, lines_of

if TYPE_CHECKING:
    from flowide.domain import rows


_IN_FULL = "always"


class Answer(Struct, frozen=True):
    """What goes into the space."""

    answer: str
    reason: str | None = None


def question_lines(gate: rows.Gate) -> list[str]:
    """The question, line by line, safe to draw."""
    return [clean(line) for line in gate.question.strip().split("\n")]


def facts(gate: rows.Gate) -> list[tuple[str, str]]:
    """What a question about a permission is about, by name, safe to draw; nothing for other questions."""
    if gate.kind != "permission":
        return []
    context = gate.context
    told = {
        "tool": context.get("tool"),
        "which": context.get("about") or context.get("title"),
        "of": context.get("server"),
        "runs": context.get("command"),
        "files": ", ".join(str(path) for path in context.get("paths") or []),
        "with": context.get("arguments"),
    }
    asked = " ".join(gate.question.split())
    lines = {name: clean(" ".join(str(value).split())) for name, value in told.items() if value}
    return [(name, line) for name, line in lines.items() if name == "tool" or line not in asked]


def change(gate: rows.Gate) -> list[str]:
    """The lines of the diff that the question is about, safe to draw; empty = none."""
    shown = gate.context.get("hunks") or []
    diff = str(gate.context.get("diff") or "") or "\n".join(str(each.get("diff", "")) for each in shown)
    return lines_of(diff)


def change_role(line: str) -> str:
    """The role of a line of a diff."""
    return {"+": "add", "-": "del", "@": "quiet"}.get(line[:1], "")


def at_once(gate: rows.Gate) -> list[str]:
    """Options that a number answers; a permission for good is given by no slip of a finger."""
    return [option for option in gate.options if gate.kind != "permission" or option != _IN_FULL]


def hints(gate: rows.Gate) -> list[tuple[str, str]]:
    """What to type and what it does, most common first."""
    if gate.kind == "choose":
        return [
            ("4", "accept variation 4"),
            ("4 but with the _evict of 2", "have it mixed, then look again"),
            ("more 3", "three more, made from the short list and the notes"),
            ("reject too slow", "none of them, and why"),
        ]
    if gate.kind == "permission":
        known = {
            "once": "this time",
            "session": "until the run ends",
            "always": "in this project, for good",
            "deny": "no, and why: deny that file is not yours",
        }
        return [(option, known.get(option, "")) for option in gate.options]
    if gate.options:
        return [(option, "") for option in gate.options]
    return [("", "type your answer")]


def parse_answer(gate: rows.Gate, typed: str) -> Answer | str:
    """The answer to send, or what is wrong with what was typed."""
    text = typed.strip()
    if not text:
        return "Type an answer first; esc leaves the question open."
    word, _, rest = text.partition(" ")
    reason = rest.strip() or None
    if gate.kind == "choose":
        if word.casefold() in {"reject", "none"}:
            return Answer("reject", reason)
        return Answer(text)
    return Answer(text) if not gate.options else _option(gate, word, reason)


def _option(gate: rows.Gate, word: str, reason: str | None) -> Answer | str:
    """One of the options: by number, in full, or by a start that only one has."""
    options, numbered = gate.options, at_once(gate)
    if word.isdigit() and not any(option.isdigit() for option in options):
        index = int(word) - 1
        if 0 <= index < len(numbered):
            return Answer(numbered[index], reason)
    wanted = [option for option in options if option.casefold() == word.casefold()]
    wanted = wanted or [option for option in options if option.casefold().startswith(word.casefold())]
    if len(wanted) == 1 and wanted[0] not in numbered and word.casefold() != wanted[0]:
        return f"Type {wanted[0]} in full: it is not asked again in this project."
    if len(wanted) == 1:
        return Answer(wanted[0], reason)
    return f"Answer with one of: {', '.join(clean(option) for option in options)}."
