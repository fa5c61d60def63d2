"""A real repository with work of the user's own under way, seen from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Apart, Here
from tests.project.git_repository import GitRepository


@pytest.fixture
def git(project: Path) -> GitRepository:
    """The project under git: staged and unstaged changes, new files, hooks that fail and leave a trace."""
    repository = GitRepository.made(project)
    repository.write(other_dot_py="x = 1\n", third_dot_py="y = 1\n", gone_dot_py="z = 1\n")
    repository.commit("start")
    repository.write(other_dot_py="x = 2\n")
    repository("add", "other.py")
    repository.write(other_dot_py="x = 3\n", third_dot_py="y = 2\n", new_dot_py="new\n")
    repository("rm", "-q", "gone.py")
    return repository


def seen(git: GitRepository) -> list[str]:
    """What the user would see of their own work."""
    return [git("status", "--porcelain"), git("diff", "--cached"), git("diff")]


def saved(apart: Apart, text: str, *, note: str = "", env: dict[str, str] | None = None) -> None:
    """A save of the shop, as a person does it."""
    fence = apart("lock", "acquire", "src/shop.py", "--json").json["fence"]
    said = apart("save", "src/shop.py", "--fence", str(fence), "-m", note, input=text.encode(), env=env)
    assert said.code == 0, said


AUTO = {"FLOWIDE_GIT_COMMIT": "auto"}


def test_automatic_commits_leave_the_users_work_and_hooks_alone(apart: Apart, git: GitRepository) -> None:
    before, head = seen(git), git("rev-parse", "HEAD").strip()
    trace = git.trap_hooks()

    saved(apart, "a = 1\n", note="First", env=AUTO)
    saved(apart, "a = 2\n", note="Second", env=AUTO)

    assert not trace.exists()
    assert seen(git) == before
    assert git("log", "--format=%s|%an", f"{head}..").splitlines() == [
        "Second|Ana Example",
        "First|Ana Example",
    ]
    assert git("diff", "--name-only", head, "HEAD").split() == ["src/shop.py"]
    assert git("show", "HEAD:src/shop.py") == "a = 2\n"
    assert git("stash", "list") == ""


def test_the_history_names_the_commits(apart: Apart, flowide: Here, git: GitRepository) -> None:
    saved(apart, "a = 1\n", env=AUTO)

    versions = flowide("artifact", "history", "src/shop.py", "--json").json

    assert [each["commit"] for each in versions] == [None, git("rev-parse", "HEAD").strip()]
    assert git("rev-parse", "HEAD")[:12] in flowide("artifact", "history", "src/shop.py").out
    assert "committed version 2 of src/shop.py to main" in flowide("log").out


def test_without_the_setting_nothing_is_committed(apart: Apart, git: GitRepository) -> None:
    head = git("rev-parse", "HEAD")

    saved(apart, "a = 1\n")

    assert git("rev-parse", "HEAD") == head


def test_a_version_is_committed_on_request(apart: Apart, flowide: Here, git: GitRepository) -> None:
    saved(apart, "a = 1\n", note="Now")
    before = seen(git)

    [made] = flowide("git", "commit", "src/shop.py", "--json").json

    assert made["commit"] == git("rev-parse", "HEAD").strip()
    assert git.show("%s") == "Now"
    assert seen(git)[0] == before[0].replace(" M src/shop.py\n", "")
    assert flowide("git", "commit", "--all", "--json").json == []
    [status] = flowide("git", "status", "--json").json["artifacts"]
    assert (status["version"], status["committed"]) == (2, 2)


def test_the_question_whether_to_commit_is_answered_from_anywhere(
    apart: Apart, flowide: Here, git: GitRepository
) -> None:
    saved(apart, "a = 1\n", env={"FLOWIDE_GIT_COMMIT": "ask"})
    [gate] = flowide("gate", "list", "--json").json
    assert gate["options"] == ["commit", "skip"]

    assert flowide("gate", "answer", "last", "commit").code == 0

    assert git("show", "HEAD:src/shop.py") == "a = 1\n"


def test_an_accepted_variation_carries_its_agent_into_git(
    apart: Apart, flowide: Here, git: GitRepository
) -> None:
    ran = apart(
        "run", "variations", "--headless", "--brief", "a better shop", "--set", "path=src/shop.py",
        "--on-gate", "approve", "--quiet", env=AUTO,
    )  # fmt: skip
    assert ran.code == 0, ran

    trailers = git.show("%(trailers:only,unfold)")
    assert git.show("%an") in {"anders", "bea"}
    assert f"Assisted-by: {git.show('%an')} (" in trailers
    assert "Co-authored-by: Ana Example <ana@example.org>" in trailers
    assert "Flowide-Run: " in trailers


def test_where_versions_come_from_is_exported_as_notes(
    apart: Apart, flowide: Here, git: GitRepository
) -> None:
    saved(apart, "def a():\n    return 1\n", env=AUTO)
    before = seen(git)

    first, again = (flowide("git", "notes", "--json").json for _ in range(2))

    assert (first["written"], again["kept"], again["written"]) == (1, 1, 0)
    note = json.loads(git("notes", "--ref=flowide", "show", "HEAD"))
    assert (note["version"]["path"], note["version"]["actor"]) == ("src/shop.py", "ana")
    assert [each["piece"] for each in note["pieces"]] == ["a"]
    assert seen(git) == before


def test_notes_of_commits_that_were_rewritten_are_left_out(
    apart: Apart, flowide: Here, git: GitRepository
) -> None:
    saved(apart, "a = 1\n", env=AUTO)
    git("reset", "-q", "--soft", "HEAD~")
    git("reflog", "expire", "--expire=now", "--all")
    git("gc", "-q", "--prune=now")

    assert flowide("git", "notes", "--json").json["missing"] == 1


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("git", "commit"), 2),
        (("git", "commit", "--all", "src/shop.py"), 2),
        (("git", "commit", "nowhere.py"), 2),
        (("git", "commit", "src/shop.py", "--version", "9"), 2),
        (("git", "notes", "--ref", "--force"), 2),
        (("git", "notes", "--ref", "a..b"), 2),
    ],
)
def test_what_cannot_be_is_refused(
    flowide: Here, git: GitRepository, args: tuple[str, ...], code: int
) -> None:
    refs = git("for-each-ref")

    assert flowide(*args).code == code
    assert git("for-each-ref") == refs


def test_without_a_repository_the_reason_is_told(flowide: Here, apart: Apart) -> None:
    saved(apart, "a = 1\n")

    said = flowide("git", "commit", "src/shop.py")

    assert said.code == 2
    assert "git init" in said.err
    assert flowide("git", "status").code == 0
