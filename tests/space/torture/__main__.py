"""`python -m tests.space.torture [--histories N] [--seconds S] [--seed N] [--database KIND]`.

Exit 1 when a promise was broken.
"""

from __future__ import annotations

from tests.histories import add_database, close, parser, server_of
from tests.space.torture.programme import many

options = parser("tests.space.torture", histories=10, seconds=8.0)
add_database(options)
asked = options.parse_args()
with server_of(asked.database) as server:
    total = many(asked.histories, asked.seconds, asked.seed, server=server)
close(total)
