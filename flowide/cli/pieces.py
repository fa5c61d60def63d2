"""`flowide pieces` and `flowide splice`: symbols and sections of plain files, no space needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flowide.pieces.model import Language, Spliced, Take

_LANGUAGES = ["python", "typescript", "tsx", "javascript", "go", "rust", "java", "markdown"]

_STDIN = "-"

_LANGUAGE = click.option(
    "--language",
    type=click.Choice(_LANGUAGES),
    default=None,
    help="Language of the files; by default the file name tells.",
)


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  flowide pieces src/cache.py\n"
        "  flowide pieces README.md --json\n"
        "  git show HEAD:cache.py | flowide pieces - --language python"
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@_LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="A JSON list with byte and line ranges and hashes.")
def pieces(file: Path, language: Language | None, as_json: bool) -> None:
    """List the symbols of a source file, or the sections of a Markdown document; `-` is the standard input."""
    import json
    from hashlib import sha256

    from flowide.pieces.listing import list_pieces

    source = _read(file)
    found = list_pieces(source, _language(file, language), label=str(file))
    if as_json:
        rows = [
            {
                "name": piece.name,
                "kind": piece.kind,
                "start": piece.start,
                "end": piece.end,
                "start_line": piece.start_line,
                "end_line": piece.end_line,
                "parent": piece.parent,
                "sha256": sha256(source[piece.start : piece.end]).hexdigest(),
            }
            for piece in found
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    kinds = max((len(piece.kind) for piece in found), default=0)
    for piece in found:
        click.echo(f"{piece.kind:<{kinds}}  {piece.name}  {piece.start_line}-{piece.end_line}")


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  flowide splice cache.py --take other.py:LRUCache.get\n"
        "  flowide splice cache.py --take a.py:LRUCache.get --take b.py:helper -o cache.py\n"
        "  flowide splice sort.py --take fast.py:quick_sort --as sort\n\n"
        "With --as the piece gets the name NAME in the base: it replaces the base's symbol NAME if there is one,\n"
        "else it is inserted as NAME; its definition and its references to itself are renamed, nothing else."
    ),
)
@click.argument("base", type=click.Path(path_type=Path))
@click.option(
    "--take",
    "taken",
    multiple=True,
    required=True,
    metavar="OTHER:PIECE",
    help="A piece of another file; may be given several times.",
)
@click.option(
    "--as", "as_name", default=None, metavar="NAME", help="Qualified name in the base; with one --take."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help="Write to this file.")
@_LANGUAGE
@click.option(
    "--json", "as_json", is_flag=True, help="Report changes and warnings as JSON instead of the text."
)
def splice(
    base: Path,
    taken: tuple[str, ...],
    as_name: str | None,
    output: Path | None,
    language: Language | None,
    as_json: bool,
) -> None:
    """Put pieces of other files into BASE and print the result.

    A piece replaces the one of its name, or is inserted where it belongs. Comments, decorators and the imports it
    needs come along; every other byte of BASE stays. A result that would not parse is refused (exit 4).
    BASE may be `-`, the standard input; its language is then that of the first OTHER.
    """
    from flowide.errors import BadInput
    from flowide.pieces.splicing import splice as splice_pieces

    if as_name is not None and len(taken) != 1:
        raise BadInput("--as goes with exactly one --take", hint="Splice the pieces one after the other.")
    text = _read(base)
    first, _ = _parted(taken[0])
    chosen = _language(first if str(base) == _STDIN else base, language)
    takes = [_take(each, as_name, base, chosen, language is not None) for each in taken]
    result = splice_pieces(text, takes, chosen)
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    if output is not None:
        _write(output, result.source)
    if as_json:
        _report(result, output)
    elif output is None:
        sys.stdout.buffer.write(result.source)
        sys.stdout.buffer.flush()


def _report(result: Spliced, output: Path | None) -> None:
    import json

    from msgspec import to_builtins

    changes = to_builtins(result.changes)
    for change in changes:
        change["start_line"] = result.source.count(b"\n", 0, change["start"]) + 1
        change["end_line"] = result.source.count(b"\n", 0, max(change["start"], change["end"] - 1)) + 1
    report = {"changes": changes, "warnings": result.warnings}
    if output is None:
        report["source"] = result.source.decode()
    else:
        report["output"] = str(output)
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))


def _read(file: Path) -> bytes:
    from flowide.errors import BadInput, NotFound, TooLarge
    from flowide.pieces.languages import MAX_BYTES

    try:
        if str(file) == _STDIN:
            if sys.stdin.isatty():
                raise BadInput(
                    "the standard input is a terminal", hint="Pipe a text into it, or name a file."
                )
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        if file.is_dir():
            raise BadInput(f"{file} is a folder", hint="Name a file.")
        if file.stat().st_size > MAX_BYTES:
            raise TooLarge(
                f"{file} has {file.stat().st_size:,} bytes",
                hint=f"Pieces work on files of up to {MAX_BYTES // 1024 // 1024} MiB.",
            )
        return file.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {file}", hint="Check the path.") from error
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{file} cannot be read: {_reason(error)}", hint="Check the path and its permissions."
        ) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _language(file: Path, chosen: Language | None) -> Language:
    from flowide.errors import BadInput
    from flowide.pieces.languages import language_of

    found = chosen or language_of(file)
    if found is None:
        raise BadInput(
            f"the language of {file} is not known",
            hint=f"Say it with --language: {', '.join(_LANGUAGES)}.",
        )
    return found


def _parted(text: str) -> tuple[Path, str]:
    """The file and the piece of OTHER:PIECE; both may have colons in them, the longest file that exists counts."""
    from flowide.errors import BadInput, NotFound

    usage = "Write FILE:PIECE, such as other.py:helper."
    at = text.rfind(":")
    while at > 0:
        file = Path(text[:at])
        if file.is_file():
            if not text[at + 1 :]:
                raise BadInput(f"--take {text} names no piece", hint=usage)
            return file, text[at + 1 :]
        at = text.rfind(":", 0, at)
    if ":" not in text or Path(text).is_file():
        raise BadInput(f"--take {text} names no piece", hint=usage)
    raise NotFound(f"no such file in --take {text}", hint=usage)


def _take(text: str, as_name: str | None, base: Path, language: Language, forced: bool) -> Take:
    from flowide.errors import BadInput
    from flowide.pieces.languages import language_of
    from flowide.pieces.model import Take

    file, piece = _parted(text)
    other = language_of(file)
    if not forced and other is not None and _family(other) != _family(language):
        raise BadInput(
            f"{file} is {other}, {base} is {language}",
            hint="Take pieces from files in the same language, or say --language.",
        )
    return Take(source=_read(file), piece=piece, label=str(file), as_name=as_name)


def _family(language: Language) -> str:
    return "ecma" if language in ("typescript", "tsx", "javascript") else language


def _write(file: Path, source: bytes) -> None:
    """Write through a temporary file beside it, so that nobody sees half a text."""
    import os
    import tempfile

    from flowide.errors import BadInput

    temporary: str | None = None
    try:
        if file.exists() and not file.is_file():
            # A device or a pipe cannot be replaced; a folder says so itself.
            file.write_bytes(source)
            return
        target = file.resolve() if file.is_symlink() else file
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(source)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~mask)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise BadInput(
            f"{file} cannot be written: {_reason(error)}", hint="Check the folder and its permissions."
        ) from error
