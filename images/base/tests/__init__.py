"""Tests of what all images have in common."""
