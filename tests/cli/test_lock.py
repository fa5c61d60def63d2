"""`flowide lock` and `flowide save`, as somebody uses them who knows only the help."""

from __future__ import annotations

import time

import pytest

from tests.cli.conftest import Apart, Here, Said

SHOP = "src/shop.py"
FIELDS = {
    "artifact", "path", "state", "fence", "version", "holder", "client", "kind", "purpose", "since", "expires_ms",
    "queue",
}  # fmt: skip


def acquired(said: Said) -> int:
    """The fence that `lock acquire` printed."""
    assert said.code == 0, said
    word, fence, _, _ = said.out.split()
    assert word == "fence"
    return int(fence)


def test_acquire_prints_fence_and_version(flowide: Here) -> None:
    said = flowide("lock", "acquire", SHOP, "--purpose", "tidy up")

    assert said.out.split() == ["fence", str(acquired(said)), "version", "1"]
    assert said.err == ""


def test_the_list_of_locks_has_exactly_the_promised_fields(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP, "--purpose", "tidy up", "--ttl", "60"))

    [lock] = flowide("lock", "list", "--json").json

    assert set(lock) == FIELDS
    assert (lock["path"], lock["state"], lock["fence"], lock["version"]) == (SHOP, "held", fence, 1)
    assert (lock["holder"], lock["kind"], lock["purpose"], lock["queue"]) == ("ana", "human", "tidy up", [])
    assert 0 < lock["expires_ms"] <= 60_000


def test_a_free_lock_is_listed_when_it_is_asked_for(flowide: Here) -> None:
    flowide("artifact", "show", SHOP)

    assert flowide("lock", "list", "--json").json == []
    [lock] = flowide("lock", "list", SHOP, "--json").json
    assert set(lock) == FIELDS
    assert (lock["state"], lock["holder"]) == ("free", None)


def test_a_lock_of_somebody_else_is_told_with_who_and_why(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--as", "bob", "--purpose", "tidy up")

    said = flowide("lock", "acquire", SHOP, "--json")

    assert said.code == 5
    assert said.json["code"] == "busy"
    data = said.json["data"]
    assert {"holder", "kind", "since", "purpose", "idle_ms", "queue"} <= set(data)
    assert (data["holder"], data["purpose"]) == ("bob", "tidy up")
    assert "bob" in said.err


def test_ones_own_lock_in_another_client_is_told_as_such(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--client", "one")

    said = flowide("lock", "acquire", SHOP, "--client", "two")

    assert said.code == 5
    assert "elsewhere" in said.err


def test_a_save_under_the_lock_is_the_next_version_and_frees_it(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP))

    said = flowide("save", SHOP, "--fence", str(fence), "-m", "shorter", input=b"x = 1\n")

    assert said.code == 0, said
    assert (flowide.root / SHOP).read_bytes() == b"x = 1\n"
    assert flowide("lock", "list", "--json").json == []
    newest = flowide("artifact", "history", SHOP, "--json").json[-1]
    assert (newest["version"], newest["note"], newest["fence"], newest["actor"]) == (
        2,
        "shorter",
        fence,
        "ana",
    )


def test_a_save_can_keep_the_lock(flowide: Here) -> None:
    fence = str(acquired(flowide("lock", "acquire", SHOP)))

    for text in (b"1\n", b"2\n"):
        assert flowide("save", SHOP, "--fence", fence, "--keep", input=text).code == 0

    assert flowide("lock", "list", "--json").json[0]["fence"] == int(fence)
    assert flowide("artifact", "show", SHOP).out == "2\n"


def test_a_save_without_a_fence_is_a_wrong_use(flowide: Here) -> None:
    assert flowide("save", SHOP, input=b"x").code == 2


@pytest.mark.parametrize("fence", ["0", "99", "-1", "9223372036854775807", "9223372036854775808", "1e3", "x"])
def test_a_wrong_fence_saves_nothing(flowide: Here, fence: str) -> None:
    flowide("lock", "acquire", SHOP)
    before = (flowide.root / SHOP).read_bytes()

    said = flowide("save", SHOP, "--fence", fence, input=b"x")

    assert said.code in {2, 9}
    assert (flowide.root / SHOP).read_bytes() == before
    assert len(flowide("artifact", "history", SHOP, "--json").json) == 1


def test_a_save_with_a_stale_fence_is_refused_and_its_text_kept(flowide: Here) -> None:
    stale = acquired(flowide("lock", "acquire", SHOP, "--ttl", "60"))
    flowide("lock", "force", SHOP, "--reason", "mine now", "--take", "--as", "bob")

    said = flowide("save", SHOP, "--fence", str(stale), "--json", input=b"my words\n")

    assert said.code == 9
    assert said.json["code"] == "fenced"
    assert said.json["data"]["holder"] == "bob"
    [draft] = flowide("drafts", "--json").json
    assert draft["id"] in said.json["hint"]
    assert flowide("draft", "show", draft["id"]).out == "my words\n"


def test_a_save_with_a_stale_fence_while_nobody_holds_the_lock_becomes_a_draft(flowide: Here) -> None:
    stale = acquired(flowide("lock", "acquire", SHOP))
    flowide("lock", "release", SHOP)

    said = flowide("save", SHOP, "--fence", str(stale), input=b"my words\n")

    assert said.code == 9
    [draft] = flowide("drafts", "--json").json
    assert draft["id"] in said.err
    assert flowide("draft", "show", draft["id"]).out == "my words\n"


def test_a_save_on_another_base_is_a_conflict(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP))

    said = flowide("save", SHOP, "--fence", str(fence), "--base", "7", "--json", input=b"my words\n")

    assert (said.code, said.json["code"], said.json["data"]["version"]) == (9, "conflict", 1)
    assert flowide("lock", "release", SHOP).code == 0
    assert flowide("draft", "show", "last").out == "my words\n"


