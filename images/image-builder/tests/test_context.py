"""The build context out of a ConfigMap volume."""

import tempfile
import unittest
from pathlib import Path

from build_image import context


class ContextTest(unittest.TestCase):
    """A volume as the kubelet makes it: links to a folder that is replaced as a whole."""

    def test_files_behind_links(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            volume = Path(folder, "volume")
            data = volume / "..2026_11_24"
            (data / "smoke").mkdir(parents=True)
            (data / "Containerfile").write_text("FROM scratch\n")
            (data / "smoke/__init__.py").write_text("")
            (data / "run").write_text("#!/bin/bash\n")
            (volume / "..data").symlink_to(data.name)
            for name in ("Containerfile", "smoke", "run"):
                (volume / name).symlink_to(f"..data/{name}")
            target = Path(folder, "context")
            context.copy(volume, target)
            modes = {str(file.relative_to(target)): file.lstat().st_mode & 0o777777 for file in target.rglob("*")}
        self.assertEqual(modes, {"Containerfile": 0o100644, "run": 0o100755, "smoke": 0o40755,
                                 "smoke/__init__.py": 0o100644})
