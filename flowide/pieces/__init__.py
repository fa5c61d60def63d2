"""Pieces: the symbols of a source file or the sections of a document, taken and spliced exactly."""
