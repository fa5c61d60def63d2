"""say, thread and decisions on the command line."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Apart, Here
from tests.project_with_agents import write_agent


@pytest.fixture(autouse=True)
def talkers(project: Path) -> None:
    (project / "notes.md").write_text("# Notes\n\nStale values.\n")
    write_agent(
        project,
        "edwin",
        [{"on": "edit", "text": "```markdown\n# New\n```\n"}, {"on": "*", "text": "Edwin here."}],
    )
    write_agent(project, "quinn", [{"on": "*", "text": "Quinn here.\n\nDecision: eight."}])


def test_say_prints_the_answers(flowide: Here) -> None:
    said = flowide("say", "@edwin what about #notes.md?", "--wait")

    assert said.code == 0, said
    assert said.out.startswith("#2 @edwin (scripted/edwin)") and "  Edwin here." in said.out


def test_all_does_not_mean_a_coding_agent_that_is_only_installed(
    flowide: Here, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path_factory.mktemp("bin") / "gemini"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    everybody = flowide("say", "@all and?", "--json").json["asks"]
    assert {"edwin", "quinn"} <= set(everybody) and "gemini" not in everybody
    assert flowide("say", "@all and @gemini?", "--json").json["asks"] == [*everybody, "gemini"]
    assert flowide("say", "@gemini?", "--json").json["asks"] == ["gemini"]


def test_say_as_json_has_the_message_and_the_replies(flowide: Here) -> None:
    told = flowide("say", "@edwin what about #notes.md and @nobody?", "--wait", "--json").json

    assert (told["number"], told["asks"], told["error"]) == (1, ["edwin"], None)
    assert [(each["actor"], each["text"], each["number"]) for each in told["replies"]] == [
        ("edwin", "Edwin here.", 2)
    ]
    assert told["refs"][0]["path"] == "notes.md"


def test_say_without_wait_asks_and_the_thread_answers_later(flowide: Here) -> None:
    said = flowide("say", "@edwin?")
    assert said.code == 0 and "@edwin asked" in said.out and "thread answer" in said.err
    assert "@edwin to #1: waiting" in flowide("thread", "show").out

    answered = flowide("thread", "answer")

    assert answered.code == 0 and "Edwin here." in answered.out
    assert "no answer is due" in flowide("thread", "answer").out


def test_say_goes_on_where_was_spoken_last_unless_it_is_told_otherwise(flowide: Here) -> None:
    first = flowide("say", "one", "--json").json
    second = flowide("say", "two", "--json").json
    third = flowide("say", "three", "--new", "--title", "Third", "--json").json

    assert (first["thread"], second["number"]) == (second["thread"], 2)
    assert third["thread"] != first["thread"]
    assert flowide("say", "four", "--thread", "third", "--json").json["thread"] == third["thread"]
    assert flowide("say", "five", "--thread", first["thread"][:20], "--json").json["number"] == 3


def test_what_was_just_said_is_passed_on(flowide: Here) -> None:
    flowide("say", "@edwin?", "--wait")
    flowide("say", "@quinn what do you think of what @edwin just said about #notes.md", "--wait")

    told = flowide("thread", "manifest", "--json").json

    assert (told["agent"], told["number"]) == ("quinn", 4)
    references = [(each["name"], each["reason"]) for each in told["items"] if each["kind"] == "reference"]
    assert references == [("notes.md@1", "#3 points at it"), ("#2 @edwin", "#3 points at it")]
    assert told["tokens"] == sum(each["tokens"] for each in told["items"] if each.get("included", True))


def test_the_context_can_be_seen_before_it_is_sent(flowide: Here) -> None:
    flowide("say", "hello")

    seen = flowide("thread", "manifest", "--agent", "edwin", "--text", "@edwin and #notes.md?", "--prompt")

    assert "@edwin would be told" in seen.out and "notes.md@1" in seen.out
    assert "--- system" in seen.out and "Stale values." in seen.out
    assert [each["number"] for each in flowide("thread", "show", "--json").json["messages"]] == [1]


def test_an_agent_edits_from_the_command_line(flowide: Here, project: Path) -> None:
    said = flowide("say", "@edwin rewrite #notes.md", "--wait")

    assert said.code == 0, said
    assert (project / "notes.md").read_text() == "# New\n"
    assert flowide("artifact", "history", "notes.md", "--json").json[-1]["note"] == "@edwin rewrite #notes.md"


def test_an_edit_of_a_locked_file_exits_5_and_says_who(flowide: Here) -> None:
    flowide("lock", "acquire", "notes.md", "--as", "rod", "--ttl", "60")

    said = flowide("say", "@edwin rewrite #notes.md", "--wait", "--lock-timeout", "0")

    assert said.code == 5 and "rod, a person, holds it" in said.out


def test_decisions_are_proposed_agreed_reopened_and_superseded(flowide: Here) -> None:
    flowide("say", "@quinn?", "--wait")
    [row] = flowide("decisions", "--json").json
    assert (row["number"], row["text"], row["status"], row["actor"]) == (1, "eight.", "open", "quinn")

    assert flowide("decisions", "agree", "D1", "--reason", "yes").code == 0
    assert flowide("decisions", "agree", "D1").code == 9
    assert flowide("decisions", "reopen", "1").code == 0
    assert flowide("decisions", "propose", "nine", "--message", "2", "--json").json["number"] == 2
    assert flowide("decisions", "supersede", "D1", "--by", "D2").code == 0

    rows = flowide("decisions", "list", "--json").json
    assert [(each["number"], each["status"]) for each in rows] == [(1, "superseded"), (2, "open")]
    assert rows[0]["superseded_by"] == rows[1]["id"]
    assert [each["number"] for each in flowide("decisions", "--status", "open", "--json").json] == [2]


def test_what_is_put_up_and_agreed_is_told_in_the_stream_of_a_run(flowide: Here) -> None:
    said = flowide("run", "discussion", "--headless", "--json", "--brief", "How many?", "--set", "rounds=1",
                   "--agents", "edwin,quinn", "--on-gate", "approve")  # fmt: skip

    assert said.code == 0, said
    lines = said.lines
    messages = [(each["actor"]["id"], each["data"]["number"]) for each in lines if each["type"] == "message"]
    assert messages == [("ana", 1), ("edwin", 2), ("quinn", 3)]
    changes = [each["data"]["status"] for each in lines if each["type"] == "decision.changed"]
    assert changes == ["open", "agreed"]
    assert lines[-1]["type"] == "run.finished" and lines[-1]["data"]["outputs"]["decisions"] == ["D1"]


@pytest.mark.parametrize(
    "args",
    [
        ["say", " "],
        ["say", "x", "--thread", "nothing"],
        ["say", "x", "--thread", "last", "--new"],
        ["say", "x", "--about", "nothing.md"],
        ["thread", "show", "nothing"],
        ["thread", "manifest"],
        ["thread", "manifest", "last", "--agent", "nobody"],
        ["thread", "manifest", "last", "--text", "x"],
        ["thread", "pin", "last", "nothing.md"],
        ["thread", "open", " "],
        ["decisions", "agree", "D1"],
        ["decisions", "propose", " "],
        ["decisions", "propose", "x", "--message", "99"],
    ],
)
def test_bad_input_is_one_clear_message_and_exit_2(flowide: Here, args: list[str]) -> None:
    flowide("say", "hello")
    before = len(flowide("events").lines)

    said = flowide(*args)

    assert said.code == 2, said
    assert "Traceback" not in said.err and said.err.startswith("error: ")
    assert len(flowide("events").lines) == before


def test_an_agent_without_a_key_is_told_before_anything_is_said(flowide: Here, project: Path) -> None:
    head = "---\nhandle: cloud\nbackend: model\nmodel: openai/gpt-4o-mini\n---\n"
    (project / ".flowide" / "agents" / "cloud.md").write_text(head)

    said = flowide("say", "@cloud?", "--wait")

    assert said.code == 7
    assert flowide("thread", "list", "--json").json == []
    assert flowide("say", "@edwin?", "--wait").code == 0


def test_what_agents_say_does_not_drive_the_terminal(flowide: Here, project: Path) -> None:
    write_agent(
        project, "edwin", [{"on": "*", "text": "\x1b[2J\x1b]0;owned\x07 red \x9b31m \u202e abc\r\nbye"}]
    )

    said = flowide("say", "\x1b[31m@edwin?", "--wait")
    shown = flowide("thread", "show")

    for text in (said.out, said.err, shown.out, flowide("thread", "list").out):
        assert not set(text) & set("\x1b\x07\x9b\u202e\r")


def _wait_for(flowide: Here, what: Any) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_say_that_is_killed_is_gone_on_with_and_nobody_is_asked_twice(
    flowide: Here, apart: Apart, project: Path
) -> None:
    write_agent(project, "edwin", [{"on": "*", "text": "Edwin here. " * 5}])
    write_agent(project, "quinn", [{"on": "*", "text": "slow " * 2000}], pace=400)
    begun = apart.begin("say", "@edwin @quinn?", "--wait", env={"FLOWIDE_SCRIPTED_PACE": ""})
    _wait_for(flowide, lambda: "Edwin here." in flowide("thread", "show").out)
    os.kill(begun.pid, signal.SIGKILL)
    begun.communicate()
    assert [each["actor"] for each in flowide("thread", "show", "--json").json["messages"]] == [
        "ana",
        "edwin",
    ]

    write_agent(project, "quinn", [{"on": "*", "text": "Quinn here."}])
    answered = flowide("thread", "answer")

    assert answered.code == 0, answered
    messages = flowide("thread", "show", "--json").json["messages"]
    assert [each["actor"] for each in messages] == ["ana", "edwin", "quinn"]
    steps = [each for each in flowide("events").lines if each["type"] == "run.step" and each["data"]["usage"]]
    assert sorted(each["data"]["key"].rpartition("/")[2] for each in steps) == ["edwin", "quinn"]
    assert flowide("verify").code == 0


def test_an_edit_that_is_killed_is_made_once_and_frees_its_lock(
    flowide: Here, apart: Apart, project: Path
) -> None:
    long = "# New\n" + "line\n" * 2000
    write_agent(project, "edwin", [{"on": "edit", "text": f"```markdown\n{long}```\n"}], pace=2000)
    begun = apart.begin("say", "@edwin rewrite #notes.md", "--wait", env={"FLOWIDE_SCRIPTED_PACE": ""})
    _wait_for(flowide, lambda: flowide("lock", "list", "--json").json)
    time.sleep(0.5)
    os.kill(begun.pid, signal.SIGKILL)
    begun.communicate()
    write_agent(project, "edwin", [{"on": "edit", "text": "```markdown\n# New\n```\n"}])

    answered = flowide("thread", "answer")

    assert answered.code == 0, answered
    assert (project / "notes.md").read_text() == "# New\n"
    assert len(flowide("artifact", "history", "notes.md", "--json").json) == 2
    assert flowide("lock", "list", "--json").json == []
    assert flowide("verify").code == 0


def test_an_interrupted_edit_frees_its_lock_and_keeps_what_was_written(
    flowide: Here, apart: Apart, project: Path
) -> None:
    long = "# New\n" + "line\n" * 2000
    write_agent(project, "edwin", [{"on": "edit", "text": f"```markdown\n{long}```\n"}], pace=2000)
    begun = apart.begin("say", "@edwin rewrite #notes.md", "--wait", env={"FLOWIDE_SCRIPTED_PACE": ""})
    _wait_for(flowide, lambda: "  line" in flowide("thread", "show").out)

    begun.send_signal(signal.SIGTERM)
    begun.communicate(timeout=20)

    assert begun.returncode == 143
    assert flowide("lock", "list", "--json").json == []
    [draft] = flowide("drafts", "--json").json
    assert flowide("draft", "show", draft["id"]).out.startswith("# New\nline\n")
    assert (project / "notes.md").read_text() == "# Notes\n\nStale values.\n"


def test_an_interrupt_leaves_the_answer_due(flowide: Here, apart: Apart, project: Path) -> None:
    write_agent(project, "quinn", [{"on": "*", "text": "slow " * 2000}], pace=400)
    begun = apart.begin("say", "@quinn?", "--wait", env={"FLOWIDE_SCRIPTED_PACE": ""})
    _wait_for(flowide, lambda: "taken" in flowide("thread", "show").out)

    began = time.monotonic()
    begun.send_signal(signal.SIGINT)
    begun.communicate(timeout=20)

    assert begun.returncode == 130
    assert time.monotonic() - began < 10
    write_agent(project, "quinn", [{"on": "*", "text": "Quinn here."}])
    assert flowide("thread", "answer").code == 0
    assert [each["actor"] for each in flowide("thread", "show", "--json").json["messages"]] == [
        "ana",
        "quinn",
    ]


def test_stdin_is_said(apart: Apart) -> None:
    said = apart("say", "-", "--json", input=b"piped @nobody\n")

    assert said.code == 0 and json.loads(said.out)["number"] == 1
    assert apart("say", "-", input=b"\xff\xfe").code == 2


def test_bounds_and_context_are_settings(flowide: Here, project: Path) -> None:
    (project / ".flowide" / "config.toml").write_text("[discussion]\ndepth = 0\nrate = 5\ncontext = 900\n")
    write_agent(project, "quinn", [{"on": "*", "text": "@edwin and you?"}])

    told = flowide("say", "@quinn?", "--wait", "--json").json

    assert [each["unasked"] for each in told["replies"]] == [[{"agent": "edwin", "why": "depth"}]]
    assert flowide("thread", "list", "--json").json[0]["rate"] == 5
    assert flowide("thread", "manifest", "--json").json["budget"] == 900
    assert flowide("thread", "manifest", "--agent", "edwin", "--json").json["budget"] == 900
    flowide("thread", "open", "Free", "--depth", "2")
    assert [each["depth"] for each in flowide("thread", "list", "--json").json] == [2, 0]


def test_bounds_that_cannot_be_are_refused(flowide: Here, project: Path) -> None:
    (project / ".flowide" / "config.toml").write_text("[discussion]\ndepth = 99\n")

    said = flowide("say", "hello")

    assert said.code == 2 and "config.toml:2" in said.err


def test_names_that_ask_nobody_are_told(flowide: Here, project: Path) -> None:
    (project / ".flowide" / "agents" / "mara.md").write_text("no front matter\n")

    said = flowide("say", "@mara and @nobody, and `@code`", "--wait")

    assert said.code == 0
    assert "warning: @mara cannot be asked: " in said.err
    assert "warning: there is no agent @nobody; the name is plain text" in said.err
    assert "code" not in said.err
