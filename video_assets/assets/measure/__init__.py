"""Cheap facts, read in milliseconds."""
