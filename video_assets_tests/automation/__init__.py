"""Tests of when and how clips are processed."""
