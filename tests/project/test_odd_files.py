"""Files that are odd, hostile or in motion: each behaves, and nothing is lost."""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.errors import BadInput, BadPath, Conflict, Exists, FlowError, NotFound, StorageFailed
from flowide.project.files import Tree
from flowide.project.folder import ProjectFolder
from flowide.project.ledger import stamp_of
from flowide.project.swapping import exchange
from flowide.space.queries import Artifacts, Content, History
from flowide.testing import MemorySpace
from tests.project.conftest import lock

PR_CAPBSET_DROP = 24
DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER = 1, 2, 3


def powerless() -> None:
    """In a child: permissions hold for root too."""
    for power in (DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, power, 0, 0, 0)


def flowide(root: Path, *args: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line as somebody whom permissions hold for."""
    return subprocess.run(
        [sys.executable, "-m", "flowide", *args],
        cwd=root,
        input=input,
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=powerless if os.geteuid() == 0 else None,
    )


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


# --- permissions ------------------------------------------------------------------------------------


def test_an_unreadable_file_is_refused_and_left(root: Path) -> None:
    (root / "a.txt").write_text("secret\n")
    (root / "a.txt").chmod(0)

    done = flowide(root, "artifact", "show", "a.txt")

    assert done.returncode == 2
    assert b"cannot be read" in done.stderr and b"Traceback" not in done.stderr


def test_a_listing_goes_on_beside_a_file_that_became_unreadable(root: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (root / name).write_text("one\n")
        assert flowide(root, "artifact", "show", name).returncode == 0
    (root / "a.txt").chmod(0)

    done = flowide(root, "artifact", "list")

    assert done.returncode == 0
    assert b"blocked" in done.stdout and b"same" in done.stdout


def test_a_folder_that_takes_no_file_refuses_before_anything_is_saved(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub/a.txt").write_text("one\n")
    assert flowide(root, "lock", "acquire", "sub/a.txt").returncode == 0
    (root / "sub").chmod(0o555)

    done = flowide(root, "save", "sub/a.txt", "--fence", "2", input=b"two\n")

    (root / "sub").chmod(0o755)
    assert done.returncode == 10
    assert (root / "sub/a.txt").read_text() == "one\n"
    assert [file.name for file in (root / "sub").iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_full_disk_refuses_before_anything_is_saved(root: Path) -> None:
    small = root / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no mounting here")
    try:
        (small / "a.txt").write_text("one\n")
        assert flowide(root, "lock", "acquire", "small/a.txt").returncode == 0
        done = flowide(root, "save", "small/a.txt", "--fence", "2", input=os.urandom(200_000))
        left = {file.name: file.read_bytes() for file in small.iterdir()}
    finally:
        subprocess.run(["umount", str(small)], check=True)

    assert done.returncode == 10, done
    assert left == {"a.txt": b"one\n"}


# --- names ------------------------------------------------------------------------------------------


async def test_names_that_are_no_text_are_passed_over(folder: ProjectFolder, space: MemorySpace) -> None:
    for name in (b"bad\xff.txt", b"\xed\xa0\x80.txt"):
        (Path(os.fsdecode(os.fsencode(folder.root) + b"/" + name))).write_text("x\n")
    (folder.root / "good.txt").write_text("x\n")

    assert list(folder.scan()) == ["good.txt"]
    with pytest.raises(BadPath):
        await folder.artifact(space, os.fsdecode(b"bad\xff.txt"))


async def test_long_paths_work_up_to_the_limit_and_are_refused_above(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    deep = "/".join(["d" * 100] * 10)
    made = await folder.create(space, f"{deep}/a.txt", "one\n")
    row = await folder.artifact(space, f"{deep}/a.txt")
    await folder.save(space, row, fence=await lock(space, made.artifact), base=1, data="two\n")

    assert (folder.root / deep / "a.txt").read_text() == "two\n"
    with pytest.raises(BadPath):
        await folder.create(space, f"{deep}/{'e' * 100}/a.txt", "x")
    with pytest.raises(BadPath):
        await folder.create(space, "n" * 256, "x")


def test_a_tree_deeper_than_any_path_may_be_is_looked_through(folder: ProjectFolder) -> None:
    here = os.open(folder.root, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=here)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    (folder.root / "a.txt").write_text("x\n")

    assert list(folder.scan()) == ["a.txt"]
    subprocess.run(["rm", "-rf", folder.root / ("d" * 100)], check=True)


async def test_two_files_that_differ_only_in_case_are_one_artifact_and_one_refusal(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    for name in ("Makefile", "makefile"):
        (folder.root / name).write_text(f"{name}\n")
    if len(list(folder.scan())) == 1:
        pytest.skip("this disk does not tell them apart")
    await folder.artifact(space, "Makefile")

    with pytest.raises(Exists):
        await folder.artifact(space, "makefile")
    with pytest.raises(Exists):
        await folder.create(space, "MAKEFILE", "third\n")
    assert await folder.catch_up(space, {"Makefile", "makefile"}) == []
    assert (folder.root / "makefile").read_text() == "makefile\n"


async def test_a_move_that_only_changes_case_is_a_move(folder: ProjectFolder, space: MemorySpace) -> None:
    made = await folder.create(space, "readme.md", "# R\n")
    row = await folder.artifact(space, "readme.md")

    await folder.move(space, row, "README.md", fence=await lock(space, made.artifact), base=1)

    assert [file.name for file in folder.root.glob("*.md")] == ["README.md"]


# --- what is no file --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["socket", "device", "pipe", "folder", "link to itself"])
async def test_what_is_no_file_is_refused_at_once(
    folder: ProjectFolder, space: MemorySpace, kind: str
) -> None:
    path = folder.root / "thing"
    if kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as listening:
            here = os.open(folder.root, os.O_RDONLY)
            listening.bind(f"/proc/self/fd/{here}/thing")
            os.close(here)
    elif kind == "device":
        if os.geteuid() != 0:
            pytest.skip("only root makes devices")
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero, which never ends
        except PermissionError:
            pytest.skip("no devices here")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("thing")

    with pytest.raises(BadInput):
        async with asyncio.timeout(5):
            await folder.artifact(space, "thing")
    with pytest.raises((BadInput, StorageFailed)):
        await folder.create(space, "thing", "text\n")
    assert await space.read(Artifacts()) == []


async def test_a_file_replaced_by_a_folder_keeps_its_versions_and_the_folder(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    made = await folder.create(space, "a", "one\n")
    row = await folder.artifact(space, "a")
    fence = await lock(space, made.artifact)
    (folder.root / "a").unlink()
    (folder.root / "a").mkdir()
    (folder.root / "a/inside.txt").write_text("inside\n")

    for touch in (
        folder.artifact(space, "a"),
        folder.save(space, row, fence=fence, base=1, data="two\n"),
        folder.delete(space, row, fence=fence, base=1),
    ):
        with pytest.raises(BadInput):
            await touch

    assert (folder.root / "a/inside.txt").read_text() == "inside\n"
    assert (await folder.artifact(space, "a/inside.txt")).version == 1
    [_] = await space.read(History(row.id))


async def test_a_folder_above_swapped_for_a_link_is_not_written_through(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    made = await folder.create(space, "sub/a.txt", "one\n")
    row = await folder.artifact(space, "sub/a.txt")
    fence = await lock(space, made.artifact)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.txt").write_text("one\n")
    (folder.root / "sub").rename(folder.root / "old")
    (folder.root / "sub").symlink_to(tmp_path / "outside")

    with pytest.raises(BadInput):
        await folder.save(space, row, fence=fence, base=1, data="two\n")
    with pytest.raises(BadInput):
        await folder.delete(space, row, fence=fence, base=1)

    assert (tmp_path / "outside/a.txt").read_text() == "one\n"
    assert folder.state(row) in {"missing", "blocked"}


async def test_hard_links_are_cut_not_written_through(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    (folder.root / "a.txt").write_text("one\n")
    os.link(folder.root / "a.txt", tmp_path / "other-name")
    row = await folder.artifact(space, "a.txt")

    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    assert (tmp_path / "other-name").read_text() == "one\n"


# --- in motion --------------------------------------------------------------------------------------


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


# --- the exchange itself ----------------------------------------------------------------------------


def test_two_names_change_places(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        done = exchange(here, "a", "b")
        with pytest.raises(FileNotFoundError):
            exchange(here, "a", "missing")
    finally:
        os.close(here)

    assert done
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("b", "a")


async def test_without_the_exchange_nothing_seen_is_overwritten_either(
    folder: ProjectFolder, space: MemorySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.project.files.exchange", lambda *names: False)
    (folder.root / "a.txt").write_text("one\n")
    row = await folder.artifact(space, "a.txt")
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict):
        await folder.save(space, row, fence=fence, base=2, data="three\n")

    assert (folder.root / "a.txt").read_text() == "from vim\n"


async def test_a_removal_takes_only_what_was_found(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    found = tree.read("a.txt")
    (tmp_path / "a.txt").write_text("two\n")

    with pytest.raises(Conflict):
        tree.remove("a.txt", found)

    assert [file.read_text() for file in tmp_path.iterdir()] == ["two\n"]


async def test_nobody_acts_for_the_disk(folder: ProjectFolder, space: MemorySpace) -> None:
    """A file taken in by an agent's look is still by `disk`."""
    (folder.root / "a.txt").write_text("one\n")

    row = await folder.artifact(space.acting_as(Actor("edwin", "agent", "ana")), "a.txt")

    [version] = await space.read(History(row.id))
    assert (version.actor, version.kind, version.for_) == ("disk", "system", None)


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


def test_times_prove_nothing_about_a_file_that_was_just_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    status = (tmp_path / "a.txt").stat()

    monkeypatch.setattr("flowide.project.ledger._RACY_NS", 3_600_000_000_000)
    assert stamp_of(status) == ""
    monkeypatch.setattr("flowide.project.ledger._RACY_NS", 0)
    assert str(status.st_ctime_ns) in stamp_of(status)


async def test_what_the_folder_remembers_is_for_its_owner_only(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "a.txt").write_text("one\n")

    await folder.artifact(space, "a.txt")

    assert (folder.dot_dir / "folder.db").stat().st_mode & 0o777 == 0o600
