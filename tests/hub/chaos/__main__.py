"""`python -m tests.hub.chaos [--histories N] [--seconds S] [--seed N] [--database KIND]`.

Exit 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import sys

from tests.hub.chaos.programme import many
from tests.postgres import Server

parser = argparse.ArgumentParser(prog="python -m tests.hub.chaos")
parser.add_argument("--histories", type=int, default=10)
parser.add_argument("--seconds", type=float, default=8.0)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
asked = parser.parse_args()
server = Server() if asked.database == "postgres" else None
try:
    total = many(asked.histories, asked.seconds, asked.seed, database=None if server is None else server.url)
finally:
    if server is not None:
        server.close()
print(f"histories   {total.histories}")
print(f"operations  {total.operations}, {total.answered} answered, {total.saves} saves")
print(f"faults      {', '.join(f'{count} {kind}' for kind, count in sorted(total.faults.items()))}")
print(f"refusals    {', '.join(f'{count} {code}' for code, count in sorted(total.refusals.items()))}")
print(f"violations  {len(total.violations)}")
for broken in total.violations[:50]:
    print(f"  {broken}")
sys.exit(1 if total.violations else 0)
