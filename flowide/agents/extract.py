"""Takes the code, the document or the JSON out of a reply.

How a block is chosen, when there are several:

1. Blocks tagged with the language go before untagged ones, those before blocks with another tag.
2. A block named after the wanted file wins.
3. Then one that defines everything it must; if none does, the blocks of the language are joined, provided
   that the whole does (a model that splits one file into consecutive blocks).
4. Then the largest.

What remains must parse, and must not leave parts out (`# ... rest unchanged`). Line ends are `\\n`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn

from flowide.agents.fences import Block, blocks_of, is_known, language_named
from flowide.agents.json_fit import is_plain, misfits
from flowide.errors import Incomplete
from flowide.patterns import lazy

Parses = Callable[[bytes], bool]

_ELISION = lazy(
    r"(?im)^[ \t]*(?:#|//|/\*|<!--|--|\*)[ \t]*[(\[]?[ \t]*(?:\.{3}|…).*\b(?:rest|existing|unchanged|remaining|same|"
    r"omitted|previous|other|keep|before)\b"
    r"|^[ \t]*(?:#|//|/\*|<!--)[ \t]*[(\[]?(?:the )?(?:rest of|existing|remaining|other methods|previous)\b.*"
    r"(?:\.{3}|…|unchanged|as before|stays? the same|remains? the same)"
)
_CODE_LINE = lazy(
    r"(?m)^\s*(?:@\w|#!|(?:export|public|private|protected|static|abstract|final|async|pub|unsafe|default)\b.*\b\w+|"
    r"(?:import|from|package|use|class|def|fn|func|function|interface|struct|enum|impl|trait|type|const|let|var)\s+\S|"
    r"\w[\w.\[\]]*\s*(?::\s*[\w.\[\]]+\s*)?=\s*\S|[{}]\s*$)"
)
_DEFINES = (
    r"(?m)\b(?:class|def|fn|func|function\*?|interface|struct|enum|trait|type|const|let|var|static|mod|record|namespace)"
    r"\s+(?:\([^)\n]*\)\s*)?(?:mut\s+)?{name}\b"
    r"|^[ \t]*(?:[\w<>\[\],.?&*@ \t]+[ \t])?(?:\#)?{name}[ \t]*(?:<[^>\n]*>)?[ \t]*(?:\(|=(?!=)|:)"
)
_GREETING = lazy(
    r"(?i)^(?:sure|certainly|of course|okay|ok|absolutely|great)\b|^(?:here(?:'s| is| are)|below is|this is|"
    r"i(?:'ve| have)|the following)\b.*[:.!]?$"
)
_FAREWELL = lazy(
    r"(?i)^(?:let me know|i hope|hope this|feel free|would you like|if you (?:need|want|have|would)|please let me|"
    r"is there anything)\b"
)
_THINKING = lazy(r"\s*<(think|thinking|thought|reasoning|reflection|analysis|scratchpad)>")
_REFUSAL = lazy(
    r"(?i)^(?:i'm sorry|i am sorry|sorry,|i apologi[sz]e|i can(?:'t|not|\u2019t)|i\u2019m sorry|as an ai\b|"
    r"i(?:'m| am) (?:unable|not able))"
)
_DIFF = lazy(r"(?m)\A(?:diff --git .*|--- \S.*\n\+\+\+ \S.*|@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@)")
_MOST_OF_A_REFUSAL = 600
"""Characters; a text that begins with an apology and is longer may be a letter of apology that was asked for."""
_MOST_OBJECTS = 200


def extract_code(
    reply: str,
    language: str,
    must_define: Sequence[str] = (),
    parses: Parses | None = None,
    *,
    path: str = "",
) -> str:
    """The one file that a reply answers with.

    `must_define` are names of pieces (`LRUCache.get`, or a Markdown heading), `parses` says whether source is
    without error, `path` is the file that was asked for.

    Raises:
        Incomplete: Nothing usable, or the reply breaks off inside it; the message says which.
    """
    wanted = language_named(language)
    text = _normalised(reply)
    if not text.strip():
        _refuse("the reply is empty")
    if "\0" in text:
        _refuse("the reply is no text: it holds NUL characters")
    found = (
        _document(text, must_define)
        if wanted == "markdown"
        else _code(text, wanted, must_define, parses, path)
    )
    lacking = [name for name in must_define if not _defines(found, name, wanted)]
    if lacking:
        _refuse(f"the reply does not define {', '.join(lacking)}", missing=lacking)
    if elision := _ELISION.search(found):
        line = found.count("\n", 0, elision.start()) + 1
        _refuse(f"the reply leaves parts out, at its line {line}: {elision[0].strip()[:80]}", line=line)
    if parses is not None and not parses(found.encode()):
        _refuse(f"the {language} in the reply does not parse")
    return found


def extract_json(reply: str, schema: dict[str, Any] | None = None) -> str:
    """The JSON text in a reply: the whole, a fenced block, or the first object in the prose that fits the schema.

    Raises:
        Incomplete: There is none, or none fits.
    """
    wrong = ""
    for candidate in _json_candidates(_normalised(reply)):
        try:
            value = json.loads(candidate, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
        wrong_here = _mismatch(value, schema)
        if not wrong_here:
            return candidate
        wrong = wrong or wrong_here
    _refuse(f"the JSON in the reply does not fit: {wrong}" if wrong else "the reply holds no JSON")


def _normalised(reply: str) -> str:
    """Line ends as `\\n`, without a byte order mark and without reasoning in front."""
    text = reply.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    while thinking := _THINKING.match(text):
        text = text.partition(f"</{thinking[1]}>")[2]
    return text


def _refuse(why: str, **data: Any) -> NoReturn:
    raise Incomplete(why, hint="The agent is asked again; a larger model or max_tokens helps.", **data)


def _code(text: str, wanted: str, must_define: Sequence[str], parses: Parses | None, path: str) -> str:
    blocks = blocks_of(text)
    if not blocks:
        return _unfenced_code(text, wanted, must_define, parses)
    for group in _groups(blocks, wanted):
        closed = [block for block in group if block.closed and block.text.strip()]
        usable = [block for block in closed if parses is None or parses(block.text.encode())]
        chosen = _chosen(usable, closed, wanted, must_define, parses, path)
        if chosen is None:
            continue
        if any(not block.closed and len(block.text) > len(chosen) for block in group):
            break
        return chosen
    if any(not block.closed for block in blocks):
        _refuse("the reply breaks off inside its code block")
    closed = [
        block for block in next(iter(_groups(blocks, wanted)), []) if block.closed and block.text.strip()
    ]
    if not closed:
        _refuse(f"the reply holds no {wanted} code")
    return max(closed, key=lambda block: len(block.text)).text  # the caller says what is wrong with it


_SCRIPTS = {"javascript", "typescript", "tsx"}
"""Their names are often mixed up."""


def _groups(blocks: list[Block], wanted: str) -> Iterator[list[Block]]:
    """The blocks by how well their tag fits, without empty groups."""
    tagged = [
        block
        for block in blocks
        if block.language == wanted or {block.language, wanted} == {"tsx", "typescript"}
    ]
    untagged = [block for block in blocks if block.language in ("", "text")]
    other = [
        block
        for block in blocks
        if block not in tagged
        and block not in untagged
        and (wanted == "text" or not is_known(block.language) or {block.language, wanted} <= _SCRIPTS)
    ]
    return (group for group in (tagged, untagged, other) if group)


def _chosen(
    usable: list[Block],
    closed: list[Block],
    wanted: str,
    must_define: Sequence[str],
    parses: Parses | None,
    path: str,
) -> str | None:
    named = [block for block in usable if path and block.path and path.endswith(block.path.lstrip("./"))]
    whole = [
        block for block in named or usable if all(_defines(block.text, name, wanted) for name in must_define)
    ]
    if whole:
        return max(whole, key=lambda block: len(block.text)).text
    if len(closed) > 1 and must_define:
        joined = "\n".join(block.text for block in closed)
        if all(_defines(joined, name, wanted) for name in must_define) and (
            parses is None or parses(joined.encode())
        ):
            return joined
    return None


def _defines(text: str, name: str, language: str) -> bool:
    last = re.split(r"[./]", name)[-1].partition("#")[0]
    if language == "markdown":
        return re.search(rf"(?im)^#{{1,6}}[ \t]+{re.escape(name.rpartition('/')[2])}", text) is not None
    return re.search(_DEFINES.replace("{name}", re.escape(last)), text) is not None


def _unfenced_code(text: str, wanted: str, must_define: Sequence[str], parses: Parses | None) -> str:
    """The longest run of paragraphs that is code; prose may stand before and after it."""
    paragraphs = re.split(r"(?:[ \t]*\n){2,}", text.strip("\n"))
    starts = [n for n, paragraph in enumerate(paragraphs) if _CODE_LINE.search(paragraph)]
    if not starts or len(paragraphs) > 20_000:
        _refuse(f"the reply holds no {wanted} code")
    positions = _paragraph_starts(text.strip("\n"))
    body = text.strip("\n")
    for last in range(len(paragraphs), max(starts[0], len(paragraphs) - 4), -1):
        for first in islice(range(starts[0] + 1), 12):
            run = body[positions[first] : positions[last]].rstrip() + "\n"
            if parses is not None and not parses(run.encode()):
                continue
            if parses is None and not _CODE_LINE.match(run):
                continue
            if all(_defines(run, name, wanted) for name in must_define):
                return run
    _refuse(f"the reply holds no {wanted} code that parses")


def _paragraph_starts(text: str) -> list[int]:
    """Offsets at which paragraphs begin, and the length."""
    return [0, *(match.end() for match in re.finditer(r"(?:[ \t]*\n){2,}", text)), len(text)]


def _document(text: str, must_define: Sequence[str]) -> str:
    """A Markdown document: the block tagged so, a single block that is most of the reply, or the reply itself."""
    blocks = blocks_of(text)
    tagged = [block for block in blocks if block.language == "markdown"]
    closed = [block for block in tagged if block.closed and block.text.strip()]
    if closed:
        whole = [b for b in closed if all(_defines(b.text, name, "markdown") for name in must_define)]
        return max(whole or closed, key=lambda block: len(block.text)).text
    if any(not block.closed for block in blocks):
        _refuse("the reply breaks off inside a fenced block")
    for block in blocks:
        is_most = len(block.text) * 2 > len(text.strip())
        if is_most and block.language in ("diff", "json"):
            _refuse(f"the reply is no document but {block.language}")
        if block.language in ("", "text") and is_most and re.match(r"\s*(?:#|---\n)", block.text):
            return block.text
    body = _without_chat(text)
    if _REFUSAL.match(body) and len(body) < _MOST_OF_A_REFUSAL and "\n#" not in body:
        _refuse(f"the agent refuses: {body.strip().splitlines()[0][:200]}")
    if _DIFF.match(body) or _is_json(body):
        _refuse("the reply is no document but a diff or JSON")
    return body


def _is_json(text: str) -> bool:
    if not text.startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _without_chat(text: str) -> str:
    """The reply without "Here is …" before and "Let me know …" after it."""
    lines = text.strip("\n").split("\n")
    heading = next((n for n, line in enumerate(lines) if re.match(r"#{1,6} |---$", line)), None)
    if heading and _is_chat(lines[:heading]):
        lines = lines[heading:]
    elif (
        len(lines) > 2
        and _GREETING.match(lines[0])
        and lines[0].rstrip().endswith(":")
        and not lines[1].strip()
    ):
        lines = lines[2:]
    while len(lines) > 1 and _FAREWELL.match(lines[-1]):
        lines.pop()
        while lines and not lines[-1].strip():
            lines.pop()
        if lines and lines[-1].strip() == "---":
            lines.pop()
    body = "\n".join(lines).strip("\n")
    if not body.strip():
        _refuse("the reply holds no document")
    return body + "\n"


def _is_chat(lines: list[str]) -> bool:
    said = [line for line in lines if line.strip()]
    return bool(said) and (_GREETING.match(said[0]) is not None or said[-1].rstrip().endswith(":"))


def _json_candidates(text: str) -> Iterator[str]:
    yield text.strip()
    blocks = blocks_of(text)
    yield from (block.text.strip() for block in blocks if block.closed and block.language == "json")
    yield from (block.text.strip() for block in blocks if block.closed and block.language != "json")
    decoder = json.JSONDecoder()
    at = 0
    for _ in range(_MOST_OBJECTS):
        start = re.compile(r"[{\[]").search(text, at)
        if start is None:
            return
        try:
            _, at = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            at = start.end()
        else:
            yield text[start.start() : at]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _mismatch(value: Any, schema: dict[str, Any] | None) -> str:
    """Why a value does not fit; empty when it does. Without a schema it must be an object or a list."""
    if schema is None:
        return "" if isinstance(value, dict | list) else "it is neither an object nor a list"
    if is_plain(schema):
        return next(misfits(value, schema), "")
    import jsonschema  # type: ignore[import-untyped]  # 60 ms

    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    return "" if error is None else f"{error.message[:200]} (at {error.json_path})"
