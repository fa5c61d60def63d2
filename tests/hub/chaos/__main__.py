"""`python -m tests.hub.chaos [--histories N] [--seconds S] [--seed N] [--database KIND]`.

Exit 1 when a promise was broken.
"""

from __future__ import annotations

from tests.histories import add_database, close, parser, server_of
from tests.hub.chaos.programme import many

options = parser("tests.hub.chaos", histories=10, seconds=8.0)
add_database(options)
asked = options.parse_args()
with server_of(asked.database) as server:

    def new_database() -> str:
        assert server is not None
        return server.url(server.new_database())

    database = None if server is None else new_database
    total = many(asked.histories, asked.seconds, asked.seed, database=database)
close(total)
