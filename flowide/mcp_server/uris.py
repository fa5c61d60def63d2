"""Addresses of artifacts as resources."""

from __future__ import annotations

from urllib.parse import quote, unquote

SCHEME = "flowide://artifact/"


def address(path: str) -> str:
    """The address of an artifact, percent-encoded."""
    return SCHEME + quote(path, safe="/", errors="surrogateescape")


def path_in(uri: str) -> str:
    """The path that an address names; what is no UTF-8 in it becomes lone surrogates, which no path has."""
    return unquote(uri.removeprefix(SCHEME), errors="surrogateescape")


def canonical(uri: str) -> str:
    """The address as `address` writes it, however it was encoded."""
    return address(path_in(uri)) if uri.startswith(SCHEME) else uri
