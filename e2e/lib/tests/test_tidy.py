"""What e2e/tidy removes and what it leaves, with a buildah that only notes what it was asked to remove."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

TIDY = pathlib.Path(__file__).resolve().parents[2] / "tidy"
DAY = 24 * 3600

BUILDAH = r"""#!/bin/bash
case $1 in
images) cat "$IMAGES"; [[ -s $IMAGES ]] ;;
rmi) echo "$2" >>"$REMOVED"; [[ $2 != *:eeeeeeeeeeee ]] ;;
esac
"""


def image(identity, days_ago, *names):
    return {"id": identity, "created": int(time.time()) - days_ago * DAY, "names": list(names) or None}


class Tidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cache = self.folder / "cache"
        for part in ("cluster", "standin", "golden"):
            (self.cache / part).mkdir(parents=True)
        program = self.folder / "buildah"
        program.write_text(BUILDAH)
        program.chmod(0o755)
        self.images = self.folder / "images"
        self.images.write_text("[]")
        self.removed = self.folder / "removed"
        self.removed.touch()

    def used(self, name, days_ago):
        path = self.cache / name
        if path.suffix:
            path.touch()
        else:
            path.mkdir()
            (path / "inside").touch()
        then = path.stat().st_mtime - days_ago * DAY
        os.utime(path, (then, then))

    def tidy(self):
        return subprocess.run(
            [TIDY],
            env={
                **os.environ,
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "COPR_E2E_CACHE": str(self.cache),
                "IMAGES": str(self.images),
                "REMOVED": str(self.removed),
            },
            capture_output=True,
            text=True,
        )

    def left(self):
        return sorted(str(path.relative_to(self.cache)) for path in self.cache.glob("*/*"))

    def test_of_each_kind_what_was_used_last_stays(self):
        for number in range(8):
            self.used(f"standin/root-{number}.tar.zst", number)
        for number in range(5):
            self.used(f"cluster/node-{number}", 5 - number)
        self.used("cluster/runc-0", 300)
        done = self.tidy()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            self.left(),
            [
                *(f"cluster/node-{number}" for number in (2, 3, 4)),
                "cluster/runc-0",
                *(f"standin/root-{number}.tar.zst" for number in range(6)),
            ],
        )
        self.assertIn(f"removed {self.cache}/cluster/node-0\n", done.stdout)

    def test_what_somebody_may_be_at_work_with_stays(self):
        for number in range(5):
            self.used(f"golden/golden-{number}.qcow2", 0.01 * number)
        self.assertEqual(self.tidy().returncode, 0)
        self.assertEqual(len(self.left()), 5)

    def test_what_is_half_made_goes_a_day_later(self):
        self.used("cluster/.node-aB3dE6", 2)
        self.used("standin/root.aB3dE6", 2)
        self.used("standin/debian-1.tar.zst.part", 2)
        self.used("standin/build.aB3dE6", 0)
        self.used("standin/rpms", 2)
        self.assertEqual(self.tidy().returncode, 0)
        self.assertEqual(self.left(), ["standin/build.aB3dE6", "standin/rpms"])

    def test_images_that_have_a_name_and_the_newest_of_the_others_stay(self):
        builder = "localhost/copr-builder"
        self.images.write_text(
            json.dumps(
                [
                    # In use by its name, however old.
                    image("1", 30, f"{builder}:111111111111", f"{builder}:latest"),
                    # Made by somebody.
                    image("2", 29, f"{builder}:mine"),
                    *(image(name, 9 - day, f"{builder}:{name * 12}") for day, name in enumerate("abcdef")),
                    image("3", 30, "localhost/copr-redis:222222222222"),
                    image("4", 30),
                    image("5", 30, "quay.io/fedora/fedora:aaaaaaaaaaaa"),
                    # Builds that were killed, and one that goes on.
                    image("6", 2, "localhost/copr-build/keygen:222222222222-77"),
                    image("7", 0, "localhost/copr-build/keygen:222222222222-78"),
                ]
            )
        )
        done = self.tidy()
        self.assertEqual(done.returncode, 0)
        self.assertEqual(
            self.removed.read_text().split(),
            ["localhost/copr-build/keygen:222222222222-77", *(f"{builder}:{name * 12}" for name in "cba")],
        )

    def test_an_image_that_is_in_use_is_kept_and_said(self):
        base = "localhost/copr-base"
        self.images.write_text(
            json.dumps([image(name, 1 + day, f"{base}:{name * 12}") for day, name in enumerate("abcdef")])
        )
        done = self.tidy()
        self.assertEqual((done.returncode, done.stderr), (0, f"kept {base}:eeeeeeeeeeee\n"))
        self.assertEqual(done.stdout.splitlines(), [f"removed {base}:dddddddddddd", f"removed {base}:ffffffffffff"])

    def test_a_storage_that_can_t_be_listed_is_an_error(self):
        self.images.write_text("")
        self.assertNotEqual(self.tidy().returncode, 0)

    def test_where_nothing_was_built_there_is_nothing_to_do(self):
        for part in ("cluster", "standin", "golden"):
            (self.cache / part).rmdir()
        done = self.tidy()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
