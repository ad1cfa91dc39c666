"""WHEN things happen: registration, reconciliation, watching folders, and the jobs they request."""
