"""A run that only says it is ours is gone on with as somebody else's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.commands import AnswerGate
from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.flows.vouching import KEY, seal, vouched
from flowide.space.queries import Gates
from tests.cli.conftest import Here, flowide, project
from tests.flows.conftest import Bench

__all__ = ["flowide", "project"]

FLOW = """\
flow: asks
steps:
  - gate: {question: May it?, options: ["yes", "no"]}
  - run: {command: touch ran}
"""


async def asked(bench: Bench) -> str:
    """A trusted run that waits before its command."""
    folder = bench.root / ".flowide" / "flows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "asks.yaml").write_text(FLOW)
    asked = RunRequest(flow="asks", trust=True)
    result = await engine.start(bench.space, bench.folder, asked, surroundings=bench.around)
    assert result.status == "waiting", result.error
    [gate] = await bench.space.read(Gates(run=result.run))
    await bench.space.execute(AnswerGate(gate=gate.id, answer="yes"))
    return result.run


async def test_a_trusted_run_goes_on_where_it_was_begun(bench: Bench) -> None:
    run = await asked(bench)

    assert (await bench.resume(run)).status == "completed"


async def test_the_same_workspace_with_another_user_folder_is_not_trusted(
    bench: Bench, tmp_path: Path
) -> None:
    run = await asked(bench)
    bench.around = engine.Surroundings(env=bench.around.env, user_flows=tmp_path / "somebody-else")

    refused = await bench.resume(run)
    assert refused.status == "failed"
    assert "not trusted" in (refused.error or {})["message"]

    assert (await bench.resume(run, trust=True)).status == "completed"


@pytest.mark.parametrize("change", ["root", "run", "text", "inputs", "options", "seal"])
def test_whatever_is_changed_breaks_the_seal(tmp_path: Path, change: str) -> None:
    options: dict[str, Any] = {"trust": False, "allow": []}
    root, run, text, inputs = Path("/p"), "r", "flow: a", {"n": 2, "of": ["x", None, 1.5]}
    options["seal"] = seal(tmp_path, root, run, text, inputs, options)
    assert vouched(tmp_path, root, run, text, inputs, options)

    if change == "options":
        options["trust"] = True
    elif change == "seal":
        options["seal"] = "0" * 64
    changed = {
        "root": (Path("/q"), run, text, inputs),
        "run": (root, "other", text, inputs),
        "text": (root, run, "flow: b", inputs),
        "inputs": (root, run, text, {**inputs, "checks": ["t: rm -rf /"]}),
    }.get(change, (root, run, text, inputs))

    assert not vouched(tmp_path, *changed, options)


def test_the_key_is_kept_from_others_and_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "user"

    first = seal(folder, tmp_path, "r", "", {}, {})

    assert first == seal(folder, tmp_path, "r", "", {}, {})
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600
    assert os.listdir(folder) == [KEY]


def test_without_a_folder_nothing_is_vouched_for(tmp_path: Path) -> None:
    assert seal(None, tmp_path, "r", "", {}, {}) == ""
    assert not vouched(None, tmp_path, "r", "", {}, {"seal": ""})
    assert not vouched(tmp_path, tmp_path, "r", "", {}, {"seal": ""})
    (tmp_path / "file").write_text("")
    assert seal(tmp_path / "file", tmp_path, "r", "", {}, {}) == ""


def test_a_workspace_that_somebody_sends_does_not_run_their_command(
    flowide: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (flowide.root / "asks.yaml").write_text(FLOW)
    assert flowide("run", "asks.yaml", "--headless", "--trust").code == 3
    assert flowide("gate", "answer", "last", "yes").code == 0
    shutil.copytree(flowide.root, tmp_path / "cloned")

    for home in (tmp_path / "another-home", Path(os.environ["FLOWIDE_HOME"])):  # also sent back to its maker
        monkeypatch.setenv("FLOWIDE_HOME", str(home))
        monkeypatch.chdir(tmp_path / "cloned")
        refused = flowide("run", "--resume", "last", "--headless")
        worked = flowide("worker", "--until-empty")

        assert refused.code == 7, refused
        assert "--trust" in refused.err
        assert worked.code == 0
        assert not (tmp_path / "cloned" / "ran").exists()

    assert flowide("run", "--resume", "last", "--headless", "--trust").code == 0
    assert (tmp_path / "cloned" / "ran").exists()
