"""What kind of artifact a file is."""

from __future__ import annotations

from pathlib import PurePosixPath

_EXTENSIONS = {
    "document": "md markdown rst txt adoc asciidoc tex org textile typ",
    "component": "tsx jsx vue svelte astro html htm css scss sass less",
    "data": "json jsonl ndjson json5 yaml yml toml ini cfg conf csv tsv xml svg sql lock env properties po",
    "binary": "png jpg jpeg gif webp bmp ico pdf zip gz bz2 xz zst tar 7z jar whl so dylib dll exe o a class "
    "wasm woff woff2 ttf otf eot mp3 mp4 ogg wav flac webm avi mov db sqlite sqlite3 pyc pkl npy npz parquet",
}
_KIND_OF = {f".{ext}": kind for kind, exts in _EXTENSIONS.items() for ext in exts.split()}
_DOCUMENTS = frozenset(
    {"readme", "license", "licence", "changelog", "contributing", "authors", "notice", "todo"}
)


def kind_of(path: str, data: bytes) -> str:
    """The kind by the file name, `code` unless it is known; `binary` also when the bytes are no text."""
    if not is_text(data):
        return "binary"
    name = PurePosixPath(path)
    known = _KIND_OF.get(name.suffix.casefold())
    if known is not None:
        return known
    return "document" if name.name.casefold() in _DOCUMENTS else "code"


def written_like(text: str, base: str) -> str:
    """The text with the line ends and the byte order mark of `base`, where that has one kind of line ends only.

    Agents answer with bare line feeds; so a file with CRLF is not changed in every line by a small edit.
    """
    breaks, crlf = base.count("\n"), base.count("\r\n")
    if breaks and breaks == crlf:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return f"\ufeff{text}" if base.startswith("\ufeff") and not text.startswith("\ufeff") else text


def is_text(data: bytes) -> bool:
    """Whether the bytes are UTF-8 without NUL."""
    if b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
