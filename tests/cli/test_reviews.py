"""Reviews on the command line, answered from other processes."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Apart, Here
from tests.project_with_agents import write_agent


def doc(text: str) -> str:
    return f"Done.\n\n```markdown\n# {text}\n```\n"


@pytest.fixture(autouse=True)
def reviewers(project: Path) -> None:
    (project / "notes.md").write_text("# Notes\n")
    revise = [
        {"on": "revise", "when": rf"(?s)reason {n}\n</data-\w+>\n\nDeal with every", "text": doc(f"Text {n}")}
        for n in (1, 2)
    ]
    write_agent(project, "edwin", [*revise, {"on": "draft", "text": doc("First")}])
    reject = {"verdict": "reject", "reasons": [{"kind": "style", "text": "reason 1"}]}
    approve = {"verdict": "approve", "reasons": []}
    texts = [json.dumps(each) for each in (reject, approve, approve, approve)]
    write_agent(project, "mara", [{"on": "review", "texts": texts}], role="editor")


RUN = [
    "run",
    "review",
    "--headless",
    "--agents",
    "edwin,mara",
    "--set",
    "path=notes.md",
    "--set",
    "polish=false",
]


def test_two_rejections_from_other_processes_and_an_approval(
    flowide: Here, apart: Apart, project: Path
) -> None:
    assert flowide(*RUN, "--brief", "Notes.").code == 3
    assert (project / "notes.md").read_text() == "# Text 1\n"

    assert apart("gate", "answer", "last", "reject", "--reason", "reason 2").code == 0
    assert apart("run", "--resume", "last", "--headless").code == 3
    assert (project / "notes.md").read_text() == "# Text 2\n"
    assert apart("gate", "answer", "last", "reject: reason 1", "--as", "rod").code == 0
    assert apart("run", "--resume", "last", "--headless").code == 3
    assert apart("gate", "answer", "last", "approve").code == 0
    done = flowide("run", "--resume", "last", "--headless")

    assert done.code == 0 and done.out == "# Text 1\n"
    view = flowide("reviews", "show", "--json", "--diff").json
    assert [(each["round"], each["stage"], each["verdict"]) for each in view["verdicts"]] == [
        (1, "edit", "reject"),
        (2, "edit", "approve"),
        (2, "sign-off", "reject"),
        (3, "edit", "approve"),
        (3, "sign-off", "reject"),
        (4, "edit", "approve"),
        (4, "sign-off", "approve"),
    ]
    assert [each["actor"] for each in view["verdicts"] if each["stage"] == "sign-off"] == [
        "ana",
        "rod",
        "ana",
    ]
    assert view["review"]["status"] == "approved"
    assert "+# Text 2" in view["handovers"][2]["diff"]
    assert flowide("verify").code == 0


def test_the_stream_tells_verdicts_and_the_end(flowide: Here) -> None:
    said = flowide(*RUN, "--brief", "Notes.", "--json", "--on-gate", "approve")

    assert said.code == 0, said
    told = [
        (line["type"], line["data"].get("stage"), line["data"]["final"], line["actor"]["id"])
        for line in said.lines
        if line["type"].startswith("review.")
    ]
    assert told == [
        ("review.rejected", "edit", False, "mara"),
        ("review.approved", "edit", False, "mara"),
        ("review.approved", "sign-off", False, "ana"),
        ("review.approved", None, True, "ana"),
    ]
    assert [line["data"]["version"] for line in said.lines if line["type"] == "artifact.saved"] == [2, 3]


def test_a_review_that_is_used_up_exits_4(flowide: Here, project: Path) -> None:
    reject = json.dumps({"verdict": "reject", "reasons": ["reason 1"]})
    write_agent(project, "mara", [{"on": "review", "text": reject}], role="editor")

    said = flowide(*RUN, "--brief", "Notes.", "--set", "rounds=2")

    assert said.code == 4 and "reason 1" in said.err
    assert flowide("reviews", "--status", "rejected", "--json").json[0]["round"] == 2


def test_reasons_are_listed(flowide: Here) -> None:
    flowide(*RUN, "--brief", "Notes.", "--on-gate", "approve")

    [reason] = flowide("reviews", "reasons", "document", "--json").json

    assert (reason["kind"], reason["text"], reason["path"]) == ("style", "reason 1", "notes.md")
    shown = flowide("reviews", "show")
    assert "1. edit: @mara reject version 2, back to draft" in shown.out
    assert "   - (style) reason 1" in shown.out


def test_a_review_killed_while_a_stage_writes_is_gone_on_with(
    flowide: Here, apart: Apart, project: Path
) -> None:
    slow = [{"on": "draft", "text": doc("First")}, {"on": "revise", "text": doc("slow " * 2000)}]
    write_agent(project, "edwin", slow, pace=1500)
    begun = apart.begin(*RUN, "--on-gate", "approve", env={"FLOWIDE_SCRIPTED_PACE": ""})
    deadline = time.monotonic() + 30
    while "#2/draft" not in flowide("log").out:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(begun.pid, signal.SIGKILL)
    begun.communicate()
    write_agent(project, "edwin", [{"on": "revise", "text": doc("Second")}])

    done = apart("run", "--resume", "last", "--headless", "--on-gate", "approve")

    assert done.code == 0, done
    assert done.out == "# Second\n"
    steps = [each for each in flowide("events").lines if each["type"] == "run.step" and each["data"]["usage"]]
    keys = [each["data"]["key"] for each in steps]
    assert len(keys) == len(set(keys)) == 4
    assert flowide("verify").code == 0


def test_without_reviews_the_list_says_so(flowide: Here) -> None:
    assert flowide("reviews").code == 0
    assert flowide("reviews", "show", "nothing").code == 2


def test_a_gate_shows_what_it_asks_about_and_how_it_is_answered(flowide: Here) -> None:
    flowide(*RUN, "--brief", "Notes.")
    shown = flowide("gate", "show")
    assert shown.out.startswith("Approve notes.md version 3?")
    assert "  +# Text 1" in shown.out
    assert "'reject to redraft|" not in shown.out and "'reject to draft|" in shown.out
    flowide("gate", "answer", "last", "approve")
    assert (
        "'approve' by @ana"
        in flowide("gate", "show", flowide("gate", "list", "--all", "--json").json[0]["id"]).out
    )


def test_changes_are_shown_by_number(flowide: Here, project: Path) -> None:
    write_agent(project, "quinn", [{"on": "revise", "text": doc("Polished")}], role="polisher")
    flowide("run", "review", "--headless", "--set", "path=notes.md", "--set", "draft=false", "--set", "hunks=true",
            "--agents", "edwin,mara,quinn")  # fmt: skip

    shown = flowide("gate", "show")

    assert "change 1:\n  @@ line 1 @@\n  -# Text 1\n  +# Polished" in shown.out
    assert "1,3-4; 2: changes the meaning" in shown.out
