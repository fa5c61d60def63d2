"""Keeps programs that FlowIDE starts where they belong: what they may write, how much they may use, and their end."""
