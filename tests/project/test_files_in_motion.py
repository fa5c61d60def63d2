"""Files that other programs write all the time: what is taken in is whole, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flowide.errors import BadInput, FlowError, NotFound
from flowide.project.folder import ProjectFolder
from flowide.project.swapping import exchange
from flowide.space.queries import Content, History
from flowide.testing import MemorySpace
from tests.project.conftest import lock
from tests.project.powerless import flowide


@contextmanager
def busily(work: Callable[[], object]) -> Iterator[None]:
    """Do it again and again, in a thread."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def test_a_file_that_is_never_still_is_refused_in_bounded_time(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    file = folder.root / "a.txt"
    file.write_bytes(b"x" * 2_000_000)

    def scribble() -> None:
        with file.open("r+b") as out:
            out.truncate(random.randrange(1_000_000, 2_000_000))
            out.write(os.urandom(64))

    with busily(scribble):
        async with asyncio.timeout(20):
            try:
                await folder.artifact(space, "a.txt")
            except BadInput as refused:
                assert "being written" in refused.message


async def test_whatever_is_taken_in_is_what_one_writer_wrote(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    """Editors that rename over the file: every version is a whole text of theirs."""
    file = folder.root / "a.txt"
    file.write_text("0" * 5000)
    row = await folder.artifact(space, "a.txt")

    def rename_over() -> None:
        beside = folder.root / ".a.swp"
        beside.write_text(str(random.randrange(10)) * 5000)
        beside.rename(file)

    with busily(rename_over):
        for _ in range(5):
            await folder.artifact(space, "a.txt")

    for version in await space.read(History(row.id)):
        data = await space.read(Content(row.id, version.version))
        assert data == data[:1] * 5000


async def test_no_text_of_either_side_is_lost_when_both_write_all_the_time(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    """Saves against an editor: every text the editor left, and nobody saw, is a version or on a card."""
    file = folder.root / "a.txt"
    file.write_text("start\n")
    row = await folder.artifact(space, "a.txt")
    replaced: list[bytes] = []
    written: list[bytes] = []

    def edit() -> None:
        """As an editor would: a new file in place of the old one, which it keeps as its backup."""
        text = f"vim {len(written)}\n".encode()
        beside = folder.root / ".a.swp"
        beside.write_bytes(text)
        if exchange(here, ".a.swp", "a.txt"):
            written.append(text)
            replaced.append(beside.read_bytes())
        threading.Event().wait(random.uniform(0, 0.15))

    here = os.open(folder.root, os.O_RDONLY)
    saves = 0
    with busily(edit):
        for _ in range(40):
            try:
                now = await folder.artifact(space, "a.txt")
                fence = await lock(space, row.id)
                await folder.save(space, now, fence=fence, base=now.version, data=f"ana {saves}\n")
                saves += 1
            except FlowError as refused:
                card = str(refused.data.get("conflict"))
                with suppress(FlowError):
                    await folder.resolve(space, card, "variation")
            await _give_back(space, row.id)
    os.close(here)

    known = [await space.read(Content(row.id, each.version)) for each in await space.read(History(row.id))]
    known += [blob for blob in await _blobs(space)]
    final = file.read_bytes()
    assert set(written) <= {*known, *replaced, final}
    assert saves > 0


async def _give_back(space: MemorySpace, artifact: str) -> None:
    from flowide.domain.commands import ReleaseLock
    from flowide.space.queries import Locks

    [state] = await space.read(Locks(artifact))
    if state.lock.actor == "ana":
        await space.execute(ReleaseLock(artifact=artifact, fence=state.lock.fence))


async def _blobs(space: MemorySpace) -> list[bytes]:
    found = []
    for name in space.store.blob_names():
        data = space.store.blob(name)
        if data is not None:
            found.append(data)
    return found


def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_text(root: Path) -> None:
    """kill -9 in the middle of saves; the next look finds file and artifact in step."""
    (root / "a.txt").write_text("start\n")
    script = (
        "import asyncio, sys\n"
        "from flowide.domain.actors import Actor\n"
        "from flowide.domain.commands import AcquireLock\n"
        "from flowide.project.folder import ProjectFolder\n"
        "from flowide.space.open import open_space\n"
        "async def main():\n"
        "    folder = ProjectFolder.open(sys.argv[1])\n"
        "    space = await open_space(folder.database, actor=Actor('ana'), client=sys.argv[2])\n"
        "    for at in range(100000):\n"
        "        row = await folder.artifact(space, 'a.txt')\n"
        "        granted = (await space.execute(AcquireLock(artifact=row.id, ttl_ms=500))).ok\n"
        "        await folder.save(space, row, fence=granted.fence, base=row.version, data=f'{at}\\n' * 500)\n"
        "        print(at, flush=True)\n"
        "asyncio.run(main())\n"
    )
    chance = random.Random(1)
    for round in range(6):
        client = f"00000000-0000-4000-8000-00000000000{round}"
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(root), client], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        threading.Event().wait(chance.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        threading.Event().wait(0.6)  # its lease runs out

        shown = flowide(root, "artifact", "show", "a.txt")
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout == (root / "a.txt").read_bytes()
        assert len(set(shown.stdout.splitlines())) == 1 and shown.stdout.count(b"\n") == 500
        assert sorted(file.name for file in root.iterdir()) == [".flowide", "a.txt"]

    assert flowide(root, "verify").returncode == 0
    assert (
        b"disk"
        not in flowide(root, "artifact", "history", "a.txt")
        .stdout.replace(b"found on disk", b"")
        .split(b"\n", 2)[2]
    )


async def test_a_file_that_vanishes_between_listing_and_looking_is_not_found(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "a.txt").write_text("one\n")
    [path] = folder.scan()
    (folder.root / "a.txt").unlink()

    with pytest.raises(NotFound):
        await folder.artifact(space, path)


async def test_half_of_a_text_is_waited_for(
    folder: ProjectFolder, space: MemorySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.project.place.SETTLE_S", 0.5)
    monkeypatch.setattr("flowide.project.place.MOST_SETTLING_S", 5.0)
    file = folder.root / "a.txt"
    file.write_text("first half\n")
    looking = asyncio.create_task(folder.artifact(space, "a.txt"))
    await asyncio.sleep(0.05)
    file.write_text("first half\nsecond half\n")

    row = await looking

    assert await space.read(Content(row.id)) == b"first half\nsecond half\n"
    [_] = await space.read(History(row.id))
