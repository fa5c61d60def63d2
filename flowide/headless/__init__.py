"""Runs without a terminal: streams and exit codes."""
