"""A folder of this machine as a web server, for repositories that are nowhere else."""

import functools
import http.server
import threading
from pathlib import Path


class Folder(http.server.ThreadingHTTPServer):
    """The server, while the context lasts."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "Folder":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """dnf tells what it reads."""
