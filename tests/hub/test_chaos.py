"""A hub and its clients as processes, killed and stopped, over lines that break: no promise does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub.chaos.programme import one_history
from tests.postgres import Server


def test_a_short_history_breaks_no_promise(tmp_path: Path) -> None:
    report = one_history(tmp_path, 11, clients=3, seconds=4.0)

    assert report.violations == []
    assert report.answered > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_long_histories_break_no_promise(tmp_path: Path, seed: int) -> None:
    assert one_history(tmp_path, seed, seconds=15.0).violations == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_histories_on_postgresql_break_no_promise(tmp_path: Path, seed: int, postgres: Server) -> None:
    assert one_history(tmp_path, seed, seconds=15.0, database=postgres.url()).violations == []