def test_a_save_under_somebody_elses_fence_is_refused(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP, "--as", "bob"))

    assert flowide("save", SHOP, "--fence", str(fence), input=b"x").code == 9


def test_release_and_renew_need_the_lock(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--as", "bob")

    for command in ("release", "renew"):
        said = flowide("lock", command, SHOP, "--json")
        assert (said.code, said.json["code"]) == (9, "fenced")
        assert said.json["data"]["holder"] == "bob"


def test_renew_starts_the_time_again(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--ttl", "60")

    renewed = flowide("lock", "renew", SHOP, "--json").json

    assert 59_000 < renewed["deadline_ms"] <= 60_000


def test_a_lapsed_lock_is_still_good_until_somebody_takes_it(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP, "--ttl", "0.5"))
    time.sleep(0.7)
    assert flowide("lock", "list", "--json").json[0]["state"] == "lapsed"

    said = flowide("save", SHOP, "--fence", str(fence), input=b"late but fine\n")

    assert said.code == 0, said


def test_a_lapsed_lock_is_taken_over_with_a_higher_fence(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP, "--ttl", "0.5"))
    time.sleep(0.7)

    taken = acquired(flowide("lock", "acquire", SHOP, "--as", "bob"))

    assert taken == fence + 1
    assert flowide("save", SHOP, "--fence", str(fence), input=b"too late\n").code == 9


def test_fences_grow_with_every_grant(flowide: Here) -> None:
    fences = []
    for _ in range(4):
        fences.append(acquired(flowide("lock", "acquire", SHOP)))
        flowide("lock", "release", SHOP)

    assert fences == list(range(fences[0], fences[0] + 4))


def test_transfer_gives_the_lock_to_somebody_with_a_new_fence(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP))

    moved = flowide("lock", "transfer", SHOP, "--to", "@bob", "--json").json

    assert (moved["holder"], moved["fence"]) == ("bob", fence + 1)
    assert flowide("save", SHOP, "--fence", str(fence), input=b"x").code == 9
    assert flowide("save", SHOP, "--fence", str(fence + 1), "--as", "bob", input=b"x").code == 0


