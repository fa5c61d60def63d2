"""Runs from the command line: streams, exit codes, signals, kill -9."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FLOWIDE, Apart, Here
from tests.project_with_agents import SHOP, fenced, shop, write_agent

RUN = ("run", "variations", "--brief", "Better", "--set", "path=src/shop.py", "--set", "n=4", "--headless")


def test_the_first_line_is_the_start_and_the_last_the_end(flowide: Here) -> None:
    said = flowide(*RUN, "--json", "--on-gate", "approve")

    types = [line["type"] for line in said.lines]
    assert said.code == 0
    assert types[0] == "run.started"
    assert types[-1] == "run.finished"
    assert types.count("run.finished") == 1
    assert said.lines[-1]["data"]["status"] == "completed"


def test_every_line_fits_the_published_schema(flowide: Here) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = flowide("schema", "events").json

    for line in flowide(*RUN, "--json", "--deltas", "--on-gate", "approve").lines:
        jsonschema.validate(line, schema)


def test_what_a_run_printed_can_be_replayed(flowide: Here) -> None:
    live = flowide(*RUN, "--json", "--on-gate", "approve").lines

    replayed = flowide("events", "last").lines

    assert live == replayed


def test_a_replay_goes_on_after_a_cursor(flowide: Here) -> None:
    flowide(*RUN, "--on-gate", "approve")
    everything = flowide("events", "last").lines
    middle = everything[len(everything) // 2]["seq"]

    rest = flowide("events", "last", "--since", str(middle)).lines

    assert rest == [line for line in everything if line["seq"] > middle]


def test_text_output_is_the_accepted_text_and_nothing_else(flowide: Here) -> None:
    said = flowide(*RUN, "--on-gate", "approve")

    assert said.out == (flowide.root / "src/shop.py").read_text() != SHOP


def test_json_output_is_one_object(flowide: Here) -> None:
    said = flowide(*RUN, "--on-gate", "approve", "--output", "json")

    assert said.json["status"] == "completed"
    assert said.json["outputs"]["version"] == 2
    assert said.json["text"] == (flowide.root / "src/shop.py").read_text()
    assert said.json["totals"]["calls"] == 5


def test_files_are_written_on_request(flowide: Here) -> None:
    said = flowide(*RUN, "--on-gate", "approve", "-o", "out.py", "--output-dir", "all")

    assert said.out == ""
    assert (flowide.root / "out.py").read_text() == (flowide.root / "src/shop.py").read_text()
    assert (flowide.root / "all/3.py").read_text() == shop(3)
    about = json.loads((flowide.root / "all/variations.json").read_text())
    assert [each["number"] for each in about["variations"]] == [1, 2, 3, 4]


def test_a_gate_stops_the_run_and_an_answer_from_elsewhere_goes_on(flowide: Here) -> None:
    stopped = flowide(*RUN, "--json")
    assert stopped.code == 3
    assert stopped.lines[-1]["data"]["resume_command"].startswith("flowide run variations --resume ")

    assert flowide("gate", "answer", "last", "4 but with the _sum of 2").code == 0
    resumed = flowide("run", "--resume", "last", "--headless", "--json")

    assert resumed.code == 0
    assert resumed.lines[0]["type"] == "run.started"
    assert resumed.lines[0]["data"]["resumed_from"] == resumed.lines[0]["run"]
    assert "* 2 // 2" in (flowide.root / "src/shop.py").read_text()
    assert flowide("verify").code == 0


def test_a_failure_before_the_start_is_a_last_line_too(flowide: Here) -> None:
    said = flowide(*RUN, "--json", "--agents", "openai/gpt-4o-mini")

    assert said.code == 7
    [line] = said.lines
    assert line["type"] == "run.finished"
    assert line["data"]["error"]["code"] == "auth"


def test_the_brief_comes_from_a_file_or_from_stdin(apart: Apart) -> None:
    (apart.root / "task.md").write_text("From a file")
    rest = ("--set", "path=src/shop.py", "--set", "n=2", "--headless")

    apart("run", "variations", "--brief", "@task.md", *rest)
    apart("run", "variations", "--brief", "-", *rest, input=b"From stdin")

    assert [run["inputs"]["brief"] for run in apart("runs", "--json").json] == ["From stdin", "From a file"]


def slow(root: Path) -> dict[str, str]:
    """Make anders slow; the environment in which he is."""
    replies = [{"on": "vary", "texts": [fenced(shop(1)), fenced(shop(3))]}]
    write_agent(root, "anders", replies, pace=40)
    return {"FLOWIDE_SCRIPTED_PACE": ""}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_with_a_checkpoint_within_two_seconds(
    apart: Apart, number: int, code: int
) -> None:
    process = apart.begin(*RUN, "--json", env=slow(apart.root))
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    process.send_signal(number)

    out, err = process.communicate(timeout=30)

    assert time.monotonic() - began < 2
    assert process.returncode == code
    last = json.loads(out.splitlines()[-1])
    assert (last["type"], last["data"]["status"], last["data"]["exit_code"]) == (
        "run.finished",
        "cancelled",
        code,
    )
    assert b"Traceback" not in err
    assert apart("lock", "list", "--json").json == []
    assert apart("run", "--resume", "last", "--headless", "--on-gate", "approve").code == 0


def test_a_reader_that_goes_away_cancels_the_run(apart: Apart) -> None:
    process = apart.begin(*RUN, "--json", env=slow(apart.root))
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(30) == 141
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert apart("runs", "--json").json[0]["status"] == "cancelled"


def test_a_slow_reader_does_not_hold_up_a_run(apart: Apart) -> None:
    process = apart.begin(*RUN, "--json", "--deltas", "--on-gate", "approve")

    while (found := apart("runs", "--json").json) == [] or found[0]["status"] == "running":
        time.sleep(0.1)

    assert found[0]["status"] == "completed"
    out, _ = process.communicate(timeout=30)
    assert json.loads(out.splitlines()[-1])["type"] == "run.finished"


@pytest.mark.slow
def test_a_killed_run_goes_on_without_repeating_finished_calls(apart: Apart) -> None:
    process = apart.begin(*RUN, "--json", "--parallel", "1", env=slow(apart.root))
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["type"] != "step.completed":
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    end = time.monotonic() + 60
    while "stopped" not in (told := apart("runs")).out:
        assert time.monotonic() < end, told
    assert "go on with: flowide run --resume" in told.err
    finished = {line["step"] for line in apart("events", "last").lines if line["type"] == "step.completed"}
    # What anders said before counts; asked again he would fail.
    replies: list[dict[str, Any]] = [
        {"on": "vary", "when": "nothing", "text": ""},
        {"on": "vary", "texts": ["never", fenced(shop(3))]},
    ]
    write_agent(apart.root, "anders", replies)

    said = apart("run", "--resume", "last", "--headless", "--json", "--on-gate", "approve")

    assert said.code == 0, said
    again = {line["step"] for line in said.lines if line["type"] == "step.started"}
    assert finished.isdisjoint(again)
    assert "vary#1" in finished
    assert apart("verify").code == 0
    assert (apart.root / "src/shop.py").read_text() in {shop(number) for number in range(1, 5)}


def test_two_runs_of_one_project_at_the_same_time_do_not_disturb_each_other(apart: Apart) -> None:
    started = [apart.begin(*RUN, "--json") for _ in range(2)]
    stopped = [json.loads(process.communicate(timeout=60)[0].splitlines()[-1]) for process in started]
    assert [line["data"]["exit_code"] for line in stopped] == [3, 3]

    for number, gate in enumerate(apart("gate", "list", "--json").json, 1):
        apart("gate", "answer", gate["id"], str(number))
    both = [apart.begin("run", "--resume", line["run"], "--headless", "--json") for line in stopped]
    ended = [json.loads(process.communicate(timeout=60)[0].splitlines()[-1]) for process in both]

    # Both chose from variations of version 1, so the second of them has not seen what the first saved.
    assert sorted(line["data"]["exit_code"] for line in ended) == [0, 9]
    [refused] = [line["data"]["error"] for line in ended if line["data"]["exit_code"] == 9]
    assert (refused["code"], "--base 2" in refused["hint"]) == ("conflict", True)
    assert apart("artifact", "show", "src/shop.py", "--json").json["version"] == 2
    assert apart("verify").code == 0


def test_a_locked_file_is_waited_for_and_then_refused(apart: Apart) -> None:
    apart("lock", "acquire", "src/shop.py", "--as", "bob", "--ttl", "60")

    said = apart(*RUN, "--json", "--on-gate", "approve", "--lock-timeout", "0.3")

    assert said.code == 5
    assert said.lines[-1]["data"]["error"]["code"] == "busy"
    assert "bob" in said.lines[-1]["data"]["error"]["message"]
    assert (apart.root / "src/shop.py").read_text() == SHOP


def test_at_a_terminal_missing_inputs_are_asked_for(apart: Apart) -> None:
    ours, theirs = pty.openpty()
    process = apart.begin(
        "run", "variations", "--on-gate", "approve", "--set", "n=2", stdin=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, b"Better\n\nsrc/shop.py\n")  # an empty line is no answer
    said = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while chunk := os.read(ours, 65536):
            said += chunk
    out, _ = process.communicate(timeout=60)
    os.close(ours)

    assert process.returncode == 0, said
    assert b"brief: What is wanted." in said
    assert said.count(b"path> ") == 2
    assert b"class Shop" in out


def test_the_interactive_run_asks_at_the_terminal(apart: Apart) -> None:
    ours, theirs = pty.openpty()
    args = [each for each in RUN if each != "--headless"]
    process = subprocess.Popen(
        [*FLOWIDE, *args, "-o", "out.py"],
        cwd=apart.root,
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while b"> " not in seen:
        seen += os.read(ours, 4096)
    os.write(ours, b"2\n")

    assert process.wait(30) == 0
    os.close(ours)
    assert (apart.root / "out.py").read_text() == shop(2)


def test_even_a_mistake_in_flowide_ends_with_a_last_line_and_frees_the_run(
    flowide: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowide.flows.steps import critique

    async def broken(_: object) -> dict[str, Any]:
        raise ZeroDivisionError("oh")

    with monkeypatch.context() as patched:
        patched.setattr(critique, "run", broken)
        said = flowide(*RUN, "--json")

    assert said.code == 1
    last = said.lines[-1]
    assert (last["type"], last["data"]["status"]) == ("run.finished", "failed")
    assert "mistake in FlowIDE: ZeroDivisionError: oh" in last["data"]["error"]["message"]
    assert "Traceback" not in said.err
    assert flowide("runs", "--json").json[0]["status"] == "failed"
    assert flowide("run", "--resume", "last", "--headless", "--on-gate", "approve").code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "x"),
        ("--set", "unknown=1"),
        ("--set", "n=many"),
        ("--set", "n=99"),
        ("--budget", "3"),
        ("--agents", "nobody"),
        ("-o", "no/such/folder/out.py"),
        ("-o", "src"),
        ("--output-dir", "src/shop.py"),
        ("--brief", "@gone.md"),
        ("--set", "path=../out.py"),
        ("--set", "path=/etc/passwd"),
        ("--set", "path="),
    ],
)
def test_bad_input_is_exit_2_with_one_last_line_and_changes_no_file(
    flowide: Here, options: tuple[str, ...]
) -> None:
    said = flowide(*RUN, *options, "--on-gate", "approve", "--json")

    assert said.code == 2, said
    types = [line["type"] for line in said.lines]
    assert types[-1:] in ([], ["run.finished"])  # the parser itself refuses some, as for every command
    assert types.count("run.finished") <= 1
    assert "Traceback" not in said.err
    assert (flowide.root / "src/shop.py").read_text() == SHOP
