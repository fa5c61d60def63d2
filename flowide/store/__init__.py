"""The append-only log and its projections."""
