"""A dispatcher starts without the workers of the one before it."""

import fnmatch
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests import SCRIPTS

# Enough of the module `redis` for the script: what is in it comes from and ends in a file.
REDIS = '''
import fnmatch
class exceptions:
    class RedisError(Exception): pass
class Redis:
    def __init__(self, **options): assert options["host"] == "redis.example" and options["port"] == 6379
    def ping(self): return True
    def scan_iter(self, match): return [k for k in open("keys").read().split() if fnmatch.fnmatch(k, match)]
    def delete(self, *gone):
        keep = [k for k in open("keys").read().split() if k not in gone]
        open("keys", "w").write(" ".join(keep))
'''


class ForgetWorkers(unittest.TestCase):
    """The script as a container runs it."""

    def run_script(self, *arguments: str) -> tuple[list[str], str]:
        """The keys that are left, and what it printed."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "redis.py").write_text(REDIS, encoding="utf-8")
            keys = "rpm_build_worker:7-x action_worker:3 copr:lock:queue:/var/lib/copr/x copr:backend:log:fifo::"
            Path(folder, "keys").write_text(keys, encoding="utf-8")
            env = {**os.environ, "PYTHONPATH": folder, "REDIS_HOST": "redis.example", "REDIS_PORT": "6379"}
            done = subprocess.run([sys.executable, SCRIPTS / "forget-workers", *arguments], cwd=folder, env=env,
                                  capture_output=True, text=True, check=True)
            return Path(folder, "keys").read_text(encoding="utf-8").split(), done.stdout

    def test_only_what_is_named_is_forgotten(self) -> None:
        left, _ = self.run_script("copr:lock:queue:/var/lib/copr/*")
        self.assertEqual(left, ["rpm_build_worker:7-x", "action_worker:3", "copr:backend:log:fifo::"])

    def test_the_command_follows(self) -> None:
        left, printed = self.run_script("rpm_build_worker:*", "--", "echo", "builds", "--", "it")
        self.assertEqual(left, ["action_worker:3", "copr:lock:queue:/var/lib/copr/x", "copr:backend:log:fifo::"])
        self.assertEqual(printed.splitlines(), ["forget-workers: removed 1 keys", "builds -- it"])
        self.assertFalse([key for key in left if fnmatch.fnmatch(key, "rpm_build_worker:*")])


if __name__ == "__main__":
    unittest.main()
