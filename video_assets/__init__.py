"""Turns folders of camera footage into a searchable catalogue."""
