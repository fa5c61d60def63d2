"""What other programs change is told line by line."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.cli.conftest import Apart, Here


def test_a_look_through_all_files_tells_what_changed(flowide: Here, project: Path) -> None:
    flowide("artifact", "show", "src/shop.py")
    (project / "src/shop.py").write_text("new\n")

    said = flowide("watch", "--once", "--json")

    assert [(each["path"], each["what"], each["version"]) for each in said.lines] == [
        ("src/shop.py", "version", 2)
    ]
    assert flowide("watch", "--once").out == ""


def test_changes_are_told_as_they_happen_until_it_is_stopped(
    flowide: Here, apart: Apart, project: Path
) -> None:
    flowide("artifact", "show", "src/shop.py")
    flowide("lock", "acquire", "src/shop.py")
    watcher = apart.begin("watch", "--json")
    try:
        assert watcher.stderr is not None and watcher.stdout is not None
        assert b"watching" in watcher.stderr.readline()
        (project / "src/shop.py").write_text("new\n")

        told = json.loads(watcher.stdout.readline())
    finally:
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=30)

    assert (told["path"], told["what"]) == ("src/shop.py", "conflict")
    assert watcher.returncode == 130
    assert [each["id"] for each in flowide("conflicts", "list", "--json").json] == [told["conflict"]]
