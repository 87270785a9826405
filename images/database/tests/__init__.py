"""Tests of the database image."""
