"""Server side of the stand-in for resalloc."""
