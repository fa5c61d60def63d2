"""`python -m tests.hub.simulation [--histories N] [--seed N] [--seconds S] [--stop]`.

Seconds are of the simulated world. Exit 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.hub.simulation.programme import many

parser = argparse.ArgumentParser(prog="python -m tests.hub.simulation")
parser.add_argument("--histories", type=int, default=100)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--seconds", type=float, default=30.0)
parser.add_argument("--stop", action="store_true", help="end with the first history that breaks a promise")
asked = parser.parse_args()
began = time.process_time()
total = many(asked.histories, asked.seed, seconds=asked.seconds, stop=asked.stop)
took = time.process_time() - began
print(f"histories   {total.histories}, {total.histories / took * 60:.0f} a minute of processor time")
print(f"operations  {total.operations}, {total.answered} answered, {total.saves} saves")
print(f"faults      {', '.join(f'{count} {kind}' for kind, count in sorted(total.faults.items()))}")
print(f"refusals    {', '.join(f'{count} {code}' for code, count in sorted(total.refusals.items()))}")
print(f"violations  {len(total.violations)}")
for broken in total.violations[:50]:
    print(f"  {broken[:1000]}")
sys.exit(1 if total.violations else 0)
