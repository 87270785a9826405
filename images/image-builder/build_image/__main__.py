"""python3 -m build_image: the same as build-image."""

import sys

from .main import main

sys.exit(main())
