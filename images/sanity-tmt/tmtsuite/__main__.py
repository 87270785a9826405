"""python3 -m tmtsuite: the same as run-test."""

import sys

from .runner import main

sys.exit(main(sys.argv[1:]))
