"""`python -m tests.hub.simulation [--histories N] [--seed N] [--seconds S] [--stop]`.

Seconds are of the simulated world. Exit 1 when a promise was broken.
"""

from __future__ import annotations

import time

from tests.histories import close, parser
from tests.hub.simulation.programme import many

options = parser("tests.hub.simulation", histories=100, seconds=30.0)
options.add_argument("--stop", action="store_true", help="end with the first history that breaks a promise")
asked = options.parse_args()
began = time.process_time()
total = many(asked.histories, asked.seed, seconds=asked.seconds, stop=asked.stop)
took = time.process_time() - began
close(total, f", {total.histories / took * 60:.0f} a minute of processor time")
