"""Runs without the app: results on stdout, progress on stderr, one line of JSON an event."""
