"""A bounded in-process cache with expiry and honest statistics."""

from boundedcache.cache import CacheStats, LRUCache

__all__ = ["CacheStats", "LRUCache"]
