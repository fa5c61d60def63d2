"""Replay a made-up day of lookups and print one line of JSON: operations per second and hit rate.

The keys are the same in each run (fixed seed), and so is the hit rate; only the speed depends on the machine.
"""

import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from boundedcache import LRUCache

CAPACITY = 1000
LOOKUPS = 20_000
SCAN_EVERY, SCAN_LENGTH = 4_000, 600


def trace() -> list[int]:
    """Keys in the order they are asked for: few popular ones, a long tail, now and then a scan of new ones."""
    choose = random.Random(2718)
    keys: list[int] = []
    new = 1_000_000
    while len(keys) < LOOKUPS:
        if len(keys) % SCAN_EVERY == SCAN_EVERY - 1:
            keys.extend(range(new, new + SCAN_LENGTH))
            new += SCAN_LENGTH
        keys.append(min(int(choose.paretovariate(0.45)), 50_000))
    return keys[:LOOKUPS]


def main() -> None:
    keys = trace()
    tick = [0.0]
    cache: LRUCache[int, int] = LRUCache(CAPACITY, clock=lambda: tick[0])
    started = time.perf_counter()
    for key in keys:
        tick[0] += 0.001
        if cache.get(key) is None:
            cache.put(key, key, ttl=3.0 if key % 10 == 0 else None)
    elapsed = time.perf_counter() - started
    print(json.dumps({"ops_per_s": round(len(keys) / elapsed), "hit_rate": round(cache.stats().hit_rate, 4)}))


if __name__ == "__main__":
    main()
