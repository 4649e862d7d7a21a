"""Reads files of interactions: the import streams their rows, the quality harness reads whole logs."""
