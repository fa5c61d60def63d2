"""Laws that every splice keeps, tried on generated sources."""

from __future__ import annotations

import ast
from textwrap import indent

from hypothesis import given, settings
from hypothesis import strategies as st

from flowide.errors import Rejected
from flowide.pieces import Language, Take, blend_lineage, first_lineage, list_pieces, splice, take
from tests.pieces.cases import undone

_NAMES = st.sampled_from(["alpha", "beta", "gamma", "Delta", "épsilon", "_zeta"])
_UNITS = st.sampled_from(["    ", "  ", "\t"])
_STRINGS = st.sampled_from(['"""a\n  b\n\tc"""', "'x'", 'f"""\n{1}\n"""', "b''", '"# no comment"'])


@st.composite
def _function(draw: st.DrawFn, unit: str, method: bool) -> str:
    name = draw(_NAMES)
    lines = []
    if draw(st.booleans()):
        lines.append(f"# about {name} ✓")
    if draw(st.booleans()):
        lines.append("@decorated(\n" + unit + "1,\n)")
    lines.append(f"def {name}({'self' if method else 'x'}):")
    body = [
        f"y = {draw(_STRINGS)}",
        f"if y:\n{unit}return {draw(st.integers(0, 99))}",
        "return [\n" + unit + "1,\n]",
    ]
    chosen = draw(st.lists(st.sampled_from(range(3)), min_size=1, max_size=3))
    text = "\n".join(_shifted(body[at], unit) for at in chosen)
    return "\n".join(lines) + "\n" + text


def _shifted(text: str, unit: str) -> str:
    """Indented, but not inside strings: those of `_STRINGS` stand alone in their statement."""
    if '"""' in text:
        return unit + text
    return indent(text, unit)


@st.composite
def _module(draw: st.DrawFn) -> bytes:
    unit = draw(_UNITS)
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            members = draw(st.lists(_function(unit, method=True), min_size=1, max_size=3))
            body = "\n\n".join(_method(member, unit) for member in members)
            parts.append(f"class {draw(_NAMES)}:\n{body}")
        else:
            parts.append(draw(_function(unit, method=False)))
    if draw(st.booleans()):
        parts.insert(0, "import os\nfrom typing import Any")
    gap = "\n" * draw(st.integers(1, 3))
    text = gap.join(parts) + ("\n" if draw(st.booleans()) else "")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    data = text.encode()
    return b"\xef\xbb\xbf" + data if draw(st.booleans()) else data


def _method(text: str, unit: str) -> str:
    """A function moved one level in; its strings of several lines stay as they are."""
    out, inside = [], False
    for line in text.split("\n"):
        out.append(line if inside else unit + line)
        if line.count('"""') % 2:
            inside = not inside
    return "\n".join(out)


_SETTINGS = settings(max_examples=25, deadline=None)


@given(_module())
@_SETTINGS
def test_a_piece_spliced_into_its_own_source_changes_nothing(source: bytes) -> None:
    for piece in list_pieces(source, "python"):
        made = splice(source, [Take(source=source, piece=piece.name)], "python")

        assert made.source == source
        assert [change.action for change in made.changes] == ["unchanged"]


@given(_module(), _module())
@_SETTINGS
def test_a_splice_compiles_and_its_changes_lead_back_to_the_base(base: bytes, source: bytes) -> None:
    for piece in list_pieces(source, "python"):
        try:
            made = splice(base, [Take(source=source, piece=piece.name)], "python")
        except Rejected:
            continue
        compile(made.source, "<result>", "exec")
        assert undone(base, made) == base


@given(_module(), _module())
@_SETTINGS
def test_the_piece_that_comes_out_means_what_it_meant(base: bytes, source: bytes) -> None:
    for piece in list_pieces(source, "python"):
        try:
            made = splice(base, [Take(source=source, piece=piece.name)], "python")
        except Rejected:
            continue
        target = next(change.target for change in made.changes if change.take == 0)
        assert _meaning(made.source, target) == _meaning(source, piece.name)


def _meaning(source: bytes, name: str) -> str:
    """The piece as the interpreter reads it, whatever its indentation and line breaks."""
    piece = next(piece for piece in list_pieces(source, "python") if piece.name == name)
    text = source.replace(b"\xef\xbb\xbf", b"", 1)
    moved = len(source) - len(text)
    head = text[: piece.start - moved]
    line = head[head.rfind(b"\n") + 1 :]
    block = line + text[piece.start - moved : piece.end - moved]
    return ast.dump(ast.parse(b"if 1:\n" + block if line else block))


@given(_module(), _module())
@_SETTINGS
def test_there_and_back_again_is_the_base(base: bytes, source: bytes) -> None:
    known = {piece.name for piece in list_pieces(base, "python")}
    for piece in list_pieces(source, "python"):
        if piece.name not in known:
            continue
        try:
            there = splice(base, [Take(source=source, piece=piece.name)], "python")
            change = next(change for change in there.changes if change.take == 0)
            back = splice(there.source, [Take(source=base, piece=change.target)], "python")
        except Rejected:
            continue
        if change.action == "replaced" and change.target == piece.name:
            assert back.source == base


@given(st.sampled_from(["python", "typescript", "go", "rust", "java", "markdown"]), st.binary(max_size=60))
@_SETTINGS
def test_bytes_of_any_kind_are_listed_or_refused(language: Language, source: bytes) -> None:
    from flowide.errors import BadInput

    try:
        pieces = list_pieces(source, language)
    except BadInput:
        return
    for piece in pieces:
        assert take(source, piece.name, language) == source[piece.start : piece.end]


@given(st.lists(_module(), min_size=2, max_size=5), st.data())
@_SETTINGS
def test_every_piece_of_a_blend_of_blends_names_its_first_source(
    sources: list[bytes], data: st.DataObject
) -> None:
    written = [first_lineage(text, "python", label=str(at)) for at, text in enumerate(sources)]
    blend, lineage = sources[0], written[0]

    for at, source in enumerate(sources[1:], start=1):
        pieces = [piece.name for piece in list_pieces(source, "python")]
        if not pieces:
            continue
        # Taken out of the newcomer, or, as often, out of the blend so far put into the newcomer.
        base, other, base_lineage, other_lineage = blend, source, lineage, written[at]
        if data.draw(st.booleans()) and list_pieces(blend, "python"):
            base, other, base_lineage, other_lineage = source, blend, written[at], lineage
        name = data.draw(st.sampled_from([piece.name for piece in list_pieces(other, "python")]))
        takes = [Take(source=other, piece=name)]
        try:
            made = splice(base, takes, "python")
        except Rejected:
            continue
        lineage = blend_lineage(base, base_lineage, takes, [other_lineage], made, "python")
        blend = made.source

    assert set(lineage) == {piece.name for piece in list_pieces(blend, "python")}
    for name, origin in lineage.items():
        first = written[int(origin.label)]
        assert first[origin.piece] == origin
        parents = {piece.parent for piece in list_pieces(blend, "python")}
        if name not in parents:
            assert _meaning(blend, name) == _meaning(sources[int(origin.label)], origin.piece)
