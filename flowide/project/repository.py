"""Commits through git's plumbing: the user's branch moves on by one commit, and nothing else of theirs changes.

No hook runs, no working file is touched, and the user's index changes only at the committed paths, and there only
where nothing of the user's own was staged. Foreign text reaches git through stdin and the environment alone.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from flowide.errors import BadInput, Conflict, StorageFailed
from flowide.project.git_command import GitFailed, run_git
from flowide.project.git_index import Moved, UserIndex, put
from flowide.project.git_model import Change, Committed, Entry, Identity, clean, entries

TRIES = 8
"""A branch that moves, or an index that is in use, is tried again so often."""
_PRIVATE = ("core.splitIndex=false", "index.sparse=false", "core.untrackedCache=false")
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}


class Repository:
    """The work tree that a folder lies in."""

    def __init__(self, top: str, git_dir: str) -> None:
        self.top = top
        """Real path of the work tree."""
        self.git_dir = git_dir
        """Of this work tree; a linked one has its own."""

    @classmethod
    def around(cls, folder: str | Path) -> Repository:
        """The repository whose work tree holds an existing folder.

        Raises:
            Unavailable: git is not installed.
            BadInput: There is none, or it has no work tree.
        """
        done = run_git(folder, ["rev-parse", "--show-toplevel", "--absolute-git-dir"])
        lines = os.fsdecode(done.stdout).split("\n")
        if done.returncode != 0 or len(lines) != 3 or not lines[0]:
            said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
            raise BadInput(
                f"{folder} is in no git work tree: {said or 'git shows none'}",
                hint="Make it one with `git init`, or set [git] commit to off.",
            )
        return cls(os.path.realpath(lines[0]), lines[1])

    def relative(self, file: str | Path) -> str:
        """A path in the work tree as git names it.

        Raises:
            BadInput: It is elsewhere.
        """
        path = os.path.relpath(os.path.realpath(os.path.dirname(file)), self.top)
        inside = os.path.normpath(os.path.join(path, os.path.basename(file)))
        if inside.startswith("../"):
            raise BadInput(f"{file} is outside of {self.top}", hint="Commit it in its own repository.")
        return inside

    def identity(self) -> Identity:
        """Who uses this repository, as far as git was told; parts that it was not told are empty."""
        found = self._config("user", "author", "committer")
        env = os.environ
        return Identity(
            clean(env.get("GIT_COMMITTER_NAME") or found.get("committer.name") or found.get("user.name", "")),
            clean(
                env.get("GIT_COMMITTER_EMAIL")
                or found.get("committer.email")
                or found.get("user.email")
                or env.get("EMAIL", "")
            ),
        )

    def branch(self) -> str:
        """The full name of the branch that is checked out; `HEAD` when none is."""
        done = self._try("symbolic-ref", "-q", "HEAD")
        return os.fsdecode(done.stdout).strip() if done.returncode == 0 else "HEAD"

    def tip(self, ref: str) -> str | None:
        """The commit a ref names; None = it has none yet."""
        done = self._try("rev-parse", "-q", "--verify", f"{ref}^{{commit}}")
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def holds(self, commit: str) -> bool:
        """Whether a commit of this full name is in the repository."""
        return self._try("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def entry(self, commit: str | None, path: str) -> Entry | None:
        """What a commit holds at a path; None also for a folder."""
        if commit is None:
            return None
        listed = self.run("ls-tree", "-z", "--full-tree", commit, "--", path)
        found = entries(listed).get(os.fsencode(path))
        return None if found is None or found.mode == "040000" else found

    def ignores(self, path: str) -> bool:
        """Whether a rule of the repository leaves the path out."""
        # This one command takes no literal pathspecs; after `./` nothing has a special meaning.
        done = self._try(
            "check-ignore", "-z", "--stdin",
            input=b"./" + os.fsencode(path) + b"\0", env={"GIT_LITERAL_PATHSPECS": "0"},
        )  # fmt: skip
        return done.returncode == 0

    def under_way(self) -> str | None:
        """A merge, rebase … that the user has not finished."""
        for name, what in _UNDER_WAY.items():
            if os.path.lexists(os.path.join(self.git_dir, name)):
                return what
        return None

    def commit(
        self,
        changes: Sequence[Change],
        message: str,
        *,
        author: Identity,
        committer: Identity,
        when: str,
        onto: str | None = None,
        scratch: Path,
    ) -> Committed:
        """Commit just these changes, on top of the checked-out branch or of the branch `onto`.

        `when` is RFC 3339, for the author; `scratch` a folder for passing files. What git holds already is no
        new commit: the one that brought it is given.

        Raises:
            Conflict: A merge or rebase is under way, or a path has conflicts in the index.
            BadInput: A path is ignored by git, or `onto` is checked out elsewhere.
            GitFailed: git refused; nothing was changed.
        """
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
        }
        for again in range(TRIES):
            if again:
                time.sleep(random.uniform(0.01, 0.05) * 2**again)  # noqa: S311 - jitter, no secret
            try:
                return self._attempt(changes, message, env, onto, scratch)
            except Moved as moved:
                last = moved
            except OSError as error:
                raise StorageFailed(
                    f"no commit was made: {error.filename or scratch} cannot be written: {error.strerror}",
                    hint="Make room there, then run `flowide git commit`.",
                ) from error
        raise GitFailed(
            f"the commit was not made: {last}",
            hint="Another git command keeps the repository busy; try again.",
        )

    def _attempt(
        self,
        changes: Sequence[Change],
        message: str,
        env: Mapping[str, str],
        onto: str | None,
        scratch: Path,
    ) -> Committed:
        here = self.branch()
        ref = here if onto is None else f"refs/heads/{onto}"
        self._check_free(ref, here)
        old = self.tip(ref)
        parent = old if old is not None or ref == here else self.tip("HEAD")
        for change in changes:
            self._check_no_submodule(parent, change.path)
        before = {change.path: self.entry(parent, change.path) for change in changes}
        after = {change.path: self._stored(change, before[change.path]) for change in changes}
        tree = self._tree(parent, after, scratch)
        if parent is not None and tree == self.run("rev-parse", f"{parent}^{{tree}}").decode().strip():
            brought = self.run("rev-list", "-1", parent, "--", *after).decode().strip()
            return Committed(brought or parent, ref, made=False)
        signed = ["-S"] if self._config("commit").get("commit.gpgsign", "").casefold() in _TRUE else []
        parents = [] if parent is None else ["-p", parent]
        made = self.run("commit-tree", *signed, *parents, "-F", "-", tree, input=message.encode(), env=env)
        commit = made.decode().strip()
        if ref != here:
            self._move(ref, old, commit, env)
            return Committed(commit, ref, [])
        # With the index in our hands, no other command commits what stands in it before both have moved.
        with UserIndex(self).locked() as index:
            staged, left = index.stage(before, after)
            self._move(ref, old, commit, env)
        for path in staged:
            self._try("add", "--refresh", "--", path)  # its times, so that nobody takes it for changed
        return Committed(commit, ref, left)

    def _move(self, ref: str, old: str | None, commit: str, env: Mapping[str, str]) -> None:
        moved = self._try(
            "update-ref", "-m", "commit: flowide", "--no-deref", "--end-of-options",
            ref, commit, old or "0" * len(commit),
            env=env,
        )  # fmt: skip
        if moved.returncode != 0:
            raise Moved(moved.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: "))

    def _check_free(self, ref: str, here: str) -> None:
        if ref == here:
            what = self.under_way()
            if what is not None:
                raise Conflict(
                    f"a {what} is under way in {self.top}, so nothing is committed",
                    hint=f"Finish the {what}, then run `flowide git commit`.",
                )
            return
        name = ref.removeprefix("refs/heads/")
        self.check_ref(ref)
        trees = os.fsdecode(self.run("worktree", "list", "--porcelain")).split("\n")
        if f"branch {ref}" in trees:
            raise BadInput(
                f"{name} is checked out in another work tree",
                hint="Set [git] branch to one that is not, or leave it empty.",
            )

    def _check_no_submodule(self, parent: str | None, path: str) -> None:
        parts = path.split("/")[:-1]
        above = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        if parent is None or not above:
            return
        for name, entry in entries(self.run("ls-tree", "-z", "--full-tree", parent, "--", *above)).items():
            if entry.mode == "160000":
                raise BadInput(
                    f"{path} lies in the submodule {os.fsdecode(name)}, which is not checked out here",
                    hint="Run `git submodule update --init` first.",
                )

    def check_ref(self, ref: str) -> None:
        """Raise BadInput unless this full name can be that of a branch or of notes."""
        name = ref.split("/", 2)[-1]
        if name.startswith("-") or self._try("check-ref-format", ref).returncode != 0:
            raise BadInput(
                f"{name[:100]!r} is no name that git allows", hint="Use letters, digits, dashes and slashes."
            )

    def add_note(self, ref: str, commit: str, text: str, who: Identity) -> bool:
        """Attach a note to a commit, in place of an older one; False when it says so already."""
        self.check_ref(ref)
        known = self._try("notes", f"--ref={ref}", "show", commit)
        if known.returncode == 0 and known.stdout.decode("utf-8", "replace").strip() == text.strip():
            return False
        env = {
            "GIT_AUTHOR_NAME": who.name,
            "GIT_AUTHOR_EMAIL": who.email,
            "GIT_COMMITTER_NAME": who.name,
            "GIT_COMMITTER_EMAIL": who.email,
        }
        self.run("notes", f"--ref={ref}", "add", "-f", "-F", "-", commit, input=text.encode(), env=env)
        return True

    def _stored(self, change: Change, before: Entry | None) -> Entry | None:
        """The entry for a change, its content stored the way `git add` would."""
        if change.data is None:
            return None
        if before is None and self.ignores(change.path):
            raise BadInput(
                f"{change.path} is ignored by git, so it is not committed",
                hint="Take it out of .gitignore, or leave it uncommitted.",
            )
        mode = "100755" if change.executable else "100644"
        if before is not None and before.mode.startswith("100"):
            mode = before.mode
        stored = ["hash-object", "-w", "--stdin"]
        if self._keeps_crlf(change, before):
            return Entry(mode, self.run(*stored, "--no-filters", input=change.data).decode().strip())
        return Entry(mode, self.run(*stored, f"--path={change.path}", input=change.data).decode().strip())

    def _keeps_crlf(self, change: Change, before: Entry | None) -> bool:
        """Whether a file with CRLF in git keeps it, whatever core.autocrlf says; only attributes overrule that."""
        if before is None or b"\r\n" not in (change.data or b""):
            return False
        said = self.run(
            "check-attr", "-z", "--stdin", "text", "crlf", "eol", "filter", "ident",
            input=os.fsencode(change.path) + b"\0",
        ).split(b"\0")  # fmt: skip
        values = dict(zip(said[1::3], said[2::3], strict=False))
        if values.pop(b"text", b"unspecified") not in {b"unspecified", b"auto"}:
            return False
        if any(value != b"unspecified" for value in values.values()):
            return False
        return b"\r\n" in self.run("cat-file", "blob", before.blob)

    def _tree(self, parent: str | None, after: Mapping[str, Entry | None], scratch: Path) -> str:
        """The tree of the parent with the changes, made in an index of our own."""
        with tempfile.TemporaryDirectory(prefix="git-", dir=scratch) as folder:
            env = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
            if parent is not None:
                self.run("read-tree", parent, env=env, config=_PRIVATE)
            put(self, after, env=env, config=_PRIVATE)
            return self.run("write-tree", "--missing-ok", env=env, config=_PRIVATE).decode().strip()

    def _config(self, *sections: str) -> dict[str, str]:
        done = self._try("config", "-z", "--get-regexp", rf"^({'|'.join(sections)})\.")
        values = {}
        for each in done.stdout.decode("utf-8", "replace").split("\0"):
            key, given, value = each.partition("\n")
            values[key.casefold()] = value if given else "true"
        return values

    def run(
        self,
        *args: str,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        config: Sequence[str] = (),
    ) -> bytes:
        """What a git command prints.

        Raises:
            GitFailed: It did not succeed.
        """
        done = self._try(*args, input=input, env=env, config=config)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise GitFailed(
                f"git {args[0]} failed: {said[-1000:] or f'status {done.returncode}'}",
                hint="The version is saved; `flowide git commit` tries again.",
                command=args[0],
                status=done.returncode,
            )
        return done.stdout

    def _try(
        self,
        *args: str,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        config: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        return run_git(self.top, args, input=input, env=env, config=config)


_TRUE = frozenset({"true", "yes", "on", "1"})
