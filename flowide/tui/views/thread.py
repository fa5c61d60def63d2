"""A thread as rows: who said what, code folded, what was decided, and the answers that are being written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from rich.cells import cell_len, chop_cells

from flowide.patterns import lazy
from flowide.tui.views.actors import colour_of
from flowide.tui.views.spans import Row, Span, clean, lines_of
from flowide.tui.views.words import clock_time, count

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import ThreadView

FOLD = 4
"""Lines of code that are shown without being folded."""
MOST_LIVE = 8_000
"""Characters at the end of an unfinished answer that are shown."""
DECIDED: dict[str, tuple[str, str]] = {
    "open": ("◇", "warn"),
    "agreed": ("✓", "good"),
    "superseded": ("○", "quiet"),
}
"""Sign and role of a decision's state."""
_FENCE = lazy(r" {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)")
_BEGINS = lazy(r"\s*(?:$|>|#{1,6} |[-*+] |\d+[.)] |\|)")
"""Starts of lines that belong to no paragraph above."""
_ENTRY = lazy(r"\s*(?:[-*+]|\d+[.)]) ")
FULL = 60
"""Characters from which on a line that ends looks as if it had been broken for its length."""
_LISTED = lazy(r"([-*+]|\d+\.) ")
_NAME = lazy(r"(@[A-Za-z0-9][A-Za-z0-9_-]*)")


GAP = Row(())
"""Between messages."""


class Talk(Struct, frozen=True):
    """What is shown of a thread at one moment."""

    view: ThreadView
    decisions: Sequence[rows.Decision] = ()
    """Of this thread."""
    live: Mapping[tuple[str, str], str] = {}
    """What unfinished answers hold so far, by message id and agent."""

    @property
    def first(self) -> int:
        """Number of the earliest message that is known; 1 where there is none."""
        return self.view.messages[0].number if self.view.messages else 1


class Spot(Struct, frozen=True):
    """Key of a row of a thread."""

    kind: Literal["earlier", "line", "code", "decision", "turn"]
    ref: str
    """Id of the message, decision, or message of the turn."""
    at: int = 0
    """Line of the message, or which of its code blocks."""
    agent: str = ""


class Code(Struct, frozen=True):
    """A block of code of a message."""

    text: str
    """With a line break at its end."""
    language: str

    @property
    def file_name(self) -> str:
        """A name that its kind of file would have."""
        return "snippet" + _ENDINGS.get(self.language.lower(), ".txt")


_ENDINGS = {
    "python": ".py", "py": ".py", "javascript": ".js", "js": ".js", "typescript": ".ts", "ts": ".ts", "tsx": ".tsx",
    "go": ".go", "rust": ".rs", "java": ".java", "markdown": ".md", "md": ".md", "json": ".json", "yaml": ".yaml",
    "toml": ".toml", "html": ".html", "css": ".css", "sh": ".sh", "bash": ".sh", "sql": ".sql", "c": ".c",
    "cpp": ".cpp", "diff": ".diff",
}  # fmt: skip


def code_of(text: str) -> list[Code]:
    """The blocks of code of a message, in order."""
    found = []
    prose: list[str] = []
    fence, language = "", ""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        match = _FENCE.match(line)
        if not fence and match:
            fence, language, lines = match[1], match[2], []
        elif fence and match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
            found.append(Code("\n".join([*lines, ""]), language))
            fence = ""
        else:
            (lines if fence else prose).append(line)
    if fence:
        found.append(Code("\n".join([*lines, ""]), language))
    return found


class Page(Struct, frozen=True):
    """How rows are drawn: cells to wrap at, colours, what is unfolded, and the zone of times."""

    width: int
    book: Mapping[str, str]
    unfolded: frozenset[Spot] = frozenset()
    zone: tzinfo | None = None
    kept: dict[tuple[str, int | None], list[Row]] = {}
    """Rows of messages that were drawn so before: what was said never changes."""


def thread_rows(talk: Talk, page: Page) -> list[Row]:
    """All rows, oldest message first, unfinished answers last."""
    view = talk.view
    found: list[Row] = []
    earlier = view.messages[0].number - 1 if view.messages else 0
    if earlier:
        found.append(
            Row((("↑ ", "key"), (count(earlier, "earlier message"), "quiet")), (), Spot("earlier", ""))
        )
        found.append(Row(()))
    versions = _versions(view)
    placed: set[str] = set()
    decided: dict[str, list[rows.Decision]] = {}
    for decision in talk.decisions:
        decided.setdefault(decision.message or "", []).append(decision)
    ended: dict[str, list[rows.Turn]] = {}
    for turn in view.turns:
        if turn.state in {"failed", "stopped"}:
            ended.setdefault(turn.message, []).append(turn)
    for message in view.messages:
        found += message_rows(message, page, versions.get(message.id))
        for decision in decided.get(message.id, ()):
            placed.add(decision.id)
            found += decision_rows(decision, page, said=message.text)
        for turn in ended.get(message.id, ()):
            found += _ended_rows(turn, page)
        found.append(GAP)
    if not earlier:
        for decision in talk.decisions:
            if decision.id not in placed:
                found += [*decision_rows(decision, page), Row(())]
    due = due_turns(view)
    for turn in due:
        live = talk.live.get((turn.message, turn.agent), "")
        found += [*_due_rows(turn, live, page, first=turn is due[0]), Row(())]
    if found and not found[-1].left:
        found.pop()
    return found


