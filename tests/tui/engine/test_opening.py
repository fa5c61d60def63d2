"""What the app finds when it opens a project."""

from __future__ import annotations

from pathlib import Path

from flowide.flows.engine import Surroundings
from flowide.tui.engine.opening import find_seats
from tests.project_with_agents import write_agent


def test_installed_coding_agents_have_a_seat_but_are_asked_by_name_only(tmp_path: Path) -> None:
    write_agent(tmp_path, "edwin", [])
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gemini", "opencode"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    write_agent(tmp_path, "opencode", [])

    seats, broken = find_seats(tmp_path, Surroundings(env={"PATH": str(programs)}))

    assert [(seat.handle, seat.by_name_only) for seat in seats] == [
        ("edwin", False), ("opencode", False), ("gemini", True),
    ]  # fmt: skip
    assert broken == ()


def test_without_surroundings_only_files_count(tmp_path: Path) -> None:
    write_agent(tmp_path, "edwin", [])

    assert [seat.handle for seat in find_seats(tmp_path, None)[0]] == ["edwin"]
