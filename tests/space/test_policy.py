"""Settings reach the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.domain.policy import Policy
from flowide.errors import BadInput, Limit
from flowide.settings import Settings
from flowide.space.local import LocalSpace
from flowide.space.open import open_space
from flowide.space.policy import policy_of


def project(root: Path, config: str) -> Path:
    """The database of a project with these settings."""
    (root / ".flowide").mkdir()
    (root / ".flowide" / "config.toml").write_text(config)
    return root / ".flowide" / "workspace.db"


def test_settings_that_nobody_changed_are_the_defaults_of_the_rules() -> None:
    assert policy_of(Settings()) == Policy()


async def test_a_project_sets_how_long_locks_live_and_how_many_one_may_hold(tmp_path: Path) -> None:
    space = await open_space(project(tmp_path, "[lock]\nttl_s = 5\nper_person = 1\n"), actor=Actor("ana"))
    ids = [(await space.execute(c.CreateArtifact(path=f"{at}.md", text=""))).ok.artifact for at in range(2)]
    await space.execute(c.AcquireLock(artifact=ids[0], ttl_ms=space.ttl_ms))

    assert space.ttl_ms == 5000
    with pytest.raises(Limit):
        await space.execute(c.AcquireLock(artifact=ids[1]))
    await space.close()


async def test_the_environment_wins_over_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWIDE_LOCK_IDLE_S", "60")

    space = await open_space(project(tmp_path, "[lock]\nidle_s = 5\n"), actor=Actor("ana"))

    assert isinstance(space, LocalSpace) and space.now().policy.human_idle_ms == 60_000
    await space.close()


@pytest.mark.parametrize("line", ["ttl_s = 0.1", "idle_s = -1", "per_agent = 0", "draft_days = 0"])
async def test_a_setting_out_of_its_bounds_is_named(tmp_path: Path, line: str) -> None:
    database = project(tmp_path, f"[lock]\n{line}\n")

    with pytest.raises(BadInput) as refused:
        await open_space(database, actor=Actor("ana"))

    assert "config.toml:2" in refused.value.message and line.split(maxsplit=1)[0] in refused.value.message
    assert not database.exists()


@pytest.mark.parametrize("handle", ["", "x" * 201, "\ud800"])
async def test_a_handle_that_cannot_be_stored_is_refused(tmp_path: Path, handle: str) -> None:
    with pytest.raises(BadInput):
        await open_space(tmp_path / "workspace.db", actor=Actor(handle))
