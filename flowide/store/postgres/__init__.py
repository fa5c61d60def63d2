"""Spaces in a PostgreSQL database: many in one, used by several hubs at the same time."""
