"""No version without a lock, and versions never change."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.errors import BadInput, BadPath, Exists, Fenced, NotAllowed, NotFound, TooLarge
from tests.domain.board import ANA, EDWIN, ROD, Board


def lock(board: Board, doc: str) -> int:
    fence: int = board.do(c.AcquireLock(artifact=doc)).fence
    return fence


def test_creating_grants_and_releases_the_first_fence(board: Board, doc: str) -> None:
    assert board.types() == ["lock.acquired", "artifact.created", "lock.released"]
    assert board.log[1].data["fence"] == 1
    assert board.find(r.Lease) == []


def test_creating_with_lock_keeps_the_first_fence(board: Board) -> None:
    made = board.do(c.CreateArtifact(path="a.md", text="", lock=True))

    assert made.fence == 1
    assert board.do(c.SaveArtifact(artifact=made.artifact, fence=1, base=1, text="x")).version == 2


def test_every_saved_event_carries_the_newest_fence_and_its_holder(board: Board, doc: str) -> None:
    for actor in (ANA, ROD, EDWIN):
        fence = board.do(c.AcquireLock(artifact=doc), actor).fence
        base = board.get(r.Artifact, doc).version  # type: ignore[union-attr]
        board.do(c.SaveArtifact(artifact=doc, fence=fence, base=base, text=actor.id), actor)

    granted = (0, "")
    for event in board.log:
        if event.type == "lock.acquired":
            granted = (event.data["fence"], event.data["holder"]["actor"])
        if event.type == "artifact.saved":
            assert (event.data["fence"], event.actor["id"]) == granted


def test_versions_are_dense_and_remember_their_base(board: Board, doc: str) -> None:
    fence = lock(board, doc)
    for base in range(1, 4):
        board.do(c.SaveArtifact(artifact=doc, fence=fence, base=base, text=f"v{base + 1}", then="keep"))

    versions = board.find(r.Version, artifact=doc, order="version")

    assert [(each.version, each.base) for each in versions] == [(1, 0), (2, 1), (3, 2), (4, 3)]
    assert board.blobs[versions[2].sha256] == b"v3"


def test_saving_without_the_lock_is_fenced(board: Board, doc: str) -> None:
    with pytest.raises(Fenced):
        board.do(c.SaveArtifact(artifact=doc, fence=1, base=1, text="x"))


def test_a_save_may_keep_the_lock(board: Board, doc: str) -> None:
    fence = lock(board, doc)

    saved = board.do(c.SaveArtifact(artifact=doc, fence=fence, base=1, text="2", then="keep"))

    assert saved.fence == fence
    assert board.get(r.Lock, doc).state == "held"  # type: ignore[union-attr]


def test_text_and_blob_exclude_each_other(board: Board) -> None:
    with pytest.raises(BadInput):
        board.do(c.CreateArtifact(path="a.md"))
    with pytest.raises(BadInput):
        board.do(c.CreateArtifact(path="a.md", text="x", blob="00"))


def test_a_blob_must_be_there_before_it_is_named(board: Board) -> None:
    with pytest.raises(NotFound):
        board.do(c.CreateArtifact(path="a.bin", blob="ab" * 32))


def test_inline_text_is_bounded(board: Board) -> None:
    with pytest.raises(TooLarge):
        board.do(c.CreateArtifact(path="a.md", text="é" * (c.MAX_INLINE // 2 + 1)))


def test_text_that_is_not_unicode_is_refused(board: Board) -> None:
    with pytest.raises(BadInput):
        board.do(c.CreateArtifact(path="a.md", text="\ud800"))


@pytest.mark.parametrize("path", ["Doc.MD", "doc.md"])
def test_two_paths_that_a_file_system_may_mix_up_collide(board: Board, doc: str, path: str) -> None:
    with pytest.raises(Exists) as refused:
        board.do(c.CreateArtifact(path=path, text=""))

    assert refused.value.data["artifact"] == doc


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "a\0b",
        "a\nb",
        "C:/x",
        "a\\b",
        "con.txt",
        "a/nul",
        "x ",
        "x" * 300,
        "a/" * 600,
        "\ud800",
        "a/.",
        "\x7f",
        "\x9bx",
    ],
)
def test_a_path_that_could_leave_the_project_or_not_exist_is_refused(board: Board, path: str) -> None:
    with pytest.raises(BadPath):
        board.do(c.CreateArtifact(path=path, text=""))

    assert board.log == []


@pytest.mark.parametrize(
    "path", ["a", ".env", "a/b.c/d", "père/ü.md", "con1/x", "a b/c-d_e.md", "日本/語.txt"]
)
def test_ordinary_paths_are_taken(board: Board, path: str) -> None:
    board.do(c.CreateArtifact(path=path, text=""))

    assert board.find(r.Artifact)[0].path == path


def test_a_move_is_a_version_and_frees_the_old_path(board: Board, doc: str) -> None:
    board.do(c.MoveArtifact(artifact=doc, fence=lock(board, doc), base=1, path="new/doc.md"))

    board.do(c.CreateArtifact(path="doc.md", text="another"))

    assert board.get(r.Artifact, doc).path == "new/doc.md"  # type: ignore[union-attr]
    assert board.get(r.Artifact, doc).version == 2  # type: ignore[union-attr]


def test_a_deleted_artifact_keeps_its_versions_and_can_come_back(board: Board, doc: str) -> None:
    board.do(c.DeleteArtifact(artifact=doc, fence=lock(board, doc), base=1))

    with pytest.raises(NotFound):
        board.do(c.SaveArtifact(artifact=doc, fence=lock(board, doc), base=2, text="x"))
    fence = board.get(r.Lock, doc).fence  # type: ignore[union-attr]
    board.do(c.RestoreArtifact(artifact=doc, fence=fence, base=2, version=1))

    row = board.get(r.Artifact, doc)
    assert row is not None and not row.deleted and board.blobs[row.sha256] == b"one\n"


def test_a_restore_does_not_overwrite_what_took_the_path_since(board: Board, doc: str) -> None:
    board.do(c.DeleteArtifact(artifact=doc, fence=lock(board, doc), base=1))
    board.do(c.CreateArtifact(path="doc.md", text="another"))

    with pytest.raises(Exists):
        board.do(c.RestoreArtifact(artifact=doc, fence=lock(board, doc), base=2, version=1))


def test_an_agent_does_not_delete(board: Board, doc: str) -> None:
    fence = board.do(c.AcquireLock(artifact=doc), EDWIN).fence

    with pytest.raises(NotAllowed):
        board.do(c.DeleteArtifact(artifact=doc, fence=fence, base=1), EDWIN)
