"""Who a text speaks to and what it points at: `@handle`, `#path@3:piece`, "what @quinn just said".

Pure, and in linear time: it is put to whatever people, models and files say. Code (spans and fences) and quoted lines
(`>`) hold no mentions and no references, nor do e-mail addresses, package names (`@types/node`) and `\\@escaped`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from msgspec import Struct

from flowide.patterns import lazy

ALL = "all"
"""`@all` is every agent of the project."""
_HANDLE = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?"
_MENTION = lazy(
    rf"(?<![^\W_])(?<![@/\\+%&=])@({_HANDLE})"
    r"(?![^\W_]|@|/\w|\.[a-z0-9])"  # no part of a word, an address or a package
)
_PIECE = r'"[^"\n]{1,200}"|[^\W\d][\w$]*(?:[./#-][\w$]+)*'
_REF = lazy(
    r"(?<![\w#&/\\])#"
    r'(?:"(?P<quoted>[^"\n]{1,1000})"|(?P<bare>[^\s#@:"\'`()\[\]{}<>,;!?|*\\]{1,1000}))'
    rf"(?:@(?P<version>\d{{1,9}}))?(?::(?P<piece>{_PIECE}))?"
)
_SAID = lazy(
    rf"\bwhat\s+@({_HANDLE})\s+(?:(?:has|have|had|just|already|last|also|once|recently)\s+){{0,3}}"
    r"(?:said|says|wrote|writes|posted|answered|replied|proposed|suggested|argued|asked|thinks|thought|meant)\b"
    rf"|@({_HANDLE})['’]s\s+(?:last|latest|previous|newest)\s+"
    r"(?:message|answer|reply|comment|remark|post|point|proposal)\b",
    re.IGNORECASE,
)
_FENCE = lazy(r" {0,3}(`{3,}|~{3,})(.*)")
_RUN = lazy(r"`+")
_EDITS = (
    "apply|edit|change|update|rewrite|revise|rework|fix|correct|shorten|write|put|insert|add|remove|delete|replace|"
    "rename|move|merge|adapt|include|record"
)
_MAKES = "create|make|draft|start|save"
_ASKS_EDIT = lazy(
    r"[\s,:;–—-]*(?:(?:please|now|then|could\s+you|can\s+you|go\s+ahead\s+and|just)[\s,]+){0,4}"
    rf"(?:(?P<makes>{_MAKES})|{_EDITS})\b(?P<what>[^\n]{{0,400}}?)$",
    re.IGNORECASE,
)
_INTO = lazy(r"\b(?:to|in|into|of|from|at)(?:\s+the\s+(?:file|document|page))?\s*$", re.IGNORECASE)
_AS = lazy(
    r"\b(?:to|in|into|as|at|called|named)(?:\s+(?:a|the))?(?:\s+new)?(?:\s+(?:file|document|page))?\s*$"
    r"|^\s*(?:(?:a|the)\s+)?(?:new\s+)?(?:(?:file|document|page)\s*)?$",
    re.IGNORECASE,
)
_SENTENCE_END = lazy(r"[.!?](?:\s|$)")


class Mention(Struct, frozen=True):
    """`@handle` in a text; offsets are characters."""

    name: str
    """Lower case, without @; `all` for everybody."""
    start: int
    end: int


class Reference(Struct, frozen=True):
    """`#…` in a text: a path, or the number or id of a message. Whether it exists is for others to say."""

    target: str
    version: int | None
    piece: str | None
    start: int
    end: int


class Parsed(Struct, frozen=True):
    """What a text says to whom about what, in its order."""

    mentions: list[Mention] = []
    """Who is spoken to; not those whose words are only pointed at."""
    said: list[Mention] = []
    """Whose latest words are meant: "what @quinn just said"."""
    references: list[Reference] = []

    @property
    def names(self) -> list[str]:
        """Names spoken to, each once."""
        return list(dict.fromkeys(each.name for each in self.mentions))


class EditWish(Struct, frozen=True):
    """`@mara apply that to #docs/x.md`, or `@mara create #docs/x.md`."""

    name: str
    reference: Reference
    changes: bool = True
    """The verb asks for a change of a file that is there."""
    makes: bool = False
    """The words ask for a new file, when there is none of this name."""


def parse(text: str) -> Parsed:
    """The mentions and references of a text."""
    if "@" not in text and "#" not in text:
        return Parsed()
    prose = prose_of(text)
    said = [
        Mention((match[1] or match[2]).lower(), *match.span(1 if match[1] else 2))
        for match in _SAID.finditer(prose)
    ]
    pointed = {each.start for each in said}
    mentions = [
        Mention(match[1].lower(), match.start(), match.end())
        for match in _MENTION.finditer(prose)
        if match.start() + 1 not in pointed
    ]
    return Parsed(mentions, said, list(_references(prose)))


def _references(prose: str) -> Iterator[Reference]:
    for match in _REF.finditer(prose):
        target, end = match["quoted"], match.end()
        version, piece = match["version"], match["piece"]
        if target is None:
            target = match["bare"]
            if version is None and piece is None:
                target = target.rstrip(".…")
                end = match.start() + 1 + len(target)
        if not target:
            continue
        yield Reference(
            target, None if version is None else int(version), piece and piece.strip('"'), match.start(), end
        )


def edit_wishes(text: str, parsed: Parsed | None = None) -> list[EditWish]:
    """Who is asked to change or make which file: such a verb right after the mention, then `to #path` or so."""
    parsed = parse(text) if parsed is None else parsed
    wishes: list[EditWish] = []
    for mention in parsed.mentions:
        following = [each for each in parsed.references if each.start >= mention.end]
        for reference in following:
            between = text[mention.end : reference.start]
            if len(between) > 600 or "\n" in between:
                break
            asked = _ASKS_EDIT.match(between)
            if asked is None or _SENTENCE_END.search(between):
                break
            what = asked["what"]
            changes = not asked["makes"] and (not what.strip() or _INTO.search(what) is not None)
            makes = _AS.search(what) is not None
            if changes or makes:
                wishes.append(EditWish(mention.name, reference, changes, makes))
                break
    return wishes


def prose_of(text: str) -> str:
    """The text with code and quoted lines blanked out; offsets stay."""
    lines = text.splitlines(keepends=True)
    fence = ""
    kept: list[str] = []
    for line in lines:
        opening = _FENCE.match(line)
        if fence:
            closes = opening and opening[1].startswith(fence) and not opening[2].strip()
            fence = "" if closes else fence
            kept.append(_blank(line))
        elif opening and not (opening[1][0] == "`" and "`" in opening[2]):
            fence = opening[1]
            kept.append(_blank(line))
        elif line.lstrip(" ").startswith(">"):
            kept.append(_blank(line))
        else:
            kept.append(line)
    return _without_spans("".join(kept))


def _blank(line: str) -> str:
    return "".join("\n" if each == "\n" else " " for each in line)


def _without_spans(text: str) -> str:
    """Code spans blanked: a run of backticks up to the next one of the same length in its paragraph."""
    runs = [(match.start(), match.end()) for match in _RUN.finditer(text)]
    if not runs:
        return text
    ends = [match.start() for match in re.finditer(r"\n[ \t]*\n", text)]
    by_length: dict[int, list[int]] = {}
    for start, end in runs:
        by_length.setdefault(end - start, []).append(start)
    out: list[str] = []
    at = 0
    for start, end in runs:
        if start < at:
            continue
        same = by_length[end - start]
        following = bisect_right(same, start)
        limit = bisect_right(ends, start)
        if following == len(same) or (limit < len(ends) and same[following] > ends[limit]):
            continue
        close = same[following] + end - start
        out += [text[at:start], _blank(text[start:close])]
        at = close
    return "".join([*out, text[at:]])
