"""Widgets: each draws one thing from a view-model, and posts messages."""
