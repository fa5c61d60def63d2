"""A bounded, thread-safe cache that drops what was not used for longest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class CacheStats:
    """What a cache has done since it was made or cleared."""

    hits: int
    misses: int
    evictions: int
    """Live entries dropped to make room."""
    expirations: int
    """Entries dropped because their time had run out."""

    @property
    def hit_rate(self) -> float:
        """Share of lookups that were hits, from 0 to 1; 0 before the first lookup."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else 0.0


@dataclass
class _Entry(Generic[V]):
    value: V
    expires_at: float
    used: int


class LRUCache(Generic[K, V]):
    """At most `capacity` entries; the least recently used one makes room for a new one.

    `ttl` is in seconds and counts from the last `put`; None means that entries never expire.
    `clock` gives the time in seconds and exists so that tests need not wait.
    """

    def __init__(
        self, capacity: int, *, ttl: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        if ttl is not None and ttl <= 0:
            raise ValueError("ttl must be positive")
        self._capacity = capacity
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[K, _Entry[V]] = {}
        self._uses = 0
        self._reset_stats()

    def get(self, key: K, default: V | None = None) -> V | None:
        """Return the value of `key` and mark it as used, or `default` if it is missing or expired."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.expires_at <= self._clock():
                del self._entries[key]
                self._expirations += 1
                entry = None
            if entry is None:
                self._misses += 1
                return default
            entry.used = self._next_use()
            self._hits += 1
            return entry.value

    def put(self, key: K, value: V, *, ttl: float | None = None) -> None:
        """Store `value`, replacing what `key` had; `ttl` overrides the cache's own for this entry."""
        with self._lock:
            now = self._clock()
            if key not in self._entries and len(self._entries) >= self._capacity:
                self._evict(now)
            self._entries[key] = _Entry(value, self._deadline(now, ttl), self._next_use())

    def delete(self, key: K) -> bool:
        """Forget `key`; False if it was not there."""
        with self._lock:
            return self._entries.pop(key, None) is not None

    def clear(self) -> None:
        """Forget everything, the statistics included."""
        with self._lock:
            self._entries.clear()
            self._reset_stats()

    def keys(self) -> list[K]:
        """Live keys, the least recently used first."""
        with self._lock:
            now = self._clock()
            live = [key for key, entry in self._entries.items() if entry.expires_at > now]
            return sorted(live, key=lambda key: self._entries[key].used)

    def stats(self) -> CacheStats:
        """A snapshot of the counters."""
        with self._lock:
            return CacheStats(self._hits, self._misses, self._evictions, self._expirations)

    def __contains__(self, key: object) -> bool:
        """True for a live key; does not count as a use or as a lookup."""
        with self._lock:
            entry = self._entries.get(key)  # type: ignore[arg-type]
            return entry is not None and entry.expires_at > self._clock()

    def __len__(self) -> int:
        """Number of entries."""
        with self._lock:
            return len(self._entries)

    def _deadline(self, now: float, ttl: float | None) -> float:
        seconds = self._ttl if ttl is None else ttl
        return inf if seconds is None else now + seconds

    def _evict(self, now: float) -> None:
        """Drop the least recently used entry."""
        del self._entries[min(self._entries, key=lambda key: self._entries[key].used)]
        self._evictions += 1

    def _next_use(self) -> int:
        self._uses += 1
        return self._uses

    def _reset_stats(self) -> None:
        self._hits = self._misses = self._evictions = self._expirations = 0
