"""The entrypoint gives its process's user a name."""

import os
import pwd
import subprocess
import unittest
from pathlib import Path

ENTRYPOINT = Path(__file__).resolve().parent.parent / "entrypoint"


def environment(**given: str) -> dict[str, str]:
    """What a program is started with."""
    done = subprocess.run(["bash", ENTRYPOINT, "env"], env={"PATH": os.environ["PATH"], **given},
                          capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


class Entrypoint(unittest.TestCase):
    """Run as whoever runs the tests."""

    def test_daemons_are_told_who_they_are(self) -> None:
        me = pwd.getpwuid(os.getuid()).pw_name
        env = environment(IMAGE_USER=me, USER="somebody else")
        self.assertEqual((env["USER"], env["LOGNAME"]), (me, me))

    def test_an_image_of_root_is_left_alone(self) -> None:
        self.assertFalse({"USER", "LOGNAME"} & environment().keys())


if __name__ == "__main__":
    unittest.main()
