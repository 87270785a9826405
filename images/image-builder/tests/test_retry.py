"""Which failures of a registry pass."""

import unittest

from build_image import retry
from build_image.failures import Unavailable
from build_image.process import Result

REFUSED = 'Error: pinging container registry r:5000: Get "http://r:5000/v2/": dial tcp: connect: connection refused'
PASSING = (
    REFUSED,
    "received unexpected HTTP status: 503 Service Unavailable",
    "invalid status code from registry 500 (Internal Server Error)",
    'Get "https://r/v2/": dial tcp: lookup r on 10.96.0.10:53: no such host',
    'Get "https://r/v2/": net/http: TLS handshake timeout',
    'Patch "http://r/v2/x/blobs/uploads/1": EOF',
    "toomanyrequests: You have reached your pull rate limit.",
    "received unexpected HTTP status: 429 Too Many Requests",
    'Get "https://r/v2/": dial tcp: lookup r: Temporary failure in name resolution',
)
LASTING = (
    "unauthorized: authentication required",
    "denied: requested access to the resource is denied",
    "reading manifest 5 in r:5000/x: manifest unknown",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "invalid status code from registry 404 (Not Found)",
)


class RetryTest(unittest.TestCase):
    """How long something is tried, and what is said in the end."""

    def setUp(self) -> None:
        self.pauses: list[float] = []

    def attempt(self, *results: Result) -> Result:
        """Tries until it's over; the clock stands still but for the pauses."""
        left = iter(results)
        return retry.until_reachable("the push", lambda: next(left), sleep=self.pauses.append)

    def test_which_pass(self) -> None:
        self.assertEqual([text for text in PASSING if not retry.is_passing(text)], [])
        self.assertEqual([text for text in LASTING if retry.is_passing(text)], [])

    def test_until_it_works(self) -> None:
        away = Result(125, [REFUSED])
        self.assertEqual(self.attempt(away, away, away, Result(0, ["ok"])).lines, ["ok"])
        self.assertEqual([round(pause / around) for pause, around in zip(self.pauses, (1, 2, 4), strict=True)], [1, 1, 1])

    def test_what_lasts_is_not_tried_again(self) -> None:
        with self.assertRaises(Unavailable) as raised:
            self.attempt(Result(125, [LASTING[0]]))
        self.assertEqual((raised.exception.summary, raised.exception.lines), ("the push failed", [LASTING[0]]))
        self.assertEqual(self.pauses, [])

    def test_the_limit(self) -> None:
        with self.assertRaisesRegex(Unavailable, "the push failed for 0 s"):
            retry.until_reachable("the push", lambda: Result(125, [REFUSED]), limit=0, sleep=self.pauses.append)
