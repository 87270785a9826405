"""Logging: the file that copr.conf names, and stderr for the container's log."""

from __future__ import annotations

import logging
import logging.handlers

from flask import Flask

FORMAT = "%(asctime)s [%(levelname)s][%(process)d:%(threadName)s] %(message)s"


def setup(app: Flask) -> None:
    """Send the application's log to LOG_FILENAME and to stderr."""
    handlers: list[logging.Handler] = [
        logging.StreamHandler(),
        logging.handlers.WatchedFileHandler(app.config["LOG_FILENAME"]),
    ]
    app.logger.handlers.clear()
    app.logger.propagate = False
    app.logger.setLevel(app.config["LOGGING_LEVEL"].upper())
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORMAT))
        app.logger.addHandler(handler)
