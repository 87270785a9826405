"""Whose root this is."""

import unittest

from build_image import namespace
from build_image.failures import Unavailable

NODE = "         0          0 4294967295\n"
OWN = "         0 2338914304      65536\n"
BUILD = "Name:\tpython3\nCapEff:\t00000000802400fb\n"
PRIVILEGED = "Name:\tpython3\nCapEff:\t000001ffffffffff\n"


class NamespaceTest(unittest.TestCase):
    """Where builds are refused."""

    def test_root_of_the_pod(self) -> None:
        namespace.check(OWN, BUILD)

    def test_privileged_by_intent(self) -> None:
        namespace.check(NODE, PRIVILEGED)

    def test_root_of_the_node(self) -> None:
        with self.assertRaisesRegex(Unavailable, "hostUsers"):
            namespace.check(NODE, BUILD)
