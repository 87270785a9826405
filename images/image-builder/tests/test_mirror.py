"""The web server between dnf and a request's repositories."""

import base64
import http.server
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

from build_image import log, mirror
from build_image.failures import Unavailable
from build_image.mirror import Mirror, Origin
from build_image.request import Repository

# As password generators make them; dnf would expand the first, split at the comma, and end at the last.
PASSWORD = 'pa$releasever%20;,#x\\y "z" ${basearch} \u00fc'


class Upstream(http.server.ThreadingHTTPServer):
    """A mirror on the net: answers as it is told, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.content = b"content"
        self.seen: list[tuple[str, str | None]] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/repo/"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:  # noqa: N802
        self.server.seen.append((self.path, self.headers["Authorization"]))
        status, headers, body = self.server.answers.pop(0) if self.server.answers else (200, {}, self.server.content)
        if status == 0:
            # Gone in the middle.
            self.connection.close()
            return
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class MirrorTest(unittest.TestCase):
    """What dnf gets, and what the mirror on the net."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.upstream = Upstream()
        self.addCleanup(self.upstream.server_close)
        self.addCleanup(self.upstream.shutdown)
        self.pauses: list[float] = []
        self.printed = StringIO()
        redirect = redirect_stdout(self.printed)
        redirect.__enter__()
        self.addCleanup(redirect.__exit__, None, None, None)

    def origin(self, **more: object) -> Origin:
        """The repository."""
        return Origin(Repository("pr", self.upstream.url, 10, **more), self.folder / "credentials", self.folder / "authorities")

    def get(self, path: str, origin: Origin | None = None, limit: float = 60.0, name: str = "pr") -> tuple[int, bytes]:
        """What dnf gets."""
        with Mirror([origin or self.origin()], self.folder, 0, limit, self.pauses.append) as server:
            self.server = server
            try:
                with urllib.request.urlopen(mirror.local(name, path, server.server_port)) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                error.close()
                return error.code, b""

    def give(self, user: str, password: str) -> None:
        """Credentials, as a Secret volume has them."""
        folder = self.folder / "credentials/pr"
        folder.mkdir(parents=True)
        (folder / "username").write_text(user)
        (folder / "password").write_text(password)

    def test_a_file(self) -> None:
        self.assertEqual(self.get("a%2B/b~1.rpm"), (200, b"content"))
        self.assertEqual(self.upstream.seen, [("/repo/a%2B/b~1.rpm", None)])

    def test_what_is_not_there_is_said_at_once(self) -> None:
        self.upstream.answers = [(404, {}, b"")]
        self.assertEqual(self.get("x")[0], 404)
        self.assertEqual((self.pauses, self.server.gone), ([], []))
        self.assertEqual(self.get("x", name="other")[0], 404)

    def test_a_mirror_that_is_away_is_waited_for_with_growing_pauses(self) -> None:
        away = [(status, {}, b"") for status in (500, 502, 503, 504)]
        self.upstream.answers = [*away, (0, {}, b"")]
        with mock.patch.object(mirror.random, "uniform", return_value=1.0):
            self.assertEqual(self.get("x", limit=600.0), (200, b"content"))
        self.assertEqual(self.pauses, [1, 2, 4, 8, 16])

    def test_it_is_left_alone_as_long_as_it_says(self) -> None:
        self.upstream.answers = [(429, {"Retry-After": "7"}, b""), (503, {"Retry-After": "0"}, b"")]
        self.assertEqual(self.get("x")[0], 200)
        self.assertEqual(self.pauses, [7, 0])
        self.assertEqual(mirror.retry_after("Thu, 01 Jan 1970 00:00:00 GMT"), 0)
        self.assertIsNone(mirror.retry_after("soon"))

    def test_what_was_cut_off_is_read_again(self) -> None:
        self.upstream.answers = [(200, {"Content-Length": "100"}, b"half")]
        self.assertEqual(self.get("x"), (200, b"content"))

    def test_one_that_stays_away_is_named(self) -> None:
        self.upstream.answers = [(504, {}, b"")] * 9
        self.assertEqual(self.get("x", limit=0)[0], 504)
        self.assertEqual(self.server.gone, [f"repository pr: {self.upstream.url}x answered 504 Gateway Timeout"])
        self.upstream.shutdown()
        self.upstream.server_close()
        self.assertEqual(self.get("x", limit=0)[0], 504)
        self.assertIn("Connection refused", self.server.gone[0])

    def test_credentials_reach_it_as_they_are_and_nobody_else(self) -> None:
        self.give("b$t", f"{PASSWORD}\n")
        origin = self.origin(credentials=True, gpg_key=f"{self.upstream.url}key")
        self.get("x", origin)
        self.get(mirror.KEY, origin)
        expected = base64.b64encode(f"b$t:{PASSWORD}".encode()).decode()
        self.assertEqual(self.upstream.seen, [("/repo/x", f"Basic {expected}"), ("/repo/key", None)])
        log.output(f"password={PASSWORD}")
        self.assertNotIn(PASSWORD, self.printed.getvalue())

    def test_a_redirect_takes_no_password_along(self) -> None:
        self.give("me", "secret-of-pr")
        self.upstream.answers = [(302, {"Location": f"http://localhost:{self.upstream.server_port}/elsewhere"}, b"")]
        self.assertEqual(self.get("x", self.origin(credentials=True))[0], 200)
        self.assertEqual(self.upstream.seen[1], ("/elsewhere", None))

    def test_credentials_that_are_no_line(self) -> None:
        with self.assertRaisesRegex(Unavailable, "can't be read: .*username"):
            self.origin(credentials=True)
        self.give("me\nenabled=0", "x")
        with self.assertRaisesRegex(Unavailable, "username: more than one line"):
            self.origin(credentials=True)

    def test_an_authority_that_is_none(self) -> None:
        with self.assertRaisesRegex(Unavailable, "certificate authority of the repository pr can't be used"):
            self.origin(authority=True)

    def test_dnfs_words_name_the_repository_as_it_is_known(self) -> None:
        self.get("x")
        log.output(f"Status code: 404 for {mirror.local('pr', 'x.rpm', self.server.server_port)}")
        self.assertIn(f"Status code: 404 for {self.upstream.url}x.rpm", self.printed.getvalue())

    def test_metadata_that_are_not_those_of_the_inputs_are_noticed(self) -> None:
        self.upstream.content = (b'<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary">'
                                 b'<checksum type="sha256">AB12</checksum></data></repomd>')
        for primary, changed in ((None, None), ("sha256:ab12", None), ("sha256:cd34", "sha256:ab12")):
            origin = self.origin(primary=primary)
            self.assertEqual(self.get("repodata/repomd.xml", origin), (200, self.upstream.content))
            self.assertEqual(origin.changed, changed)
