"""Client side of the stand-in for resalloc."""

__version__ = "6.3"
