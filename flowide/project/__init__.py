"""The project's folder on disk: files that are artifacts, kept in step with the space."""
