#!/usr/bin/python3
"""Write what the backend's processes log, and Redis carries, to files."""

from copr_backend.daemons.log import RedisLogHandler
from copr_backend.helpers import get_backend_opts

if __name__ == "__main__":
    RedisLogHandler(get_backend_opts()).run()
