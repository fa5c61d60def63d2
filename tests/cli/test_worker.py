"""Workers share the runs that were queued: one drives each, another takes over, and no finished call is made again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.agents.fault_server import FaultServer, serving
from tests.cli.conftest import Apart
from tests.cli.test_run_faults import KEY, agents, stored

QUEUE = ("run", "variations", "--queue", "--on-gate", "approve", "--brief", "Notes on locks")
NOTES = ("--set", "path=notes.md", "--set", "critique=false")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serving() as made:
        yield made


@pytest.fixture
def env(server: FaultServer) -> dict[str, str]:
    return {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}


@contextlib.contextmanager
def working(apart: Apart, env: dict[str, str], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    process = apart.begin("worker", "--json", *options, env=env)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate(timeout=30)


def queued(apart: Apart, *models: str) -> str:
    """Queue a run that asks these models, one after the other; its id."""
    said = apart(*QUEUE, *agents(apart.root, *models), "--parallel", "1")
    assert said.code == 0, said
    return said.out.strip()


def status(apart: Apart, run: str) -> str:
    found: str = next(row["status"] for row in apart("runs", "--json").json if row["id"] == run)
    return found


def until_completed(apart: Apart, run: str) -> None:
    until = time.monotonic() + 60
    while (now := status(apart, run)) != "completed":
        assert time.monotonic() < until, now
        assert now != "failed"
        time.sleep(0.2)


def completed_once(apart: Apart, run: str) -> None:
    done = [line["step"] for line in apart("events", run).lines if line["type"] == "step.completed"]
    assert len(done) == len(set(done))
    assert apart("verify").code == 0


def test_a_queued_run_needs_no_key_and_waits_for_a_worker(apart: Apart, env: dict[str, str]) -> None:
    run = queued(apart, "ok", "ok~2")
    assert status(apart, run) == "queued"

    said = apart("worker", "--until-empty", env=env)

    assert (said.code, said.out) == (0, f"{run} variations completed\n"), said
    assert len(stored(apart)) == 2
    first = apart("events", run).lines[0]
    assert (first["type"], first["data"]["resumed_from"]) == ("run.started", None)
    assert apart("runs", "--json").json[0]["actor"] == first["actor"]["id"]


def test_a_wrong_request_is_not_queued(apart: Apart) -> None:
    said = apart("run", "variations", "--queue", "--brief", "x", "--set", "path=n.md", "--set", "count=3")

    assert said.code == 2
    assert "count" in said.err
    assert apart("runs", "--json").json == []


def test_a_worker_that_is_killed_is_followed_by_another(
    apart: Apart, server: FaultServer, env: dict[str, str]
) -> None:
    run = queued(apart, "ok", "ok~2", "stall+ok")
    with working(apart, env) as first:
        assert server.answering.wait_here(60)  # the third call stands still
        first.kill()
        first.wait(30)
        with working(apart, env):
            until_completed(apart, run)

    assert [each["model"] for each in server.requests] == ["ok", "ok~2", "stall+ok", "stall+ok"]
    assert len(stored(apart)) == 3
    completed_once(apart, run)


@pytest.mark.slow
def test_a_worker_that_was_stopped_and_wakes_leaves_the_run_to_its_successor(
    apart: Apart, server: FaultServer, env: dict[str, str]
) -> None:
    run = queued(apart, "ok", "stall+ok", "ok~3")
    with working(apart, env) as first:
        assert server.answering.wait_here(60)
        os.kill(first.pid, signal.SIGSTOP)
        with working(apart, env):
            until_completed(apart, run)
            os.kill(first.pid, signal.SIGCONT)
            time.sleep(3)  # it finds out that the run is no longer its own
            assert first.poll() is None
            first.send_signal(signal.SIGTERM)
            out, err = first.communicate(timeout=30)

    ends = [line["data"] for line in map(json.loads, out.splitlines()) if line["type"] == "run.finished"]
    assert [end["exit_code"] for end in ends] == [9], err
    assert [each["model"] for each in server.requests] == ["ok", "stall+ok", "stall+ok", "ok~3"]
    completed_once(apart, run)


def test_a_worker_that_is_told_to_end_gives_its_run_back(
    apart: Apart, server: FaultServer, env: dict[str, str]
) -> None:
    run = queued(apart, "ok", "stall+ok")
    with working(apart, env) as first:
        assert server.answering.wait_here(60)
        began = time.monotonic()
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate(timeout=30)
        took = time.monotonic() - began

    last = json.loads(out.splitlines()[-1])
    assert (first.returncode, last["type"], last["data"]["status"]) == (143, "run.finished", "queued"), err
    assert took < 2
    assert status(apart, run) == "queued"
    assert apart("lock", "list", "--json").json == []
    assert apart("worker", "--until-empty", env=env).code == 0
    assert [each["model"] for each in server.requests] == ["ok", "stall+ok", "stall+ok"]
    completed_once(apart, run)


@pytest.mark.slow
def test_two_workers_share_the_queue_and_never_drive_one_run_at_once(
    apart: Apart, server: FaultServer, env: dict[str, str]
) -> None:
    agents(apart.root, "slow", "slow~2")
    ask = (*QUEUE, "--set", "n=2", "--set", "critique=false")
    runs = [apart(*ask, "--set", f"path=n{at}.md").out.strip() for at in range(4)]

    both = [apart.begin("worker", "--until-empty", "--at-once", "2", env=env) for _ in range(2)]
    outs = [process.communicate(timeout=100) for process in both]

    ended = [line.split()[0] for out, _ in outs for line in out.decode().splitlines()]
    assert sorted(ended) == sorted(runs), outs
    assert len(server.requests) == 8
    assert {status(apart, run) for run in runs} == {"completed"}
    claims = [line for line in apart("events").lines if line["type"] == "run.claimed"]
    assert len(claims) == 4


def test_a_run_that_stopped_at_a_question_is_gone_on_with_after_the_answer(
    apart: Apart, env: dict[str, str]
) -> None:
    options = agents(apart.root, "ok", "ok~2")
    run = apart("run", "variations", "--queue", "--brief", "Notes", *options).out.strip()
    assert apart("worker", "--until-empty", env=env).out.split()[2] == "waiting:"
    assert apart("worker", "--until-empty", env=env).out == ""

    with working(apart, env):
        assert apart("gate", "answer", "last", "2").code == 0
        until_completed(apart, run)

    assert (apart.root / "notes.md").exists()


@pytest.mark.slow
def test_a_run_that_cannot_be_driven_here_fails_once_and_can_be_queued_again(
    apart: Apart, env: dict[str, str]
) -> None:
    run = queued(apart, "ok", "ok~2")
    said = apart("worker", "--until-empty")  # no key
    assert (said.code, status(apart, run)) == (7, "failed"), said
    assert "OPENAI_API_KEY" in said.out

    assert apart("run", "--resume", run, "--queue").code == 0
    assert status(apart, run) == "queued"
    assert apart("worker", "--until-empty", env=env).code == 0
    assert status(apart, run) == "completed"


def test_commands_that_somebody_else_queued_need_the_workers_trust(apart: Apart) -> None:
    ask = ("--set", "path=src/shop.py", "--set", "n=2", "--set", "checks=there: test -f src/shop.py")
    run = apart(*QUEUE, *ask, "--trust", "--as", "mallory").out.strip()

    said = apart("worker", "--until-empty", "--as", "ana")

    assert (said.code, status(apart, run)) == (7, "failed"), said
    assert "not trusted" in said.out
    assert apart("run", "--resume", run, "--queue").code == 0
    assert apart("worker", "--until-empty", "--as", "ana", "--trust").code == 0
    assert status(apart, run) == "completed"
