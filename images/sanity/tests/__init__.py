"""Unit tests of the smoke suite's helpers: python3 -m unittest discover -b -t . -s tests."""
