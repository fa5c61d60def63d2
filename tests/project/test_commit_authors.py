"""Who a commit is by, and what it says."""

from __future__ import annotations

from flowide.domain.actors import Actor
from flowide.domain.commands import AddVariation, OpenVariationSet
from flowide.project.committing import commit_version
from flowide.project.folder import ProjectFolder
from flowide.testing import MemorySpace
from tests.project.conftest import committed, lock
from tests.project.git_repository import GitRepository


async def test_the_author_is_who_wrote_it(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    await committed(folder, space, "a.txt", "two\n", "Say two\n\nBecause one was not enough.")

    assert git.show("%an <%ae>|%cn <%ce>") == "Ana Example <ana@example.org>|Ana Example <ana@example.org>"
    assert git.show("%s") == "Say two"
    assert "Because one was not enough.\n\nFlowide-Version: " in git.show("%B")


async def test_an_agent_that_wrote_it_is_its_author_and_its_model_is_named(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await folder.artifact(space, "a.txt")
    await space.execute(OpenVariationSet(set="s1", title="a.txt", path="a.txt", artifact=row.id, base=1))
    await space.execute(
        AddVariation(set="s1", text="two\n", author="edwin", model="tiny-1", run="r-7", step="vary#1")
    )
    fence = await lock(space, row.id)
    await folder.accept(space, row, set="s1", number=1, fence=fence, base=1, note="The shorter one")

    await commit_version(folder, space, await folder.artifact(space, "a.txt"))

    assert git.show("%an|%cn") == "edwin|Ana Example"
    trailers = git.show("%(trailers:only,unfold)").split("\n")
    assert "Assisted-by: edwin (tiny-1)" in trailers
    assert "Co-authored-by: Ana Example <ana@example.org>" in trailers
    assert f"Flowide-Version: {row.id}@2" in trailers
    assert "Flowide-Run: r-7" in trailers


async def test_a_text_that_looks_like_options_or_trailers_is_only_text(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    note = "--amend\n\n\x1b[31m-F/etc/passwd\0\n\nCo-authored-by: Mallory <m@evil.example>\r\n# gone?"
    await committed(folder, space, "a.txt", "two\n", note)

    message = git.show("%B")
    assert git.show("%s") == "--amend"
    assert "\x1b" not in message
    assert "# gone?" in message
    assert "Mallory" not in git.show("%(trailers)")


async def test_somebody_else_is_named_by_handle(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    bob = space.acting_as(Actor("bob"))
    row = await folder.artifact(bob, "a.txt")
    await folder.save(bob, row, fence=await lock(bob, row.id), base=1, data="two\n")  # type: ignore[arg-type]

    await commit_version(folder, space, await folder.artifact(space, "a.txt"))

    assert git.show("%an <%ae>|%cn") == "bob <bob@flowide.invalid>|Ana Example"


async def test_without_a_name_the_handle_is_enough(folder: ProjectFolder, space: MemorySpace) -> None:
    git = GitRepository.made(folder.root, named=False)
    (folder.root / "a.txt").write_text("one\n")

    await committed(folder, space, "a.txt", "two\n")

    assert git.show("%an <%ae>") == "ana <ana@flowide.invalid>"
