"""stdout, stderr, signals and terminals, whatever they are."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time

import pytest

from tests.cli.conftest import FLOWIDE, Apart, Here

SHOP = "src/shop.py"


@pytest.mark.parametrize(
    "command",
    [["lock", "list"], ["artifact", "list"], ["drafts"], ["runs"], ["gate", "list"], ["log"], ["events"]],
    ids=" ".join,
)
def test_an_empty_listing_is_no_failure(flowide: Here, command: list[str]) -> None:
    assert flowide(*command).code == 0
    if command != ["events"]:
        assert flowide(*command, "--json").json == []


@pytest.mark.parametrize("place", ["before", "inside", "behind"])
def test_common_options_stand_where_they_like(
    flowide: Here, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--project", str(flowide.root), "--as=bob", "--json", "--no-color"]
    monkeypatch.chdir("/")
    words = {
        "before": [*options, "lock", "acquire", SHOP],
        "inside": ["lock", *options, "acquire", SHOP],
        "behind": ["lock", "acquire", SHOP, *options],
    }[place]

    said = flowide(*words)

    assert said.code == 0, said
    assert flowide("lock", "list", "--json", "--project", str(flowide.root)).json[0]["holder"] == "bob"


@pytest.mark.parametrize(
    "command", [["flows"], ["agents"], ["doctor"], ["schema", "flow"], ["lock", "list"]], ids=" ".join
)
def test_a_script_can_give_the_common_options_to_every_command(flowide: Here, command: list[str]) -> None:
    said = flowide("--project", str(flowide.root), "--as", "bob", *command)

    assert said.code == 0, said


def test_a_space_that_is_not_there_is_not_replaced_by_another(flowide: Here) -> None:
    said = flowide("lock", "list", "--space", "elsewhere")

    assert said.code == 2
    assert "elsewhere" in said.err


def test_an_option_that_means_something_else_is_not_taken_from_the_front(flowide: Here) -> None:
    said = flowide("--as", "bob", "splice", "a.py", "--take", "b.py:x")

    assert said.code == 2
    assert "--as" in said.err


@pytest.mark.parametrize("ref", ["shop", "not-a-command", "--nonsense", "-x"])
def test_an_unknown_word_is_refused(flowide: Here, ref: str) -> None:
    said = flowide(ref)

    assert said.code == 2
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["lok"], "lock"),
        (["lock", "aquire", SHOP], "acquire"),
        (["lock", "acquire", SHOP, "--purpos", "x"], "--purpose"),
        (["artifact", "histry", SHOP], "history"),
        (["schema", "flwo"], "flow"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else each,
)
def test_a_typo_is_put_right(flowide: Here, words: list[str], meant: str) -> None:
    said = flowide(*words)

    assert said.code == 2
    assert meant in said.err
    assert len(said.err.splitlines()) <= 2


def test_an_unknown_option_with_json_is_an_error_object(flowide: Here) -> None:
    said = flowide("lock", "list", "--json", "--nonsense")

    assert said.code == 2
    assert set(said.json) == {"code", "message", "hint", "data"}
    assert said.json["code"] == "bad_args"


def test_quiet_leaves_out_what_is_no_result(flowide: Here) -> None:
    assert flowide("lock", "list").err != ""
    assert flowide("lock", "list", "-q").err == ""
    assert flowide("-q", "lock", "list").err == ""
    assert flowide("artifact", "show", "nope.py", "-q").err != ""


def test_a_mistake_of_ours_is_one_line_unless_more_is_asked_for(
    flowide: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowide.space.local import LocalSpace

    def broken(self: LocalSpace, query: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(LocalSpace, "read", broken)

    said = flowide("lock", "list", "--json")

    assert (said.code, said.json["code"]) == (1, "failed")
    assert "Traceback" not in said.err
    assert "ZeroDivisionError" in said.err
    assert "Traceback" in flowide("lock", "list", "-v").err


@pytest.mark.parametrize("streams", [(1,), (2,), (0,), (0, 1, 2)], ids=str)
def test_closed_streams_harm_nothing(apart: Apart, streams: tuple[int, ...]) -> None:
    closing = " ".join(f"{number}>&-" if number else "0<&-" for number in streams)
    command = f"{' '.join(FLOWIDE)} lock acquire {SHOP} --ttl 60 {closing}"

    done = subprocess.run(
        command, shell=True, cwd=apart.root, env=os.environ | apart.env, check=False, timeout=60
    )

    assert done.returncode == 0
    assert apart("lock", "list", "--json").json[0]["state"] == "held"
    assert apart("verify").code == 0


def test_a_closed_stdin_is_no_empty_text(apart: Apart) -> None:
    fence = apart("lock", "acquire", SHOP, "--ttl", "600", "--json").json["fence"]
    command = f"{' '.join(FLOWIDE)} save {SHOP} --fence {fence} 0<&-"

    done = subprocess.run(
        command, shell=True, cwd=apart.root, env=os.environ | apart.env, check=False, timeout=60
    )

    assert done.returncode == 2
    assert len(apart("artifact", "history", SHOP, "--json").json) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_exit_141(apart: Apart, unbuffered: str) -> None:
    (apart.root / "long.txt").write_text("line\n" * 200_000)
    process = apart.begin("artifact", "show", "long.txt", env={"PYTHONUNBUFFERED": unbuffered})
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()

    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_names_outside_of_the_terminals_encoding_are_printed_somehow(apart: Apart) -> None:
    (apart.root / "日本.txt").write_text("x")

    said = apart("artifact", "list", "--files", env={"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})

    assert said.code == 0
    assert "\\u65e5" in said.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_reader_of_stdin_is_gone_at_once(apart: Apart, number: int, code: int) -> None:
    fence = apart("lock", "acquire", SHOP, "--ttl", "600", "--json").json["fence"]
    reading, writing = os.pipe()
    process = apart.begin("save", SHOP, "--fence", str(fence), stdin=reading)
    os.close(reading)
    time.sleep(2)

    process.send_signal(number)

    _, err = process.communicate(timeout=10)
    os.close(writing)
    assert process.returncode in {code, -number}
    assert b"Traceback" not in err
    assert len(apart("artifact", "history", SHOP, "--json").json) == 1


def test_without_a_terminal_nothing_is_asked(apart: Apart) -> None:
    for command in ([], ["edit", SHOP], ["."], ["demo"]):
        said = apart(*command, env={"EDITOR": "", "VISUAL": ""})
        assert said.code in {2, 3}, (command, said)
        assert "error: " in said.err
        assert said.out == ""


def test_control_sequences_of_a_file_do_not_reach_a_terminal(apart: Apart) -> None:
    (apart.root / "evil.txt").write_bytes(b"\x1b]0;evil\x07plain\x1b[2J\n")
    master, slave = pty.openpty()
    process = apart.begin("artifact", "show", "evil.txt", stdout=slave)
    os.close(slave)
    process.wait(60)

    shown = os.read(master, 1000)

    os.close(master)
    assert process.stderr is not None
    process.stderr.close()
    assert shown == b"plain\r\n"


def test_every_change_works_while_another_process_has_the_space_open(apart: Apart) -> None:
    follower = apart.begin("events", "--follow")
    assert follower.stdout is not None
    try:
        fence = apart("lock", "acquire", SHOP, "--ttl", "600", "--json").json["fence"]
        assert apart("save", SHOP, "--fence", str(fence), input=b"x = 1\n").code == 0
        assert apart("artifact", "create", "new.txt", input=b"new\n").code == 0
        assert apart("artifact", "move", "new.txt", "old.txt").code == 0
        assert apart("artifact", "delete", "old.txt").code == 0
        seen = []
        while "artifact.deleted" not in seen:
            seen.append(json.loads(follower.stdout.readline())["type"])
    finally:
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=30)

    assert follower.returncode == 130
    assert err == b""
    assert {"artifact.created", "lock.acquired", "artifact.saved", "lock.released", "artifact.moved"} <= set(
        seen
    )
