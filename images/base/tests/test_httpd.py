"""What clients find in the listings of folders."""

import re
import unittest
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[2]


class Listings(unittest.TestCase):
    """Of every image that has some."""

    def test_nothing_in_a_listing_leads_to_the_same_listing(self) -> None:
        found = 0
        for config in IMAGES.glob("*/httpd.conf"):
            for section in re.findall(r"<Directory .*?</Directory>", config.read_text(encoding="utf-8"), re.DOTALL):
                options = re.findall(r"^\s*(?:Index)?Options (.*)$", section, re.MULTILINE)
                words = " ".join(options).split()
                if "Indexes" in words:
                    self.assertIn("SuppressColumnSorting", words, f"{config}: {section}")
                    found += 1
        self.assertEqual(found, 3)


if __name__ == "__main__":
    unittest.main()