def _versions(view: ThreadView) -> dict[str, int]:
    """Version of the artifact that each message is about, where it says so."""
    known: dict[str, int] = {}
    for message in view.messages:
        refs = [ref for ref in message.refs if ref.get("kind") == "artifact"]
        own = next(
            (ref for ref in refs if ref.get("artifact") == view.thread.about), refs[0] if refs else None
        )
        if own is not None and isinstance(own.get("version"), int):
            known[message.id] = own["version"]
        elif message.reply_to in known:
            known[message.id] = known[message.reply_to]
    return known


def message_rows(message: rows.Message, page: Page, version: int | None = None) -> list[Row]:
    """One message: its head, then its text with code folded."""
    known = page.kept.get((message.id, version))
    if known is not None:
        return known
    colour = colour_of(page.book, message.actor)
    head: list[Span] = [(clean(message.actor), f"{colour} b")]
    about = [clean(message.model)] if message.model else []
    about += [f"v{version}"] if version is not None else []
    if about:
        head.append((f"  {' · '.join(about)}", "quiet"))
    when = f"#{message.number} {clock_time(message.ts, page.zone)}"
    found = [Row(tuple(head), ((when, "quiet"),), Spot("line", message.id))]
    found += _text_rows(message.text, message.id, page)
    page.kept[message.id, version] = found
    return found


def _text_rows(text: str, ref: str, page: Page) -> list[Row]:
    found: list[Row] = []
    blocks = 0
    for lines, language in _parts(text):
        if language is None:
            for line in joined(lines):
                for spans in _prose(line, page):
                    found.append(Row(tuple(spans), (), Spot("line", ref, len(found) + 1)))
            continue
        blocks += 1
        spot = Spot("code", ref, blocks)
        if len(lines) > FOLD:
            opened = spot in page.unfolded
            words = f"{count(len(lines), 'line')} of {language or 'code'}"
            found.append(
                Row(((f"  {'▾' if opened else '▸'} ", "accent"), (words, "quiet")), (("o", "key"),), spot)
            )
            if not opened:
                continue
        for line in lines:
            for part in chop_cells(line, max(4, page.width - 4)) or [""]:
                found.append(Row((("  ", ""), (part, "secondary")), (), Spot("line", ref, len(found) + 1)))
    return found


def _parts(text: str) -> Iterator[tuple[list[str], str | None]]:
    """Prose (language None) and fenced blocks of code, in order; an open fence ends with the text."""
    prose: list[str] = []
    code: list[str] = []
    fence, language = "", ""
    for line in lines_of(text.strip("\n")):
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
                yield code, language
                fence, code = "", []
            else:
                code.append(line)
        elif match:
            if prose:
                yield prose, None
            prose, fence, language = [], match[1], match[2]
        else:
            prose.append(line)
    if fence:
        yield code, language
    elif prose:
        yield prose, None


def joined(lines: Sequence[str]) -> list[str]:
    """Paragraphs that were broken for a width of their author, as one line each; short lines end where they end."""
    found: list[str] = []
    full = False
    for line in lines:
        indented = line[:1] == " "
        goes_on = full and not _BEGINS.match(line) and (not indented or _ENTRY.match(found[-1]) is not None)
        if goes_on:
            found[-1] += " " + line.strip()
        else:
            found.append(line)
        full = len(line) >= FULL and (_BEGINS.match(found[-1]) is None or _ENTRY.match(found[-1]) is not None)
    return found


def _prose(line: str, page: Page) -> list[list[Span]]:
    """A line of prose, wrapped; names of people and agents in their colours."""
    role = "quiet" if line.lstrip().startswith(">") else "b" if re.match(r"#{1,6} ", line) else ""
    return [_named(part, role, page) for part in wrapped(line, max(8, page.width - 2))]


def _named(text: str, role: str, page: Page) -> list[Span]:
    return [
        (part, page.book[part[1:].lower()] if part[:1] == "@" and part[1:].lower() in page.book else role)
        for part in _NAME.split(text)
        if part
    ]


