"""`python -m benchmarks [NAME …] [--full] [--json]`: measure, print one table, and say which goals are met."""

from __future__ import annotations

import argparse
import json
import pkgutil
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from benchmarks import Row, Skipped


def names() -> list[str]:
    """The benchmarks there are."""
    found = (each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(name for name in found if not name.startswith("_"))


def main(arguments: Sequence[str]) -> int:
    """0 when every goal is met, 1 when one is missed or cannot be told, 2 for a wrong name."""
    asked = _parse(arguments)
    rows: list[Row] = []
    broken = False
    for name in asked.names or names():
        module = import_module(f"benchmarks.{name}")
        _say(f"{name}: {_first_line(module)}")
        start = time.perf_counter()
        try:
            found: list[Row] = module.run(not asked.full)
        except Skipped as reason:
            _say(f"  skipped: {reason}")
            continue
        except Exception:
            broken = True
            _say(f"  failed: {traceback.format_exc()}")
            continue
        _say(f"  {time.perf_counter() - start:.0f} s")
        rows += found
        if asked.json:
            for each in found:
                print(json.dumps({"benchmark": name, **each}, ensure_ascii=False), flush=True)
    if not asked.json:
        print(table(rows))
    return 0 if not broken and all(each["met"] for each in rows) else 1


def table(rows: Sequence[Row]) -> str:
    """The rows as text, one a line, with a heading."""
    cells = [("what", "here", "against", "ratio", "goal", "")]
    cells += [
        (
            each["name"],
            f"{each['value']:,.6g} {each['unit']}",
            f"{each['baseline']:,.6g} {each['unit']}",
            f"{each['ratio']:.2f}",
            each["goal"],
            "met" if each["met"] else "MISSED",
        )
        for each in rows
    ]
    widths = [max(len(line[at]) for line in cells) for at in range(6)]
    sides = "<>>><<"
    return "\n".join(
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)
        ).rstrip()
        for line in cells
    )


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(names())}")
    parser.add_argument(
        "--full", action="store_true", help="the sizes of the promise (a history of 1e6 events)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of the table")
    asked = parser.parse_args(arguments)
    for name in asked.names:
        if name not in names():
            parser.error(f"there is no benchmark {name!r}; there are: {', '.join(names())}")
    return asked


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().partition("\n")[0]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
