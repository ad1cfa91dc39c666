"""Lighter media made from the source."""
