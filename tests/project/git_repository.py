"""A real repository, driven with the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class GitRepository:
    """A work tree, asked and changed from outside."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def made(cls, root: Path, *, named: bool = True) -> GitRepository:
        """A new one with one commit and a hook of every kind that would leave a trace."""
        root.mkdir(parents=True, exist_ok=True)
        made = cls(root)
        made("init", "-q", "-b", "main")
        if named:
            made("config", "user.name", "Ana Example")
            made("config", "user.email", "ana@example.org")
        return made

    def __call__(self, *args: str, input: bytes = b"", ok: bool = True) -> str:
        env = os.environ | {
            "GIT_AUTHOR_NAME": "Old Hand",
            "GIT_AUTHOR_EMAIL": "old@example.org",
            "GIT_COMMITTER_NAME": "Old Hand",
            "GIT_COMMITTER_EMAIL": "old@example.org",
        }
        done = subprocess.run(
            ["git", *args], cwd=self.root, input=input, env=env, capture_output=True, check=False
        )
        assert not ok or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape")

    def write(self, **files: str | bytes) -> None:
        """Files by name, with `__` for a slash and `_dot_` for a dot."""
        for name, content in files.items():
            path = self.root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, message: str = "by hand") -> str:
        """Commit everything; the commit."""
        self("add", "-A")
        self("-c", "core.hooksPath=/dev/null", "commit", "-q", "--no-gpg-sign", "-m", message)
        return self("rev-parse", "HEAD").strip()

    def trap_hooks(self) -> Path:
        """Have every hook leave a line; the file they would leave it in."""
        trace = self.root.parent / f"{self.root.name}-hooks.txt"
        folder = Path(self("rev-parse", "--absolute-git-dir").strip()) / "hooks"
        folder.mkdir(exist_ok=True)
        for name in (
            "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push", "post-rewrite",
            "post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "post-merge",
        ):  # fmt: skip
            (folder / name).write_text(f"#!/bin/sh\necho {name} >> '{trace}'\nexit 1\n")
            (folder / name).chmod(0o755)
        return trace

    def show(self, what: str, ref: str = "HEAD") -> str:
        """A field of a commit, in the words of `git log --format`."""
        return self("log", "-1", f"--format={what}", ref).strip()

    def files(self, ref: str = "HEAD") -> dict[str, str]:
        """Object name by path, of a commit."""
        listed = self("ls-tree", "-r", "-z", ref)
        records = [each.partition("\t") for each in listed.split("\0") if each]
        return {path: head.split()[2] for head, _, path in records}
