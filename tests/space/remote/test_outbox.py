"""What is in the outbox outlives everything but its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowide.space.remote.outbox import Entry, Outbox, Text

ROOT = Path(__file__).parents[3]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db")
    yield made
    made.close()


def entry(id: str, seat: str = "ana") -> Entry:
    return Entry(id, seat, "pc", {"id": "edwin", "kind": "agent"}, "message.post", {"text": f"né {id}"})


def ids(outbox: Outbox) -> list[str]:
    return [each.id for each in outbox.entries("ana")]


def test_commands_stay_in_order_until_they_are_answered(outbox: Outbox) -> None:
    for id in "bac":
        outbox.put(entry(id))
    outbox.put(entry("x", seat="rod"))

    outbox.answered("a")

    assert ids(outbox) == ["b", "c"]
    assert outbox.entries("ana")[0].args == {"text": "né b"}


def test_an_id_is_kept_once(outbox: Outbox) -> None:
    outbox.put(entry("a"))
    outbox.put(Entry("a", "ana", "pc", None, "message.post", {"text": "another"}))

    assert [each.args["text"] for each in outbox.entries()] == ["né a"]


def test_what_was_answered_is_gone_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "o.db")
    first.put(entry("a"))
    first.put(entry("b"))
    first.answered("a")
    first.close()

    second = Outbox(tmp_path / "o.db")

    assert ids(second) == ["b"]
    second.close()


def test_a_refused_command_is_kept_apart_until_it_was_seen(outbox: Outbox) -> None:
    outbox.put(entry("a"))
    outbox.put(entry("b"))

    outbox.refuse("a", {"code": "not_found", "message": "no such thread", "hint": "", "data": {}})

    assert ids(outbox) == ["b"]
    [refused] = outbox.refused("ana")
    assert (refused.id, refused.args, refused.error["code"]) == ("a", {"text": "né a"}, "not_found")
    outbox.forget_refused(["a"])
    assert outbox.refused() == []


def test_commands_of_a_killed_process_are_taken_over_and_those_of_a_living_one_are_not(
    outbox: Outbox, tmp_path: Path
) -> None:
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from flowide.space.remote.outbox import Entry, Outbox\n"
        f"o = Outbox(Path({str(tmp_path / 'outbox.db')!r}))\n"
        "o.put(Entry('theirs', 'ana', 'pc', None, 'message.post', {}), promised=True)\n"
        "print('put', flush=True); time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None and process.stdout.readline() == b"put\n"
    outbox.put(entry("mine"))
    assert outbox.adopt("ana") == []
    assert outbox.mine("ana") == {"mine"}

    process.kill()
    process.wait()
    process.stdout.close()

    assert outbox.adopt("ana") == ["theirs"]
    assert outbox.mine("ana") == {"mine", "theirs"}


def test_texts_are_kept_by_fence(outbox: Outbox) -> None:
    text = Text("a1", 3, "ana", "pc", None, 2, "wörds", dirty=True)
    outbox.put_text(text)
    outbox.put_text(Text("a1", 4, "ana", "pc", None, 2, "sent already"))

    assert outbox.dirty("ana") == [text]
    assert outbox.text("a1", 3) == text
    outbox.drop_text("a1", 3)
    assert outbox.dirty("ana") == [] and outbox.text("a1", 4) is not None


def test_the_file_is_its_owners_alone(outbox: Outbox) -> None:
    assert outbox.path.stat().st_mode & 0o077 == 0


def test_what_another_process_sends_itself_is_owed_here_once_that_has_ended(outbox: Outbox) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from flowide.space.remote.outbox import Entry, Outbox\n"
        "box = Outbox(Path(sys.argv[1]))\n"
        "made = [Entry(id, 'ana', 'pc', None, 'message.post', {}) for id in ('sends', 'waits')]\n"
        "box.put(made[0]); box.put(made[1], promised=True)\n"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(outbox.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert [each.id for each in outbox.owed("ana")] == ["waits"]
        other.kill()
        other.wait()

    assert [each.id for each in outbox.owed("ana")] == ["sends", "waits"]


def test_what_was_answered_is_gone_for_other_processes_when_it_is_tidied(outbox: Outbox) -> None:
    outbox.put(entry("a"))
    outbox.answered("a")

    outbox.tidy()

    other = Outbox(outbox.path)
    assert other.entries() == []
    other.close()
