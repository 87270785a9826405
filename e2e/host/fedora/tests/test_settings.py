"""The settings of e2e/host/fedora that programs on this machine read, too."""

import http.server
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

FEDORA = pathlib.Path(__file__).resolve().parents[1]
RENDER = """set -euo pipefail; STATE=/nowhere; die() { echo "$*" >&2; exit 1; }; source "$0/settings.sh"; render "$@" """


def render(file, **values):
    """As the scripts do it."""
    values = [f"{name}={value}" for name, value in values.items()]
    return subprocess.run(["bash", "-c", RENDER, FEDORA, FEDORA / file, *values], check=True, stdout=subprocess.PIPE, text=True).stdout


class Registry(http.server.BaseHTTPRequestHandler):
    """One that has nothing, and notes what it is asked for."""

    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200 if self.path == "/v2/" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


class Settings(unittest.TestCase):
    def test_the_node_finds_both_names_in_the_clusters_registry(self):
        """By containers/image, which CRI-O pulls with and skopeo, too."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "registries.conf"
            file.write_text(
                render(
                    "files/common/etc/containers/registries.conf.d/50-copr-operator.conf",
                    PULL="registry.kube-registry.svc:5000",
                    REGISTRY=f"127.0.0.1:{server.server_port}",
                )
            )
            for name in ["registry.kube-registry.svc:5000/copr/backend:1", "localhost/copr/backend:1"]:
                Registry.asked.clear()
                subprocess.run(
                    ["skopeo", "--registries-conf", file, "inspect", "--raw", f"docker://{name}"],
                    env={**os.environ, "NO_PROXY": "*"},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                self.assertIn("/v2/copr/backend/manifests/1", Registry.asked, name)


if __name__ == "__main__":
    unittest.main()
