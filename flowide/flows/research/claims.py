"""Claims with the words of their sources, and whether those words are there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from flowide.patterns import lazy

UNVERIFIED = "**[unverified]**"
"""Follows a sentence in the document that no source is known to say."""

_SPACE = lazy(r"\s+")
_CITED = lazy(r"\[(S\d+(?:\.\d+)?(?:\s*[,;]\s*S\d+(?:\.\d+)?)*)\]")
_QUOTED = lazy(r"[\"“„]([^\"“”„\n]+(?:\n[^\"“”„\n]+)*)[\"”“]")
_ONE = lazy(r"S\d+(?:\.\d+)?")
_SENTENCE_END = lazy(
    r"(?<=[.!?…])([\"”’)*_]*(?:\s*\[[^\]\n]*\])*)(\s+)(?=[\"“‘(*_`]*[^\W\d_a-z]|[\"“‘(*_`]*\d)"
)
_SHORT = lazy(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|resp|approx|Dr|Mr|Mrs|Ms|Prof|St|No|Fig|p|pp)|\b[A-Z])\.$")
_FENCE = lazy(r" {0,3}(`{3,}|~{3,})")
_HEADING = lazy(r" {0,3}#{1,6}(?:\s|$)|\s*(?:[-*_]\s*){3,}$|\s*\|?[\s:|-]+\|?$")
_UNDERLINE = lazy(r"\s*(?:=+|-{2,}|\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*)\s*")
_ITEM = lazy(r"\s*(?:>\s*)*(?:(?:[-*+]|\d+[.)])\s|\|)")
_LEAD = lazy(r"(\s*(?:>\s*)*(?:[-*+]|\d+[.)])?\s*)(.*)", re.DOTALL)


class Claim(Struct, frozen=True):
    """What a reader says a source says."""

    id: str
    """`S2.3`: the third claim from source 2."""
    path: str
    version: int
    text: str
    quote: str
    line: int | None
    """Where the quote begins; None = it is not in the source, so nobody can check the claim."""

    @property
    def verified(self) -> bool:
        """Whether the quote is in the source."""
        return self.line is not None


def line_of(quote: str, text: str) -> int | None:
    """The line of a text on which a quote begins; only white space may differ. None = it is not there."""
    words = quote.split()
    if not words:
        return None
    found = re.search(r"\s+".join(re.escape(word) for word in words), text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


class _Known(Struct, frozen=True):
    """What a document may cite."""

    claims: Mapping[str, Claim]
    texts: Mapping[str, str]
    """Texts of the sources, by id."""


def checked(document: str, claims: Sequence[Claim], texts: Mapping[str, str]) -> tuple[str, dict[str, int]]:
    """The document with every unverified sentence marked and its sources listed, and how many are which.

    A sentence counts as verified when it cites a claim whose quote is in its source, and none that is not, and
    when what it quotes itself is in a source that it cites. Headings, questions, code and lines that lead to a
    list (they end with a colon) claim nothing. `texts` are those of the sources, by id.
    """
    known = _Known({claim.id: claim for claim in claims}, texts)
    used: dict[str, None] = {}
    count = {"verified": 0, "unverified": 0}
    body = _without_marks(document)
    out = [_block(block, known, used, count) for block in _blocks(body)]
    text = "\n".join(out).rstrip() + "\n"
    listed = [_listed(known.claims[id]) for id in used if id in known.claims]
    return (text + "\n## Sources\n\n" + "\n".join(listed) + "\n" if listed else text), count


def _without_marks(document: str) -> str:
    """Without marks that the writer made itself: only code verifies."""
    return document.replace(f" {UNVERIFIED}", "").replace(UNVERIFIED, "").rstrip()


def _listed(claim: Claim) -> str:
    where = f"{claim.path}, version {claim.version}"
    quote = " ".join(claim.quote.split())
    if claim.line is None:
        return f'- {claim.id}: {where}. Not found there: "{quote}"'
    return f'- {claim.id}: {where}, line {claim.line}: "{quote}"'


def _blocks(text: str) -> Iterable[tuple[str, bool]]:
    """Paragraphs, list items and single lines, each with whether it can claim something."""
    lines = text.split("\n")
    start = _front_matter(lines)
    yield from ((line, False) for line in lines[:start])
    fence = ""
    prose: list[str] = []
    for at, line in enumerate(lines[start:], start):
        opening = _FENCE.match(line)
        below = lines[at + 1] if at + 1 < len(lines) else ""
        header = bool(_UNDERLINE.fullmatch(below)) and not prose and bool(line.strip())
        plain = bool(fence or opening or header) or not line.strip() or _HEADING.match(line) is not None
        if prose and (plain or _ITEM.match(line)):
            yield "\n".join(prose), True
            prose = []
        if plain:
            yield line, False
        else:
            prose.append(line)
        if fence and opening and opening[1].startswith(fence) and not line.strip(" `~"):
            fence = ""
        elif not fence and opening:
            fence = opening[1]
    if prose:
        yield "\n".join(prose), True


def _front_matter(lines: Sequence[str]) -> int:
    """How many lines of YAML a document begins with."""
    if lines[:1] != ["---"]:
        return 0
    return next((at + 1 for at, line in enumerate(lines[1:], 1) if line == "---"), 0)


def _block(block: tuple[str, bool], known: _Known, used: dict[str, None], count: dict[str, int]) -> str:
    text, claims = block
    if not claims or text.rstrip().endswith(":"):
        return text
    lead, rest = _LEAD.fullmatch(text).groups()  # type: ignore[union-attr]  # it matches every text
    return lead + "".join(_sentence(each, known, used, count) for each in sentences(rest))


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph with the space after them; citations belong to the sentence before them."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if _SHORT.search(text[start : end.start()]):
            continue
        found.append(text[start : end.end()])
        start = end.end()
    return [*found, text[start:]] if text[start:] else found


def _said_by(quote: str, cited: Sequence[str], known: _Known) -> bool:
    """Whether one of the cited sources holds these words; a word or two in quotes is no quotation."""
    if len(quote.split()) < 3:
        return True
    bare = quote.strip().rstrip(".,;:!?…")
    return any(line_of(bare, known.texts.get(id.split(".")[0], "")) is not None for id in cited)


def _sentence(sentence: str, known: _Known, used: dict[str, None], count: dict[str, int]) -> str:
    said = sentence.rstrip()
    space = sentence[len(said) :]
    if not re.search(r"\w", said):
        return sentence
    cited = [id for group in _CITED.findall(said) for id in _ONE.findall(group)]
    if not cited and said.rstrip('"”’)*_').endswith("?"):
        return sentence
    used |= dict.fromkeys(cited)
    good = bool(cited) and all(id in known.claims and known.claims[id].verified for id in cited)
    good = good and all(_said_by(quote, cited, known) for quote in _QUOTED.findall(said))
    count["verified" if good else "unverified"] += 1
    row = said.startswith("|") and said.endswith("|")
    bare = said[:-1].rstrip() if row else said
    end = said[len(bare) :]
    return said + space if good else f"{bare} {UNVERIFIED}{end}{space}"
