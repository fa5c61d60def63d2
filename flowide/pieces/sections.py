"""The sections of a Markdown document: heading by heading, subsections included."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from flowide.patterns import lazy
from flowide.pieces.languages import check_text
from flowide.pieces.model import Piece
from flowide.pieces.outline import BOM, newline_of, unknown

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_DEFINITION = lazy(rb" {0,3}\[((?:[^\]\[\\]|\\.)+)\]:[ \t]*(\S.*)?$", re.DOTALL)
_TOML = lazy(rb"\A(?:\xef\xbb\xbf)?\+\+\+[ \t]*\r?\n.*?\n\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LINE = lazy(rb"\r\n|\r|\n")


@dataclass(slots=True, eq=False)
class Section:
    """A heading with everything below it, up to the next heading of its level."""

    name: str
    path: str
    title: str
    level: int
    start: int
    end: int
    """After its last line that is not blank, subsections included."""
    stop: int
    """Where the next section, or the document's closing definitions, begin."""
    line: int
    """Index of the heading's first line."""
    heading_end: int
    """Index of the line after the heading."""
    setext: bool
    parent: Section | None
    children: list[Section] = field(default_factory=list)


@dataclass(slots=True)
class Definition:
    """A link reference definition or a footnote."""

    label: str
    """Normalised as CommonMark says; a footnote's begins with `^`."""
    value: bytes
    start: int
    end: int


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 20 ms that only documents need
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def normalised(label: bytes) -> str:
    """A reference label as CommonMark compares it."""
    return " ".join(label.decode().split()).casefold()


