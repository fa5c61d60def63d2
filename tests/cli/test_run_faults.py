"""Whole runs against a model server that misbehaves: exit codes, what is stored, and how a run is stopped."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agents.fault_server import TEXT, FaultServer, refused_url, serving
from tests.cli.conftest import Apart, Said

RUN = ("run", "variations", "--headless", "--on-gate", "approve", "--json", "--brief", "Notes on locks")
NOTES = ("--set", "path=notes.md", "--set", "critique=false")
KEY = "sk-key-of-this-test-0123456789"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving() as made:
        yield made


@pytest.fixture
def env(server: FaultServer) -> dict[str, str]:
    return {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY, "FLOWIDE_LIMITS_SILENCE_S": "1"}


def agents(root: Path, *models: str) -> tuple[str, ...]:
    """An agent file for each model, in place of those that are there; the options that ask for a slot each."""
    folder = root / ".flowide" / "agents"
    for old in folder.glob("*"):
        old.unlink()
    for number, model in enumerate(models):
        head = f"handle: a{number}\nbackend: model\nmodel: openai/{model}\n"
        (folder / f"a{number}.md").write_text(f"---\n{head}---\nYou write.\n")
    return ("--set", f"n={max(2, len(models))}", *NOTES)


def ended(said: Said) -> dict[str, Any]:
    """The data of the one line that ends a stream."""
    types = [line["type"] for line in said.lines]
    assert types.count("run.finished") == 1, said
    assert types[-1] == "run.finished"
    assert "Traceback" not in said.err
    data: dict[str, Any] = said.lines[-1]["data"]
    assert data["exit_code"] == said.code
    return data


def stored(apart: Apart) -> list[str]:
    """The texts of all variations."""
    rows = apart("variations", "list", "last", "--json").json
    return [apart("variations", "show", "last", str(row["number"])).out for row in rows]


@pytest.mark.parametrize(
    ("model", "code", "error", "requests"),
    [("401", 7, "auth", 2), ("503", 8, "unavailable", 8), ("truncated-done", 8, "incomplete", 6)],
)
def test_a_run_whose_provider_fails_ends_with_the_code_for_it_and_stores_nothing(
    apart: Apart, server: FaultServer, env: dict[str, str], model: str, code: int, error: str, requests: int
) -> None:
    before = len(server.requests)

    said = apart(*RUN, *agents(apart.root, model), env=env)

    data = ended(said)
    assert (said.code, data["status"], data["error"]["code"]) == (code, "failed", error)
    assert len(server.requests) - before == requests
    assert stored(apart) == []
    assert not (apart.root / "notes.md").exists()
    assert KEY not in said.out + said.err
    assert apart("verify").code == 0


GOOD = ("ok", "reset-stream+ok", "429-after+ok", "slow")
BAD = ("truncated", "blank", "malformed", "length", "filter", "html-200")
MORE_BAD = (
    "stall", "stall-stream", "reset", "cut", "truncated-done", "empty", "nothing", "error-200", "error-event",
    "invalid-utf8", "403", "404", "402", "too-long", "429", "500", "502", "503", "429-hour", "html",
)  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(BAD, id="common"),
        *(
            pytest.param(MORE_BAD[at : at + 5], id=MORE_BAD[at], marks=pytest.mark.slow)
            for at in range(0, len(MORE_BAD), 5)
        ),
    ],
)
def test_only_whole_answers_become_variations(
    apart: Apart, env: dict[str, str], bad: tuple[str, ...]
) -> None:
    said = apart(*RUN, *agents(apart.root, *bad, *GOOD), "--parallel", "10", env=env)

    data = ended(said)
    assert (said.code, data["status"]) == (0, "completed")
    assert stored(apart) == [f"{TEXT}\n"] * len(GOOD)
    assert [each["agent"] for each in data["outputs"]["failed"]] == [f"a{n}" for n in range(len(bad))]
    assert (apart.root / "notes.md").read_text() == f"{TEXT}\n"
    assert apart("verify").code == 0


def test_too_few_variations_fail_a_run_that_wants_more(apart: Apart, env: dict[str, str]) -> None:
    said = apart(*RUN, *agents(apart.root, "ok", "401"), "--set", "at_least=2", env=env)

    assert (said.code, ended(said)["error"]["code"]) == (7, "auth")
    assert stored(apart) == [f"{TEXT}\n"]
    assert not (apart.root / "notes.md").exists()


def test_nobody_listening_is_unavailable(apart: Apart, env: dict[str, str]) -> None:
    with refused_url() as url:
        said = apart(*RUN, *agents(apart.root, "ok"), env={**env, "OPENAI_API_BASE": url})

    assert (said.code, ended(said)["error"]["code"]) == (8, "unavailable")


def test_a_missing_key_is_told_at_once(apart: Apart) -> None:
    options = agents(apart.root, "ok")
    began = time.monotonic()

    said = apart(*RUN, *options)

    assert (said.code, ended(said)["error"]["code"]) == (7, "auth")
    assert "OPENAI_API_KEY" in said.err
    assert time.monotonic() - began < 10
    assert apart("runs", "--json").json == []


# --- stopping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_the_connections_and_ends_the_run(apart: Apart, number: int, code: int) -> None:
    with serving() as own:
        env = {"OPENAI_API_BASE": own.url, "OPENAI_API_KEY": KEY}
        process = apart.begin(*RUN, *agents(apart.root, "drip"), env=env)
        assert own.answering.wait_here(60)
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - began

        data = ended(Said(process.returncode, out, err))
        assert (data["status"], data["exit_code"], data["error"]["code"]) == (
            "cancelled",
            code,
            "interrupted",
        )
        assert took < 2
        assert own.disconnected.wait_here(5)
        assert own.in_flight == 0
    assert apart("lock", "list", "--json").json == []
    assert apart("runs", "--json").json[0]["status"] == "cancelled"
    assert stored(apart) == []


def test_a_closed_pipe_stops_a_run_in_the_middle_of_an_answer(apart: Apart) -> None:
    with serving() as own:
        env = {"OPENAI_API_BASE": own.url, "OPENAI_API_KEY": KEY}
        process = apart.begin(*RUN, "--deltas", *agents(apart.root, "drip"), env=env)
        assert own.answering.wait_here(60)
        assert process.stdout is not None
        process.stdout.close()

        assert process.wait(30) == 141
        assert own.disconnected.wait_here(5)
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_time_limit_ends_the_run_with_a_way_to_go_on(apart: Apart, env: dict[str, str]) -> None:
    said = apart(*RUN, *agents(apart.root, "drip"), "--timeout", "1", env=env)

    data = ended(said)
    assert (said.code, data["status"], data["error"]["code"]) == (8, "failed", "unavailable")
    assert data["resume_command"] == f"flowide run variations --resume {said.lines[0]['run']}"


def test_a_budget_is_checked_before_each_call(apart: Apart, server: FaultServer, env: dict[str, str]) -> None:
    before = len(server.requests)
    options = agents(apart.root, "ok", "ok~2", "ok~3")

    said = apart(*RUN, *options, "--parallel", "1", "--budget", "25tok", env=env)

    assert (said.code, ended(said)["error"]["code"]) == (6, "budget")
    assert len(server.requests) - before == 2  # 19 tokens each
    assert ended(said)["totals"]["calls"] == 2


def test_another_process_cancels_a_run(apart: Apart) -> None:
    with serving() as own:
        env = {"OPENAI_API_BASE": own.url, "OPENAI_API_KEY": KEY}
        process = apart.begin(*RUN, *agents(apart.root, "ok", "drip"), "--parallel", "1", env=env)
        assert own.answering.wait_here(60)

        said = apart("runs", "cancel", "last", "--reason", "the brief was wrong", "--json")

        out, err = process.communicate(timeout=30)
        data = ended(Said(process.returncode, out, err))
        assert (said.code, said.json["status"]) == (0, "cancelled")
        assert (data["status"], data["exit_code"]) == ("cancelled", 130)
        assert "stopped the run: the brief was wrong" in data["error"]["message"]
        assert data["totals"]["calls"] >= 1
        assert own.disconnected.wait_here(5)
    assert apart("lock", "list", "--json").json == []
    assert apart("runs", "cancel", "last").code == 0
    assert "wants run" in apart("log").out


def test_a_killed_run_repeats_no_finished_call(apart: Apart) -> None:
    with serving() as own:
        env = {"OPENAI_API_BASE": own.url, "OPENAI_API_KEY": KEY}
        options = agents(apart.root, "ok", "ok~2", "stall+ok", "ok~4")
        process = apart.begin(*RUN, *options, "--parallel", "1", env=env)
        assert own.answering.wait_here(60)  # the third call stands still
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        assert own.disconnected.wait_here(10)  # no worker is left behind

        said = apart("run", "--resume", "last", "--headless", "--json", "--on-gate", "approve", env=env)

        asked = [request["model"] for request in own.requests]
    assert said.code == 0, said
    assert asked[:3] == ["ok", "ok~2", "stall+ok"]
    assert sorted(asked[3:]) == ["ok~4", "stall+ok"]  # at the same time
    assert ended(said)["totals"]["calls"] == 4
    assert stored(apart) == [f"{TEXT}\n"] * 4
    done = [line["step"] for line in apart("events", "last").lines if line["type"] == "step.completed"]
    assert len(done) == len(set(done))
    assert apart("verify").code == 0


def test_of_two_that_resume_a_run_one_drives(apart: Apart, server: FaultServer, env: dict[str, str]) -> None:
    options = agents(apart.root, "401+slow", "slow~two")
    assert apart(*RUN, *options, "--parallel", "1", "--set", "at_least=2", env=env).code == 7
    before = len(server.requests)

    go_on = ("run", "--resume", "last", "--headless", "--json", "--on-gate", "approve")
    both = [apart.begin(*go_on, env=env) for _ in range(2)]
    ends = []
    for process in both:
        out, _ = process.communicate(timeout=60)
        ends.append(json.loads(out.splitlines()[-1])["data"])

    codes = sorted(end["exit_code"] for end in ends)
    assert codes[0] == 0
    assert codes[1] in (5, 9)  # driven by the other, or ended meanwhile
    assert len(server.requests) - before == 1
    assert apart("verify").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.3, 0.8, 1.3, 1.8, 2.3, 3.0, 4.0, 5.5, 7.0])
def test_a_run_that_was_killed_at_any_time_ends_as_if_it_had_not_been(
    apart: Apart, server: FaultServer, env: dict[str, str], after_s: float
) -> None:
    before = len(server.requests)
    models = [f"{kind}~{after_s}-{at}" for at, kind in enumerate(["ok", "slow", "ok", "slow", "ok"])]
    options = agents(apart.root, *models)
    process = apart.begin(*RUN, *options, "--parallel", "2", env=env)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    finished = {
        line["step"]
        for line in (apart("events", "last").lines if apart("runs", "--json").json else [])
        if line["type"] == "step.completed" and "#" in (line["step"] or "")
    }
    until_kill = len(server.requests) - before

    runs = apart("runs", "--json").json
    if not runs or runs[0]["status"] == "completed":
        return
    said = apart("run", "--resume", "last", "--headless", "--json", "--on-gate", "approve", env=env)

    assert said.code == 0, said
    calls = {key for key in finished if key.startswith("vary#")}
    assert len(server.requests) - before - until_kill == len(models) - len(calls)
    assert stored(apart) == [f"{TEXT}\n"] * 5
    assert (apart.root / "notes.md").read_text() == f"{TEXT}\n"
    assert apart("artifact", "show", "notes.md", "--json").json["version"] == 1
    assert apart("verify").code == 0


def test_the_worker_prints_nothing_into_the_terminal(apart: Apart, env: dict[str, str]) -> None:
    said = apart(*RUN[:-3], "--brief", "Notes", *agents(apart.root, "ok"), env=env)

    assert said.out == f"{TEXT}\n"
    words = ("litellm", "LiteLLM", "Warning:", "\x1b")
    assert not [word for word in words if word in said.err], os.linesep + said.err
