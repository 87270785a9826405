"""The image starts from that of the smoke suite, whose package `suite` is there, too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "sanity"))
