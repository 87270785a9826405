"""Settings and credentials for the registry."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path
from unittest import mock

from build_image.registry import Registry, insecure_settings, normal
from build_image.request import Image

IMAGE = Image("registry.example.org:5000", "copr-frontend", "1")
GIVEN = {"auths": {"other.example.org": {"auth": "eA=="}, "registry.example.org:5000": {"auth": "old"}}}


class RegistryTest(unittest.TestCase):
    """Everything lies where buildah and skopeo look."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        environment = mock.patch.dict(os.environ)
        environment.start()
        self.addCleanup(environment.stop)

    def test_the_token_as_it_is_now(self) -> None:
        given, token = self.folder / "given", self.folder / "token"
        given.write_text(json.dumps(GIVEN))
        registry = Registry(IMAGE, False, True, self.folder)
        for now in ("token-one", "token-two"):
            token.write_text(f"{now}\n")
            registry.log_in(given, token)
            auths = json.loads((self.folder / "auth.json").read_text())["auths"]
            self.assertEqual(base64.b64decode(auths[IMAGE.host]["auth"]), f"serviceaccount:{now}".encode())
            self.assertEqual(auths["other.example.org"], {"auth": "eA=="})
        self.assertEqual((self.folder / "auth.json").stat().st_mode & 0o777, 0o600)

    def test_keys_as_the_programs_read_them(self) -> None:
        keys = {"quay.io/": "quay.io", "index.docker.io/v1/": "index.docker.io", "quay.io/team/": "quay.io/team",
                "r.example:5000/v2": "r.example:5000", "https://index.docker.io/v1/": "https://index.docker.io/v1/"}
        given = {"auths": {key: {"auth": key} for key in keys}}
        self.assertEqual(normal(given)["auths"], {wanted: {"auth": key} for key, wanted in keys.items()})
        entry = {"username": "me", "password": "secret"}
        self.assertEqual(normal({"auths": {"quay.io": entry}})["auths"]["quay.io"]["auth"],
                         base64.b64encode(b"me:secret").decode())

    @unittest.skipUnless(shutil.which("skopeo"), "needs skopeo")
    def test_skopeo_finds_the_user(self) -> None:
        file = self.folder / "auth.json"
        auth = {"auth": base64.b64encode(b"you:pw").decode()}
        for key, image in (("https://index.docker.io/v1/", "docker.io"), ("https://index.docker.io/v1/", "index.docker.io"),
                           ("index.docker.io/v1/", "docker.io/you/x"), ("docker.io", "registry-1.docker.io"),
                           ("quay.io/team", "quay.io/team/x"), ("quay.io/", "quay.io/team/x")):
            file.write_text(json.dumps(normal({"auths": {key: auth, "other.example": {"auth": "eDp4"}}})))
            done = subprocess.run(["skopeo", "login", "--get-login", "--authfile", str(file), image],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.stdout.strip(), done.returncode), ("you", 0), f"{key} {image} {done.stderr}")

    def test_without_credentials(self) -> None:
        Registry(IMAGE, False, False, self.folder).log_in(self.folder / "none")
        self.assertEqual((self.folder / "auth.json").read_text(), "{}")

    def test_settings_of_that_host_only(self) -> None:
        ca = self.folder / "ca.crt"
        ca.write_text("CA")
        containers = self.folder / "containers"
        Registry(IMAGE, False, False, self.folder).set_up(ca, containers)
        self.assertEqual((containers / "certs.d" / IMAGE.host / "ca.crt").read_text(), "CA")
        self.assertFalse((containers / "registries.conf.d").exists())
        Registry(IMAGE, True, False, self.folder).set_up(self.folder / "none", containers)
        self.assertEqual((containers / "registries.conf.d/copr-operator.conf").read_text(), insecure_settings(IMAGE.host))
        self.assertEqual(os.environ["REGISTRY_AUTH_FILE"], str(self.folder / "auth.json"))

    def test_the_settings_are_toml(self) -> None:
        self.assertEqual(tomllib.loads(insecure_settings("[::1]:5000")),
                         {"registry": [{"location": "[::1]:5000", "insecure": True}]})
