"""The one error that ends a build with a message instead of a traceback."""


class BuildError(RuntimeError):
    """The build can't go on; the text is for whoever reads the build's log."""
