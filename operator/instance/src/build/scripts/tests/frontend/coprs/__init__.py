"""A stand-in for the frontend's package: its session, on SQLite in the working directory."""

import contextlib

from sqlalchemy import create_engine
from sqlalchemy.orm import Session


class app:
    """The application."""

    app_context = staticmethod(contextlib.nullcontext)


class db:
    """The database."""

    session = Session(create_engine("sqlite:///coprs.db"))
