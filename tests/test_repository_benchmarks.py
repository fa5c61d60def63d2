"""The benchmarks keep to one interface, and judge their goals rightly."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from types import ModuleType

import pytest

from benchmarks import Row, Skipped, __main__, in_turns, row


@pytest.mark.parametrize("name", __main__.names())
def test_a_benchmark_says_what_it_compares_and_has_a_quick_mode(name: str) -> None:
    module = import_module(f"benchmarks.{name}")

    assert (module.__doc__ or "").strip()
    assert list(inspect.signature(module.run).parameters) == ["quick"]


@pytest.mark.parametrize(("value", "met"), [(205.0, True), (206.0, False)])
def test_a_goal_is_a_multiple_of_the_baseline_and_a_constant(value: float, met: bool) -> None:
    measured = row("run", value, "ms", 100, goal="≤ 1.05 × reply + 100 ms", at_most=1.05, plus=100)

    assert (measured["met"], measured["ratio"]) == (met, value / 100)


def test_actions_are_taken_in_turns_after_warming() -> None:
    taken: list[str] = []

    medians = in_turns(lambda: taken.append("a"), lambda: taken.append("b"), rounds=2)

    assert "".join(taken) == "ababab"
    assert len(medians) == 2


def measured(monkeypatch: pytest.MonkeyPatch, *rows: Row, skipped: str = "") -> None:
    """Have one benchmark, `fake`, that finds these rows, is skipped, or fails when it has nothing."""

    def run(quick: bool) -> list[Row]:
        if skipped:
            raise Skipped(skipped)
        if not rows:
            raise RuntimeError("nothing was measured")
        return list(rows)

    fake = ModuleType("fake", "What is compared.")
    fake.run = run  # type: ignore[attr-defined]
    monkeypatch.setattr(__main__, "names", lambda: ["fake"])
    monkeypatch.setattr(__main__, "import_module", lambda name: fake)


GOOD = row("good", 1, "ms", 1, goal="≤ 2 × x", at_most=2)
BAD = row("bad", 3, "ms", 1, goal="≤ 2 × x", at_most=2)


@pytest.mark.parametrize(("rows", "code"), [([GOOD], 0), ([GOOD, BAD], 1)])
def test_the_exit_code_tells_whether_all_goals_are_met(
    monkeypatch: pytest.MonkeyPatch, rows: list[Row], code: int
) -> None:
    measured(monkeypatch, *rows)

    assert __main__.main([]) == code


def test_the_table_marks_what_was_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, GOOD, BAD)

    __main__.main(["fake"])

    good, bad = capsys.readouterr().out.splitlines()[1:]
    assert good.endswith("met")
    assert bad.endswith("MISSED")


def test_json_has_one_row_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measured(monkeypatch, GOOD)

    __main__.main(["--json"])

    assert json.loads(capsys.readouterr().out) == {"benchmark": "fake", **GOOD}


def test_what_cannot_be_measured_here_is_told_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, skipped="no strace")

    assert __main__.main([]) == 0
    assert "skipped: no strace" in capsys.readouterr().err


def test_a_benchmark_that_breaks_is_told_and_fails_the_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch)

    assert __main__.main([]) == 1
    assert "nothing was measured" in capsys.readouterr().err


def test_a_wrong_name_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        __main__.main(["nonsense"])

    assert end.value.code == 2
    assert "lock_cycle" in capsys.readouterr().err
