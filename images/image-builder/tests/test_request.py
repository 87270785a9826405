"""What the operator asks for, and what is refused of it."""

import json
import tempfile
import unittest
from pathlib import Path

from build_image import request
from build_image.request import Image, Repository, RequestError

GIVEN = {
    "component": "frontend",
    "image": "registry.example.org:5000/team/copr-frontend:0123",
    "baseImage": "registry.example.org:5000/team/copr-base@sha256:ab",
    "buildArgs": {"BASE": "registry.example.org:5000/team/copr-base@sha256:ab"},
    "repositories": [
        {"name": "dev", "baseURL": "https://example.org/$basearch/", "priority": 50, "gpgKey": "https://example.org/key",
         "credentials": True, "authority": True, "expected": ["copr-cli-1-1.noarch"]},
        {"name": "pr", "baseURL": "http://example.org/pr/", "priority": 10, "credentials": False, "primary": "sha256:ab"},
    ],
    "labels": {"a": "b"},
    "insecure": True,
    "tokenAuth": False,
    "pins": {"copr-cli": "1-1"},
}


class RequestTest(unittest.TestCase):
    """request.json."""

    def test_everything_is_read(self) -> None:
        found = request.parse(GIVEN)
        self.assertEqual(found.image, Image("registry.example.org:5000", "team/copr-frontend", "0123"))
        self.assertEqual(found.image.repository, "registry.example.org:5000/team/copr-frontend")
        self.assertEqual(found.repositories, [
            Repository("dev", "https://example.org/$basearch/", 50, "https://example.org/key", True, True,
                       frozenset({"copr-cli-1-1.noarch"})),
            Repository("pr", "http://example.org/pr/", 10, primary="sha256:ab")])
        self.assertEqual(found.pins, {"copr-cli": "1-1"})
        self.assertTrue(found.insecure)
        self.assertFalse(found.token_auth)

    def test_what_may_be_missing(self) -> None:
        found = request.parse({name: GIVEN[name] for name in ("component", "image", "baseImage")})
        self.assertEqual((found.repositories, found.labels, found.insecure), ([], {}, False))

    def test_the_mistake_is_named(self) -> None:
        for wrong, complaint in (
                ({"component": None}, "component: None where str is expected"),
                ({"image": "frontend:1"}, "image: 'frontend:1' isn't"),
                ({"image": "host/frontend"}, "isn't HOST"),
                ({"image": "host/frontend@sha256:ab"}, "isn't HOST"),
                ({"pins": {"copr-*,x": "1-1"}}, "pins: 'copr-\\*,x' isn't the name of a package"),
                ({"insecure": "yes"}, "insecure: 'yes' where bool is expected")):
            with self.subTest(wrong=wrong), self.assertRaisesRegex(RequestError, complaint):
                request.parse(GIVEN | wrong)

    def test_no_setting_of_dnf_gets_in_by_a_url(self) -> None:
        repository = GIVEN["repositories"][1] | {"baseURL": "http://example.org/\ngpgcheck=0"}
        with self.assertRaisesRegex(RequestError, "baseURL: .* isn't one line"):
            request.parse(GIVEN | {"repositories": [repository]})

    def test_the_file_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "request.json")
            file.write_text(json.dumps(GIVEN)[:-1])
            with self.assertRaisesRegex(RequestError, "request.json: .*delimiter"):
                request.load(file)
