"""WHAT we know of a clip: one file, one asset; one folder, one group in the UI."""
