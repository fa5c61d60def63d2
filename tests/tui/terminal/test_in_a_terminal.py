"""Start, quit, suspend, stall, kill: the real program in a pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.commands import AcquireLock
from flowide.errors import Busy
from flowide.space.queries import Drafts, FindArtifact, Locks
from tests.tui.conftest import other_process
from tests.tui.terminal.conftest import PATIENCE_S, Start

ALTERNATE_SCREEN_OFF = b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"
CURSOR_ON = b"\x1b[?25h"


def test_it_starts_takes_keys_and_quits_leaving_the_terminal_as_it_was(start: Start, project: Path) -> None:
    app = start(str(project))
    app.sees("plan.md")
    app.send("?")
    app.sees("Take the lock and write.")
    app.send("\x1b")
    app.read(0.3)
    app.send("\x11")
    assert app.ends() == 0
    for sequence in (ALTERNATE_SCREEN_OFF, MOUSE_OFF, CURSOR_ON):
        assert sequence in app.raw[app.raw.rindex(b"\x1b[?1049h") :]
    assert "Traceback" not in app.text


def test_a_closed_window_ends_the_app_and_frees_its_locks(start: Start, project: Path) -> None:
    app = start(str(project))
    app.sees("plan.md")
    os.kill(app.process.pid, signal.SIGHUP)
    assert app.ends() == 128 + signal.SIGHUP


def test_an_app_whose_terminal_went_away_without_a_signal_ends(start: Start, project: Path) -> None:
    app = start(str(project))
    app.sees("plan.md")

    app.vanish()

    assert app.process.wait(PATIENCE_S) == 128 + signal.SIGHUP


@pytest.mark.parametrize(
    ("env", "said"), [({"TERM": "dumb"}, "TERM is dumb"), ({"TERM": ""}, "TERM is not set")]
)
def test_a_terminal_that_cannot_show_it_is_told_with_what_works(
    start: Start, project: Path, env: dict[str, str], said: str
) -> None:
    app = start(str(project), **env)
    assert app.ends() == 2
    assert said in app.text
    assert "--headless" in app.text
    assert b"\x1b[?1049h" not in app.raw


def test_a_theme_that_is_not_there_is_told_with_those_that_are(start: Start, project: Path) -> None:
    app = start(str(project), FLOWIDE_APP_THEME="nonsense")
    assert app.ends() == 2
    assert "nonsense" in app.text
    assert "flowide-light" in app.text
    assert b"\x1b[?1049h" not in app.raw


def test_without_a_terminal_it_says_so_and_exits_2(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowide", str(project)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "--headless" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_terminal_that_is_not_read_costs_no_lock(
    start: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start(str(project), FLOWIDE_LOCK_TTL_S="0.9")
    app.sees("plan.md")
    app.send("/plan\r")
    app.sees("Because.")
    app.read(0.3)
    app.send("e")
    app.sees("you are editing")
    async with other_process(project) as mia:
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        # Nobody reads what the app writes; it is made to write a lot.
        for _ in range(60):
            app.resize(100, 30)
            app.resize(120, 40)
            await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await mia.execute(AcquireLock(artifact=artifact.id))
        [state] = await mia.read(Locks(artifact.id))
        assert state.lock.state == "held"


async def test_killed_in_the_middle_of_a_word_what_was_typed_is_found_again(
    start: Start, project: Path
) -> None:
    app = start(str(project), FLOWIDE_LOCK_TTL_S="0.9")
    app.sees("plan.md")
    app.send("/plan\r")
    app.sees("Because.")
    app.read(0.3)
    app.send("e")
    app.sees("you are editing")
    app.send("precious ")
    app.sees("precious")
    app.read(2.5)  # the draft is stored once a second
    app.process.kill()
    app.process.wait()
    await asyncio.sleep(1.2)
    async with other_process(project) as mia:
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id))
        [draft] = await mia.read(Drafts())
        assert draft.actor == "ana"


def test_suspended_it_leaves_the_screen_and_comes_back(start: Start, project: Path) -> None:
    app = start(str(project))
    app.sees("plan.md")
    app.send("\x0f")
    app.sees("go to")
    app.send("z")
    app.until(lambda: ALTERNATE_SCREEN_OFF in app.raw, "the alternate screen to be left")
    app.raw = b""
    app.read(0.3)
    os.killpg(app.process.pid, signal.SIGCONT)
    app.sees("plan.md")
    app.send("\x11")
    assert app.ends() == 0


def test_a_terminal_without_a_size_is_one_of_the_usual_size_and_the_app_rests(
    start: Start, project: Path
) -> None:
    app = start(str(project), size=(0, 0))
    app.sees("plan.md")
    app.read(1.0)
    app.raw = b""
    app.read(1.0)
    assert len(app.raw) < 1000, "it paints nothing while nothing happens"
    app.resize(120, 40)
    app.sees("? help")
    app.send("\x11")
    assert app.ends() == 0


@pytest.mark.parametrize("size", [(40, 12), (20, 5), (300, 100)])
def test_any_size_of_window_is_fine(start: Start, project: Path, size: tuple[int, int]) -> None:
    app = start(str(project))
    app.sees("plan.md")
    app.resize(*size)
    app.read(0.5)
    app.resize(120, 40)
    app.read(0.3)
    app.raw = b""
    app.send("?")
    app.sees("Take the lock and write.")
    app.send("\x1b")
    app.read(0.2)
    app.send("\x11")
    assert app.ends() == 0


def test_a_workspace_that_cannot_be_opened_is_told_without_a_traceback(start: Start, project: Path) -> None:
    (project / ".flowide").mkdir(exist_ok=True)
    (project / ".flowide" / "workspace.db").write_bytes(b"this is no database" * 100)
    app = start(str(project))
    assert app.ends() == 10
    assert "workspace.db" in app.text
    assert "Traceback" not in app.text


def test_your_own_editor_edits_under_the_lock(start: Start, project: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "written outside" >> "$1"\n')
    editor.chmod(0o755)
    app = start(str(project), EDITOR=str(editor))
    app.sees("plan.md")
    app.send("/plan\r")
    app.sees("Because.")
    app.read(0.3)
    app.send("E")
    app.sees("Saved as v2")
    assert (project / "docs" / "plan.md").read_text().endswith("written outside\n")
    app.send("\x11")
    assert app.ends() == 0


@pytest.mark.parametrize("name", ["data.json", "code.js", "code.ts", "plan.md", "code.py"])
def test_no_grammar_crashes_the_editor(start: Start, project: Path, name: str) -> None:
    texts = {
        "data.json": '{"a": [1, 2, {"b": null}], "c": "d"}\n' * 30,
        "code.js": "function f(a, b) { return `x${a}` + b; }\nclass A { get b() { return 1; } }\n" * 30,
        "code.ts": "interface A<T> { b: T }\nexport const f = <T,>(x: T): A<T> => ({ b: x });\n" * 30,
        "plan.md": "# A\n\n```python\nx = 1\n```\n\n- b *c* `d`\n" * 30,
        "code.py": 'def f(x: int) -> str:\n    return f"{x!r:>{x}}"\n' * 30,
    }
    (project / name).write_text(texts[name])
    app = start(str(project))
    app.sees(name)
    app.send(f"/{name}\r")
    app.sees("free")
    app.read(0.3)
    app.send("e")
    app.sees("you are editing")
    for keys in ('"', "(", "\r", "`", "{", "\x7f", "\x1a", "\x19", "\x1b[B\x1b[B", "xyz"):
        app.send(keys)
        app.read(0.05)
    app.send("\x13")
    app.sees("Saved as v2")
    app.send("\x11")
    assert app.ends() == 0


@pytest.mark.parametrize("gone", [".flowide", "docs", "."])
def test_folders_that_vanish_under_the_app_are_told_and_it_still_quits(
    start: Start, project: Path, gone: str
) -> None:
    app = start(str(project))
    app.sees("plan.md")
    app.send("/plan\r")
    app.sees("Because.")
    app.read(0.3)
    shutil.rmtree(project / gone)
    for keys in ("e", "v", "\x1b", "/shop\r", "e", "\x1b", "L", "\x1b", "\x12", "V"):
        app.send(keys)
        app.read(0.3)
    app.send("\x11")
    app.ends()
    assert "Traceback" not in app.text
    assert "mistake of its own" not in app.text


@pytest.mark.parametrize(
    ("env", "never"),
    [
        ({"NO_COLOR": "1"}, rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m"),
        ({"TERM": "screen", "COLORTERM": ""}, rb"[34]8;[25];"),
        ({"TERM": "linux", "COLORTERM": ""}, rb"[34]8;[25];|[\x80-\xff]"),
    ],
    ids=["no colour", "16 colours", "console"],
)
def test_a_terminal_gets_no_more_colours_and_signs_than_it_has(
    start: Start, project: Path, env: dict[str, str], never: bytes
) -> None:
    app = start(str(project), **env)
    app.sees("plan.md")
    app.send("/plan\r")
    app.sees("Because.")
    app.send("e")
    app.sees("you are editing")
    app.read(0.3)
    assert re.findall(never, app.raw) == []
    app.send("\x1b")
    app.read(0.2)
    app.send("\x11")
    app.ends()


def test_a_mistake_of_the_app_ends_it_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flowide.domain.actors import Actor
    from flowide.tui import app, terminal
    from flowide.tui.application import FlowApp

    def run(self: FlowApp) -> None:
        self.crashed = RuntimeError("no such thing")

    monkeypatch.setattr(terminal, "check", lambda: None)
    monkeypatch.setattr(FlowApp, "run", run)
    assert app.run_app(project, Actor("ana")) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: no such thing" in said
    assert "kept as a draft" in said
    assert "Traceback" not in said


async def test_a_mistake_in_the_engine_ends_the_app_instead_of_leaving_it_waiting(project: Path) -> None:
    from flowide.tui.application import FlowApp

    async def broken() -> Any:
        raise RuntimeError("no such thing")

    app = FlowApp(broken)
    with pytest.raises(Exception, match="no such thing"):
        async with app.run_test() as pilot:
            for _ in range(200):
                await pilot.pause(0.02)
    assert isinstance(app.crashed, RuntimeError)


def test_a_file_of_keys_with_a_mistake_is_told_before_the_screen_is_taken(
    start: Start, project: Path, tmp_path: Path
) -> None:
    home = tmp_path / "person"
    home.mkdir()
    (home / "keys.toml").write_text('[keys]\n"grid.pik" = "z"\n')
    app = start(str(project), FLOWIDE_HOME=str(home))
    assert app.ends() == 2
    assert "keys.toml:2:1: there is no command grid.pik" in app.text
    assert "Did you mean grid.pick?" in app.text
    assert b"\x1b[?1049h" not in app.raw


def test_what_was_open_is_open_in_the_next_session(start: Start, project: Path) -> None:
    app = start(str(project))
    app.sees("plan.md")
    app.send("/plan\r")
    app.sees("Because.")
    app.send("\x11")
    assert app.ends() == 0
    again = start(str(project))
    again.sees("Because.")