def wrapped(line: str, width: int) -> list[str]:
    """A line in parts of at most `width` cells, broken at spaces; parts after the first keep its indent."""
    size = len if line.isascii() else cell_len
    if size(line) <= width:
        return [line]
    bare = line.lstrip(" ")
    lead = line[: len(line) - len(bare)][: width // 2]
    indent = " " * min(len(line) - len(bare) + (2 if _LISTED.match(bare) else 0), width // 2)
    parts: list[str] = []
    at, used, begun = lead, len(lead), False
    for word in bare.split(" "):
        need = size(word)
        if begun and used + 1 + need > width:
            parts.append(at)
            at, used, begun = indent, len(indent), False
        at, used = (f"{at} {word}", used + 1 + need) if begun else (at + word, used + need)
        begun = begun or bool(word)
        while used > width:
            first, *rest = chop_cells(at, width)
            parts.append(first)
            at = indent + "".join(rest)
            used = size(at)
    return [*parts, at] if at.strip() or not parts else parts


def decision_rows(decision: rows.Decision, page: Page, said: str = "") -> list[Row]:
    """A decision with its state; its words, too, unless `said` right above."""
    sign, role = DECIDED[decision.status]
    spot = Spot("decision", decision.id)
    state = f"agreed by {clean(decision.agreed_by)}" if decision.agreed_by else decision.status
    head: tuple[Span, ...] = ((f"{sign} D{decision.number} ", f"{role} b"), (state, role))
    key = {"open": "y agrees", "agreed": "y opens again"}.get(decision.status, "y opens again")
    found = [Row(head, ((key, "quiet"),), spot)]
    words = " ".join(decision.text.split())
    if words in " ".join(said.split()):
        return found
    for part in wrapped(clean(words), max(8, page.width - 4)):
        found.append(Row((("  ", ""), (part, "")), (), spot))
    return found


def _ended_rows(turn: rows.Turn, page: Page) -> list[Row]:
    """An answer that will not come, and why."""
    sign, role = ("✗", "bad") if turn.state == "failed" else ("○", "quiet")
    spot = Spot("turn", turn.message, agent=turn.agent)
    error = turn.error or {}
    why = str(error.get("message") or turn.why or turn.state)
    words = clean(" ".join(why.split()))
    head: tuple[Span, ...] = (
        (f"{sign} ", role),
        (clean(turn.agent), colour_of(page.book, turn.agent)),
        ("  does not answer" if turn.state == "failed" else "  stopped", "quiet"),
    )
    found = [Row(head, (("r asks again", "quiet"),), spot)]
    if words not in {"stopped", "failed"}:
        found += [
            Row((("  ", ""), (part, role)), (), spot) for part in wrapped(words, max(8, page.width - 4))
        ]
    return found


def due_turns(view: ThreadView) -> list[rows.Turn]:
    """Answers on their way, those being written first."""
    return [turn for state in ("taken", "waiting") for turn in view.turns if turn.state == state]


def _due_rows(turn: rows.Turn, text: str, page: Page, *, first: bool) -> list[Row]:
    """An answer on its way; its last line ends with the cursor. The first one is what esc stops."""
    colour = colour_of(page.book, turn.agent)
    spot = Spot("turn", turn.message, agent=turn.agent)
    doing = "is asked" if turn.state == "waiting" else "edits" if turn.edit else "writes"
    head: tuple[Span, ...] = (
        (clean(turn.agent), f"{colour} b"),
        ("  ◐ ", colour),
        (f"{doing} · #{turn.number}", "quiet"),
    )
    found = [Row(head, (("esc stops", "quiet"),) if first else (), spot)]
    if turn.state == "waiting":
        return found
    body = _text_rows(text[-MOST_LIVE:], turn.message, page)
    body = [Row(row.left, row.right, spot) for row in body] or [Row((), (), spot)]
    last = body[-1]
    body[-1] = Row((*last.left, ("▍", colour)), last.right, spot)
    return found + body


def thread_title(talk: Talk | None, about: str | None) -> tuple[list[Span], list[Span]]:
    """The line above a thread; None = one that is about to be opened."""
    if talk is None:
        name = clean(about.rsplit("/", 1)[-1]) if about else "about nothing in particular"
        return [("NEW THREAD ", "quiet b"), (name, "")], []
    thread = talk.view.thread
    return [("THREAD ", "quiet b"), (clean(" ".join(thread.title.split())), "b")], [
        (count(thread.count, "msg"), "quiet")
    ]


def empty_rows(about: str | None, width: int) -> list[Row]:
    """What a thread that nobody has spoken in says."""
    texts = [
        f"Say something about {clean(about)}." if about else "Say something.",
        "",
        "@ and a name asks an agent, @all asks all of them; # and a path points at a file. tab completes both.",
        "/ lists what the app can do.",
        "",
        "An agent that is asked to change a file does it under the lock.",
    ]
    return [Row(((part, "quiet"),)) for text in texts for part in wrapped(text, max(8, width - 2))]


def completions(before: str, handles: Sequence[str], paths: Sequence[str]) -> tuple[str, list[str]]:
    """What the word at the cursor can become: the word, and whole words that begin or go on like it."""
    match = re.search(r"(?:^|(?<=[\s(]))([@#])([\w./-]*)$", before)
    if match is None:
        return "", []
    typed = match[2].casefold()
    if match[1] == "@":
        names = [name for name in (*handles, "all") if name.casefold().startswith(typed)]
        return match[0], ["@" + name for name in names]
    named = [path for path in paths if path.rsplit("/", 1)[-1].casefold().startswith(typed)]
    within = [path for path in paths if typed in path.casefold() and path not in named]
    return match[0], [f'#"{path}"' if " " in path else "#" + path for path in [*named, *within][:20]]
