"""What a bounded cache promises, whatever it is made of inside."""

import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from boundedcache import CacheStats, LRUCache


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


class Lookups(unittest.TestCase):
    def test_what_was_put_is_found(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        self.assertEqual(cache.get("a"), 1)

    def test_a_missing_key_gives_the_default(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        self.assertIsNone(cache.get("a"))
        self.assertEqual(cache.get("a", 7), 7)

    def test_a_stored_none_is_not_a_miss(self) -> None:
        cache: LRUCache[str, object] = LRUCache(2)
        cache.put("a", None)
        self.assertIsNone(cache.get("a", "default"))
        self.assertEqual(cache.stats().hits, 1)

    def test_putting_again_replaces_the_value(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        cache.put("a", 2)
        self.assertEqual(cache.get("a"), 2)
        self.assertEqual(len(cache), 1)

    def test_delete_tells_whether_there_was_something(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        self.assertTrue(cache.delete("a"))
        self.assertFalse(cache.delete("a"))
        self.assertNotIn("a", cache)

    def test_clear_forgets_entries_and_statistics(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        cache.get("a")
        cache.clear()
        self.assertEqual(len(cache), 0)
        self.assertEqual(cache.keys(), [])
        self.assertEqual(cache.stats(), CacheStats(0, 0, 0, 0))


class Arguments(unittest.TestCase):
    def test_a_capacity_below_one_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            LRUCache(0)

    def test_a_ttl_that_is_not_positive_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            LRUCache(2, ttl=0)


class Eviction(unittest.TestCase):
    def test_the_least_recently_used_entry_goes(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        cache.put("b", 2)
        cache.put("c", 3)
        self.assertNotIn("a", cache)
        self.assertIn("b", cache)
        self.assertIn("c", cache)

    def test_a_lookup_keeps_an_entry_alive(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        cache.put("b", 2)
        cache.get("a")
        cache.put("c", 3)
        self.assertIn("a", cache)
        self.assertNotIn("b", cache)

    def test_putting_again_keeps_an_entry_alive(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        cache.put("b", 2)
        cache.put("a", 3)
        cache.put("c", 4)
        self.assertIn("a", cache)
        self.assertNotIn("b", cache)

    def test_asking_whether_a_key_is_there_is_not_a_use(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2)
        cache.put("a", 1)
        cache.put("b", 2)
        self.assertIn("a", cache)
        cache.put("c", 3)
        self.assertNotIn("a", cache)
        self.assertEqual(cache.stats().hits, 0)

    def test_keys_come_least_recently_used_first(self) -> None:
        cache: LRUCache[str, int] = LRUCache(4)
        for key in "abcd":
            cache.put(key, 0)
        cache.get("b")
        cache.get("a")
        self.assertEqual(cache.keys(), ["c", "d", "b", "a"])

    def test_entries_go_in_exact_order_of_last_use(self) -> None:
        cache: LRUCache[str, int] = LRUCache(3)
        for key in "abc":
            cache.put(key, 0)
        cache.get("a")
        gone = []
        for key in "defg":
            before = set(cache.keys())
            cache.put(key, 0)
            gone += sorted(before - set(cache.keys()))
        self.assertEqual(gone, ["b", "c", "a", "d"])

    def test_a_long_run_of_new_keys_leaves_the_newest(self) -> None:
        cache: LRUCache[int, int] = LRUCache(1500)
        for number in range(9000):
            cache.put(number, number)
        self.assertEqual(cache.keys(), list(range(7500, 9000)))
        self.assertEqual(cache.stats().evictions, 7500)


class Expiry(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock()

    def test_an_entry_lives_until_its_time_is_up(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2, ttl=10, clock=self.clock)
        cache.put("a", 1)
        self.clock.pass_seconds(9.5)
        self.assertEqual(cache.get("a"), 1)
        self.clock.pass_seconds(0.5)
        self.assertIsNone(cache.get("a"))
        self.assertNotIn("a", cache)

    def test_an_entry_can_have_its_own_ttl(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2, ttl=10, clock=self.clock)
        cache.put("a", 1, ttl=60)
        self.clock.pass_seconds(30)
        self.assertEqual(cache.get("a"), 1)

    def test_putting_again_renews_the_time(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2, ttl=10, clock=self.clock)
        cache.put("a", 1)
        self.clock.pass_seconds(6)
        cache.put("a", 2)
        self.clock.pass_seconds(6)
        self.assertEqual(cache.get("a"), 2)

    def test_a_key_put_again_after_delete_starts_anew(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2, clock=self.clock)
        cache.put("a", 1, ttl=5)
        cache.delete("a")
        cache.put("a", 2)
        self.clock.pass_seconds(60)
        self.assertEqual(cache.get("a"), 2)

    def test_expired_entries_are_not_counted(self) -> None:
        cache: LRUCache[str, int] = LRUCache(4, clock=self.clock)
        cache.put("a", 1, ttl=5)
        cache.put("b", 2)
        self.clock.pass_seconds(5)
        self.assertEqual(len(cache), 1)
        self.assertEqual(cache.keys(), ["b"])

    def test_an_expired_entry_goes_before_a_live_one(self) -> None:
        cache: LRUCache[str, int] = LRUCache(2, clock=self.clock)
        cache.put("old but live", 1)
        cache.put("expired", 2, ttl=5)
        self.clock.pass_seconds(5)
        cache.put("new", 3)
        self.assertIn("old but live", cache)
        self.assertEqual(cache.stats().evictions, 0)
        self.assertEqual(cache.stats().expirations, 1)


class Counting(unittest.TestCase):
    def test_statistics_tell_what_happened(self) -> None:
        clock = Clock()
        cache: LRUCache[str, int] = LRUCache(2, clock=clock)
        cache.put("a", 1, ttl=10)
        cache.put("b", 2)
        cache.get("a")
        cache.get("nobody")
        cache.put("c", 3)
        clock.pass_seconds(10)
        cache.get("a")
        self.assertEqual(cache.stats(), CacheStats(hits=1, misses=2, evictions=1, expirations=1))

    def test_the_hit_rate_of_an_unused_cache_is_zero(self) -> None:
        self.assertEqual(LRUCache(2).stats().hit_rate, 0.0)


class Threads(unittest.TestCase):
    def test_threads_share_a_cache_without_breaking_it(self) -> None:
        cache: LRUCache[int, int] = LRUCache(50, ttl=60)
        errors: list[BaseException] = []

        def work(first: int) -> None:
            try:
                for number in range(first, first + 400):
                    cache.put(number % 80, number)
                    cache.get((number * 7) % 80)
                    if number % 10 == 0:
                        cache.delete(number % 80)
                        len(cache)
            except BaseException as error:
                errors.append(error)

        workers = [threading.Thread(target=work, args=(number * 13,)) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(errors, [])
        self.assertLessEqual(len(cache), 50)
        self.assertEqual(cache.stats().hits + cache.stats().misses, 8 * 400)


if __name__ == "__main__":
    unittest.main()
