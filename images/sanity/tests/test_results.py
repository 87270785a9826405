"""Results over HTTP, from a small server of our own."""

import gzip
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from suite.errors import TestFailed, Unreachable
from suite.frontend import fetch
from smoke.results import Results
from suite.wait import Deadline, ServerError

PAGES = {
    "/results/o/p/repodata/repomd.xml": (200, b"<repomd/>", {}),
    "/results/o/p/1/done.log.gz": (200, gzip.compress(b"at rest\n"), {"Content-Encoding": "gzip"}),
    "/results/o/p/1/live.log": (200, b"in motion\n", {}),
    "/results/o/p/broken": (500, b"", {}),
    "/results/o/p/forbidden": (403, b"", {}),
}


class Handler(BaseHTTPRequestHandler):
    """Serves PAGES, and whatever asks for it its Authorization."""

    def do_GET(self) -> None:
        default = (404, self.headers.get("Authorization", "").encode(), {})
        status, body, headers = PAGES.get(self.path, default)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Silence."""


class ResultsTest(unittest.TestCase):
    """fetch() and Results."""

    def setUp(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.results = Results(self.base, "o", Deadline(1))

    def tearDown(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def test_find(self) -> None:
        self.assertEqual(self.results.find("p", "repodata", "repomd.xml"), b"<repomd/>")
        self.assertIsNone(self.results.find("p", "nothing"))
        with self.assertRaises(ServerError):
            self.results.find("p", "broken")
        with self.assertRaises(TestFailed) as raised:
            self.results.find("p", "forbidden")
        self.assertEqual(raised.exception.component, "backend")

    def test_logs(self) -> None:
        self.assertEqual(self.results.log("p", "1", "done.log"), "at rest\n")
        self.assertEqual(self.results.log("p", "1", "live.log"), "in motion\n")
        self.assertEqual(self.results.log("p", "1", "none.log"), "")

    def test_waiting(self) -> None:
        self.assertEqual(self.results.wait_for("p", "repodata", "repomd.xml"), b"<repomd/>")
        self.results.wait_until_gone("p", "")
        with self.assertRaises(TestFailed) as raised:
            self.results.wait_for("p", "pubkey.gpg", component="keygen", limit=0)
        self.assertEqual(raised.exception.component, "keygen")

    def test_login(self) -> None:
        self.assertEqual(fetch(f"{self.base}/x", ("l", "t")), (404, b"Basic bDp0"))

    def test_nobody_there(self) -> None:
        with self.assertRaises(Unreachable):
            fetch("http://127.0.0.1:1/")
        with self.assertRaises(Unreachable):
            fetch("http://no-such-host.invalid/")
