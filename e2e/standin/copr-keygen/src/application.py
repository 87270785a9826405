"""What mod_wsgi loads."""

import logging
import sys

# httpd's error log is the process's stderr.
logging.basicConfig(stream=sys.stderr)

from copr_keygen import app as application  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import
