"""The folder on disk: files and artifacts."""
