"""How a hub serves."""

from __future__ import annotations

from msgspec import Struct


class Manner(Struct, frozen=True):
    """How a hub serves."""

    hosts: frozenset[str] | None = None
    """Names under which it may be called; None = any."""
    origins: frozenset[str] = frozenset()
    """Web pages that may call it."""
    ping_s: float = 15.0
    drop_s: float = 45.0
    """Of silence, after which a client is gone."""
    failures: int = 10
    """Wrong tokens and codes of one address in a minute; after that it is told to wait."""
    streams: int = 64
    """Streams that one token may have open."""
    connections: int | None = None
    """Connections that one address may have open; None = any number."""
    request_s: float = 10.0
    """So long a new connection may take until its first request is there."""
    hub_ms: int = 200
    """Live text is sent on this often at most …"""
    hub_bytes: int = 1024
    """… or when so much has come."""
