"""What the tests of both scripts share."""

import pathlib
import shutil
import tempfile
import unittest

from tests.root import HOST_FOLDER, Root, build_kubeadm, make_repository, unpack_base


class HostCase(unittest.TestCase):
    """A host for each test, with a script to test."""

    name = ""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="copr-host-tests-", dir="/var/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        for name in ["base", "real", "repository"]:
            (cls.shared / name).mkdir()
        cls.version = build_kubeadm(cls.shared / "real")
        unpack_base(cls.shared / "base")
        make_repository(cls.shared / "repository", cls.shared / "base", cls.shared / "real")

    def setUp(self):
        self.host = Root(self.shared / "base", self.shared / "real", self.shared / "repository")
        self.addCleanup(self.host.close)
        self.before = self.host.changed()
        self.rpms = self.host.rpms()
        self.accounts = self.host.accounts()
        self.host.copy_scripts()

    def up(self, lines):
        done = self.script("up")
        self.assertEqual(done.stdout, lines, done.stderr)
        return done.stderr

    def script(self, verb, check=True):
        return self.host.script(self.name, verb, check=check)

    def assert_as_before(self):
        self.assertEqual(self.host.rpms(), self.rpms)
        self.assertEqual(self.host.accounts(), self.accounts)
        self.host.run("rm", "-rf", f"/{HOST_FOLDER}")
        self.assertEqual(self.host.changed() - self.before, set())
        self.assertEqual(self.host.sysctl("net.ipv4.ip_forward"), 0)
        self.assertEqual(self.host.sysctl("fs.inotify.max_user_instances"), 128)
        for folder in ["active", "enabled", "tables", "coprs"]:
            self.assertEqual([*(self.host.standins / folder).glob("*")], [], folder)
        self.assertEqual(self.host.run("ip", "link", "show", "copr-operator", check=False).returncode, 1)
