"""Panes: each shows one feature of the workspace, asks the engine for it, and posts what happened."""
