"""Checks run on a copy, with bounds, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from flowide.confinement.methods import VARIABLE, confinement
from flowide.confinement.spawning import Limits
from flowide.errors import TooLarge
from flowide.flows import sandbox
from flowide.flows.sandbox import Outcome, private_copy
from tests.sleeping import children, running, sleeping, unique


async def run(
    root: Path, command: str, *, timeout_s: float = 20, changed: dict[str, bytes] | None = None
) -> Outcome:
    paths = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    async with private_copy(root, paths, changed or {}) as copy:
        return await sandbox.run(command, copy, timeout_s=timeout_s)


async def test_the_variation_stands_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "b.txt").write_text("kept")

    outcome = await run(tmp_path, "cat a.txt b.txt", changed={"a.txt": b"new"})

    assert (outcome.status, outcome.output) == ("passed", "newkept")
    assert (tmp_path / "a.txt").read_text() == "old"


async def test_keys_and_home_are_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    outcome = await run(tmp_path, 'echo "[$OPENAI_API_KEY]"; echo "$HOME"')

    first, home = outcome.output.splitlines()
    assert first == "[]"
    assert home != os.environ["HOME"]


@pytest.fixture
def real_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a namespace of its own, a process does not know its number outside."""
    monkeypatch.setenv(VARIABLE, "landlock")


@pytest.mark.usefixtures("real_numbers")
async def test_a_child_that_outlives_its_command_is_gone(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "sleep 300 & echo $!")

    assert outcome.status == "passed"
    assert not _alive(int(outcome.output))


@pytest.mark.usefixtures("real_numbers")
async def test_a_command_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "sleep 300 & echo $!; wait", timeout_s=5)

    assert outcome.status == "timeout"
    assert not _alive(int(outcome.output.splitlines()[0]))


@pytest.mark.usefixtures("real_numbers")
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells who belongs together")
async def test_a_child_that_left_the_group_is_gone_too(tmp_path: Path) -> None:
    seconds = unique()
    outcome = await run(tmp_path, f"setsid sleep {seconds} >/dev/null 2>&1 & sleep 0.3")

    assert outcome.status == "passed"
    assert sleeping(seconds) == []


async def test_a_check_that_is_called_off_leaves_no_process(tmp_path: Path) -> None:
    checking = asyncio.create_task(run(tmp_path, f"sleep 300; echo {tmp_path}"))
    while not (started := running(str(tmp_path))):
        await asyncio.sleep(0.01)

    for _ in range(3):  # a person who is impatient
        checking.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await checking

    assert not any(_alive(process) for process in started)
    assert children(os.getpid(), "sh") == []


_DRIVER = """
import asyncio, sys
from pathlib import Path
from flowide.flows import sandbox

async def main():
    async with sandbox.private_copy(Path(sys.argv[1]), [], {}) as copy:
        await sandbox.run("echo $$ > pid; sleep 300; true", copy, timeout_s=300)

asyncio.run(main())
"""


@pytest.mark.usefixtures("real_numbers")
def test_a_check_dies_with_the_process_that_runs_it_and_the_copy_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER, str(tmp_path)])
    until = time.monotonic() + 60
    while not (found := list(temporary.glob("*/project/pid"))) or not found[0].read_text().strip():
        assert time.monotonic() < until
        time.sleep(0.02)
    check = int(found[0].read_text())

    driver.kill()
    driver.wait()

    assert not _alive(check)
    sandbox._clear_up.cache_clear()
    sandbox._clear_up()
    assert list(temporary.iterdir()) == []


async def test_a_flood_is_cut_to_its_last_part(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "yes | head -c 3000000; echo the end")

    assert outcome.output.endswith("the end")
    assert len(outcome.output.encode()) <= sandbox.MAX_OUTPUT


async def test_output_that_is_no_text_is_kept_as_text(tmp_path: Path) -> None:
    outcome = await run(tmp_path, r"printf '\377\376\033[31mred'")

    outcome.output.encode()
    assert outcome.status == "passed"


async def test_a_project_too_large_to_copy_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MAX_COPY", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)

    with pytest.raises(TooLarge, match=r"\.gitignore|copy"):
        await run(tmp_path, "true")


async def test_the_copy_is_removed(tmp_path: Path) -> None:
    async with private_copy(tmp_path, [], {"a/b.txt": b"x"}) as copy:
        assert (copy / "a/b.txt").read_bytes() == b"x"

    assert not copy.parent.exists()


async def test_a_copy_that_is_called_off_while_it_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    names = [f"{number}.txt" for number in range(300)]
    for name in names:
        (tmp_path / name).write_text(name)

    async def copy() -> None:
        async with private_copy(tmp_path, names, {}):
            await asyncio.sleep(60)

    copying = asyncio.create_task(copy())
    while not any((tmp_path / "temporary").glob("*/project/1.txt")):
        await asyncio.sleep(0)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying

    assert list((tmp_path / "temporary").iterdir()) == []


def _alive(process: int) -> bool:
    """Whether a process runs on; killed ones may need a moment until somebody has reaped them."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


async def test_installed_packages_of_the_project_can_be_used(tmp_path: Path) -> None:
    for name in ("node_modules", "web/node_modules"):
        (tmp_path / name / "left-pad").mkdir(parents=True)
        (tmp_path / name / "left-pad" / "index.js").write_text("pad")
    (tmp_path / "web" / "app.js").write_text("app")

    async with private_copy(tmp_path, ["web/app.js"], {}) as copy:
        outcome = await sandbox.run(
            "cat node_modules/left-pad/index.js web/node_modules/left-pad/index.js", copy, timeout_s=20
        )

    assert (outcome.status, outcome.output) == ("passed", "padpad")
    assert (tmp_path / "node_modules" / "left-pad" / "index.js").exists()


async def test_a_package_installed_in_place_comes_from_the_copy(tmp_path: Path) -> None:
    package = tmp_path / "project" / "src" / "thing"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("WHO = 'project'\n")
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"import sys; sys.path.append({str(package.parent)!r})\n")
    command = f"PYTHONPATH=$PYTHONPATH:{site} {sys.executable} -c 'import thing; print(thing.WHO)'"

    outcome = await run(tmp_path / "project", command, changed={"src/thing/__init__.py": b"WHO = 'copy'\n"})

    assert outcome.output == "copy"


async def test_a_check_cannot_write_outside_its_copy(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.txt").write_text("kept")

    outcome = await run(tmp_path / "project", f"echo x > made; cat made; echo x > {tmp_path}/project/a.txt")

    assert "x" in outcome.output
    if confinement().works:
        assert outcome.status == "failed"
        assert (tmp_path / "project" / "a.txt").read_text() == "kept"


async def test_a_check_that_starts_too_many_processes_is_stopped_and_says_so(tmp_path: Path) -> None:
    async with private_copy(tmp_path, [], {}) as copy:
        outcome = await sandbox.run(
            "for n in $(seq 60); do sleep 300 & done; sleep 300",
            copy,
            timeout_s=60,
            limits=Limits(processes=20),
        )

    assert outcome.status == "failed"
    assert "more than 20 processes" in outcome.output


async def test_a_command_in_the_project_sees_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://me:hidden@db/x")
    monkeypatch.setenv("WANTED", "seen")

    outcome = await sandbox.supervised('echo "[$OPENAI_API_KEY$DATABASE_URL]$WANTED"', tmp_path, timeout_s=20)

    assert outcome.output == "[]seen"