class Sections:
    """A document, its sections in order and its definitions."""

    def __init__(self, source: bytes, label: str = "") -> None:
        """Raises BadInput or TooLarge when the source is not a text of bearable size."""
        check_text(source, label)
        self.source = source
        self.label = label
        self.newline = newline_of(source)
        self._lines = [0] + [match.end() for match in _LINE.finditer(source)]
        text = source.removeprefix(BOM)
        toml = _TOML.match(source)
        if toml:
            blank = b"\n" * len(_LINE.findall(toml[0]))
            text = blank + source[toml.end() :]
        tokens = _parser().parse(text.decode())
        self._code = _code_lines(tokens)
        self.definitions = self._find_definitions()
        self.tail = self._tail()
        self.sections = self._find(tokens)
        self.title = self._title()
        self._name()
        self.by_name = {section.name: section for section in self.sections}

    def section(self, name: str) -> Section:
        """The section of that name, with or without the document's title in front.

        Raises:
            NotFound: No such section; the hint names similar ones.
        """
        found = self.by_name.get(name)
        if found is None and self.title is not None:
            found = self.by_name.get(name.removeprefix(f"{self.title.title}/"))
        if found is None:
            raise unknown(name, list(self.by_name), self.label)
        return found

    def pieces(self) -> list[Piece]:
        """The public form of all sections."""
        return [
            Piece(
                name=section.name,
                kind="section",
                start=section.start,
                end=section.end,
                start_line=section.line + 1,
                end_line=bisect_right(self._lines, max(section.start, section.end - 1)),
                parent=section.parent.name if section.parent else None,
            )
            for section in self.sections
        ]

    def line_start(self, index: int) -> int:
        """Offset of a line; the end of the source behind the last."""
        return self._lines[index] if index < len(self._lines) else len(self.source)

    def line_of(self, offset: int) -> int:
        """Index of the line an offset is in."""
        return bisect_right(self._lines, offset) - 1

    def is_code(self, line: int) -> bool:
        """True for lines of code blocks, HTML blocks and front matter."""
        return line in self._code

    def last_text(self, stop: int, start: int = 0) -> int:
        """End of the last line before `stop` that is not blank."""
        while stop > start and self.source[stop - 1] in b" \t\r\n":
            stop -= 1
        return stop

    def _find_definitions(self) -> list[Definition]:
        found: list[Definition] = []
        index, count = 0, len(self._lines)
        while index < count:
            start, stop = self.line_start(index), self.line_start(index + 1)
            line = self.source[start:stop].rstrip(b"\r\n")
            match = _DEFINITION.match(line) if not self.is_code(index) else None
            index += 1
            if match is None or not self._may_define(index - 1, match[1], found):
                continue
            end = start + len(line)
            while index < count and self._continues(match[1], index, found_value=match[2]):
                end = self.last_text(self.line_start(index + 1), start)
                index += 1
            value = b" ".join(self.source[start + match.end(1) + 2 : end].split())
            found.append(Definition(normalised(match[1]), value, start, end))
        return found

    def _may_define(self, line: int, label: bytes, found: list[Definition]) -> bool:
        """A definition cannot interrupt a paragraph."""
        if label.startswith(b"^") or line == 0:
            return True
        above = self.source[self.line_start(line - 1) : self.line_start(line)].strip()
        after_definition = bool(found) and self.line_of(max(0, found[-1].end - 1)) == line - 1
        return not above or after_definition or above.startswith(b"#") or self.is_code(line - 1)

    def _continues(self, label: bytes, index: int, *, found_value: bytes | None) -> bool:
        """True when a line goes on with the definition above it: a footnote's indented text, a title, a target."""
        text = self.source[self.line_start(index) : self.line_start(index + 1)]
        if label.startswith(b"^"):
            if text.strip():
                return text.startswith((b"    ", b"\t"))
            following = self.source[self.line_start(index + 1) : self.line_start(index + 2)]
            return following.startswith((b"    ", b"\t")) and bool(following.strip())
        if found_value is None:
            return bool(text.strip())
        return re.fullmatch(rb"[ \t]+(\".*\"|'.*'|\(.*\))[ \t]*", text.rstrip(b"\r\n")) is not None

    def _tail(self) -> int:
        """Where the definitions that close the document begin; its end when there are none."""
        tail = len(self.source)
        for definition in reversed(self.definitions):
            if self.source[definition.end : tail].strip():
                break
            tail = definition.start
        return tail

    def _find(self, tokens: list[Token]) -> list[Section]:
        headings = [
            (token, tokens[index + 1].content)
            for index, token in enumerate(tokens)
            if token.type == "heading_open" and token.level == 0 and token.map
        ]
        found: list[Section] = []
        for token, content in headings:
            assert token.map is not None
            line, after = token.map
            start = self.line_start(line)
            if line == 0 and self.source.startswith(BOM):
                start = len(BOM)
            start += len(self.source[start : self.line_start(line + 1)]) - len(
                self.source[start : self.line_start(line + 1)].lstrip(b" \t")
            )
            title = " ".join(content.split())
            found.append(
                Section(
                    "", "", title, int(token.tag[1:]), start, 0, 0, line, after, token.markup in "=-", None
                )
            )
        open_sections: list[Section] = []
        for section in found:
            while open_sections and open_sections[-1].level >= section.level:
                self._close(open_sections.pop(), section.start)
            section.parent = open_sections[-1] if open_sections else None
            if section.parent:
                section.parent.children.append(section)
            open_sections.append(section)
        for section in open_sections:
            self._close(section, max(self.tail, section.start))
        return found

    def _close(self, section: Section, stop: int) -> None:
        stop = max(min(stop, self.tail), self.line_start(section.heading_end - 1))
        heading_end = self.last_text(self.line_start(section.heading_end), section.start)
        section.stop = max(stop, heading_end)
        section.end = max(self.last_text(section.stop, section.start), heading_end)

    def _title(self) -> Section | None:
        """The one heading of level 1 that all others stand under."""
        tops = [section for section in self.sections if section.level == 1]
        if len(tops) == 1 and self.sections[0] is tops[0]:
            return tops[0]
        return None

    def _name(self) -> None:
        used: dict[str, int] = {}
        taken: set[str] = set()
        for section in self.sections:
            parent = section.parent if section.parent is not self.title else None
            title = section.title or "(untitled)"
            section.path = f"{parent.name}/{title}" if parent else title
            count = used.get(section.path, 0) + 1
            name = section.path if count == 1 else f"{section.path}#{count}"
            while name in taken:
                count += 1
                name = f"{section.path}#{count}"
            used[section.path] = count
            taken.add(name)
            section.name = name


def _code_lines(tokens: list[Token]) -> set[int]:
    lines: set[int] = set()
    for token in tokens:
        if token.map and token.type in ("fence", "code_block", "html_block", "front_matter"):
            lines.update(range(token.map[0], token.map[1]))
    return lines