def test_force_needs_a_reason_and_frees_the_lock(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--as", "bob")

    assert flowide("lock", "force", SHOP).code == 2
    assert flowide("lock", "force", SHOP, "--reason", "he left").code == 0
    assert flowide("lock", "list", "--json").json == []
    assert "he left" in flowide("log").out


def test_force_and_take_is_one_step(flowide: Here) -> None:
    fence = acquired(flowide("lock", "acquire", SHOP, "--as", "bob"))

    assert acquired(flowide("lock", "force", SHOP, "--reason", "he left", "--take")) == fence + 1


def test_wait_ends_at_once_when_nobody_holds_the_lock(flowide: Here) -> None:
    assert flowide("lock", "wait", SHOP, "--wait", "0").code == 0


def test_wait_gives_up_in_time(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--as", "bob", "--ttl", "60")

    said = flowide("lock", "wait", SHOP, "--timeout", "0.2", "--json")

    assert (said.code, said.json["data"]["holder"]) == (5, "bob")


def test_wait_ends_when_the_lease_runs_out(flowide: Here) -> None:
    flowide("lock", "acquire", SHOP, "--as", "bob", "--ttl", "0.6")

    assert flowide("lock", "wait", SHOP, "--wait", "30", "--json").json["state"] == "lapsed"


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon", ""])
@pytest.mark.parametrize("option", ["--wait", "--ttl"])
def test_odd_numbers_of_seconds_are_refused(flowide: Here, option: str, seconds: str) -> None:
    said = flowide("lock", "acquire", SHOP, option, seconds)

    assert said.code == 2
    assert option in said.err or "ttl" in said.err
    assert flowide("lock", "list", "--json").json == []


@pytest.mark.parametrize("ttl", ["0", "0.4", "86401"])
def test_a_lease_has_bounds(flowide: Here, ttl: str) -> None:
    assert flowide("lock", "acquire", SHOP, "--ttl", ttl).code == 2


def test_the_settings_say_how_long_a_lock_lives(flowide: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWIDE_LOCK_TTL_S", "7")

    flowide("lock", "acquire", SHOP)

    assert 0 < flowide("lock", "list", "--json").json[0]["expires_ms"] <= 7000


def test_waiters_are_served_in_order_by_release_and_by_force(apart: Apart) -> None:
    fence = acquired(apart("lock", "acquire", SHOP, "--ttl", "600"))
    waiting = []
    for name in ("bob", "carl"):
        waiting.append(apart.begin("lock", "acquire", SHOP, "--as", name, "--wait", "60", "--ttl", "600"))
        _until(apart, lambda lock, name=name: name in [ticket["holder"] for ticket in lock["queue"]])

    apart("lock", "release", SHOP)
    assert waiting[0].communicate(timeout=60)[0].split()[:2] == [b"fence", str(fence + 1).encode()]
    assert waiting[1].poll() is None
    apart("lock", "force", SHOP, "--reason", "enough")
    assert waiting[1].communicate(timeout=60)[0].split()[:2] == [b"fence", str(fence + 2).encode()]


def test_a_waiter_gets_what_a_dead_holder_left(apart: Apart) -> None:
    fence = acquired(apart("lock", "acquire", SHOP, "--as", "bob", "--ttl", "2"))

    assert acquired(apart("lock", "acquire", SHOP, "--wait", "30")) == fence + 1


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_a_waiter_that_is_stopped_leaves_the_queue(apart: Apart, number: int, code: int) -> None:
    apart("lock", "acquire", SHOP, "--as", "bob", "--ttl", "600")
    waiter = apart.begin("lock", "acquire", SHOP, "--wait", "60")
    _until(apart, lambda lock: lock["queue"])

    waiter.send_signal(number)

    out, err = waiter.communicate(timeout=30)
    assert (waiter.returncode, out) == (code, b"")
    assert b"Traceback" not in err
    assert apart("lock", "list", "--json").json[0]["queue"] == []


def _until(apart: Apart, true: object) -> None:
    assert callable(true)
    for _ in range(200):
        listed = apart("lock", "list", "--json").json
        if listed and true(listed[0]):
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")
