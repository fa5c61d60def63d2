"""Two people's changes to one text come together, or are shown side by side; nothing is dropped."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.errors import BadInput
from flowide.project.merging import merge

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\r\n", "\n", "end"]), max_size=12).map(
    lambda lines: "".join(lines).encode()
)
BASE = [f"line {at}\n" for at in range(40)]


def edited(chance: random.Random, mark: str, *, times: int) -> str:
    """The base with some of its lines replaced, removed, or followed by a new one."""
    lines = list(BASE)
    for _ in range(times):
        at = chance.randrange(len(lines))
        how = chance.randrange(3)
        if how == 0:
            lines[at] = f"{mark} {chance.randrange(1000)}\n"
        elif how == 1:
            del lines[at]
        else:
            lines.insert(at, f"{mark} {chance.randrange(1000)}\n")
    return "".join(lines)


@given(TEXTS, TEXTS)
def test_a_side_that_changed_nothing_gives_way(base: bytes, other: bytes) -> None:
    for merged in (merge(base, base, other), merge(base, other, base), merge(base, other, other)):
        assert (merged.data, merged.conflicts) == (other, 0)


@given(TEXTS, TEXTS, TEXTS)
def test_the_sides_may_change_places(base: bytes, mine: bytes, theirs: bytes) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)

    assert one.conflicts == other.conflicts
    if not one.conflicts:
        assert one.data == other.data


@given(TEXTS, TEXTS, TEXTS)
def test_every_line_of_a_side_that_is_new_is_in_the_result(base: bytes, mine: bytes, theirs: bytes) -> None:
    merged = merge(base, b"MINE\n" + mine, theirs + b"\nTHEIRS\n")

    assert b"MINE\n" in merged.data
    assert b"THEIRS\n" in merged.data


@pytest.mark.parametrize("seed", range(60))
def test_it_merges_what_git_merges_and_stops_where_git_stops(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    texts = {
        "base": "".join(BASE),
        "mine": edited(chance, "mine", times=seed % 7 + 1),
        "theirs": edited(chance, "theirs", times=seed % 5 + 1),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    git = subprocess.run(
        ["git", "merge-file", "-p", "-L", "mine", "-L", "base", "-L", "theirs", "mine", "base", "theirs"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    merged = merge(*(texts[name].encode() for name in ("base", "mine", "theirs")))

    assert bool(merged.conflicts) == bool(git.returncode)
    if not merged.conflicts:
        assert merged.data == git.stdout


def test_a_conflict_shows_both_sides_and_the_rest_is_merged() -> None:
    base = b"top\n1\n2\n3\n4\nfoot\n"

    merged = merge(
        base,
        b"TOP\n1\n2\nmine\n4\nfoot\n",
        b"top\n1\n2\ntheirs\n4\nFOOT\n",
        mine_name="ana's draft",
        theirs_name="disk",
    )

    assert merged.conflicts == 1
    assert merged.data == (b"TOP\n1\n2\n<<<<<<< ana's draft\nmine\n=======\ntheirs\n>>>>>>> disk\n4\nFOOT\n")


def test_what_both_sides_say_alike_stays_out_of_the_conflict() -> None:
    merged = merge(b"x\n", b"new\nmine\nend\n", b"new\ntheirs\nend\n")

    assert merged.data == b"new\n<<<<<<< mine\nmine\n=======\ntheirs\n>>>>>>> theirs\nend\n"


def test_markers_stand_on_lines_of_their_own_and_end_like_the_text() -> None:
    assert merge(b"a", b"b", b"c").data == b"<<<<<<< mine\nb\n=======\nc\n>>>>>>> theirs\n"
    assert b"=======\r\n" in merge(b"a\r\n", b"b\r\n", b"c\r\n").data


def test_what_is_no_text_is_not_merged() -> None:
    with pytest.raises(BadInput):
        merge(b"a", b"\xff", b"b")


def test_long_texts_are_merged() -> None:
    base = [f"{at}\n" for at in range(50_000)]
    mine, theirs = list(base), list(base)
    for at in range(0, 50_000, 100):
        mine[at] = f"mine {at}\n"
        theirs[at + 50] = f"theirs {at}\n"

    merged = merge(*("".join(lines).encode() for lines in (base, mine, theirs)))

    assert merged.conflicts == 0
    assert merged.data.count(b"mine") == merged.data.count(b"theirs") == 500
