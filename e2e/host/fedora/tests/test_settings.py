"""The settings of e2e/host/fedora that programs on this machine read, too."""

import http.server
import json
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


# What the network's settings say is kept in memory and in namespaces of this script's own.
PLUG_IN = """set -euo pipefail
mount --make-rprivate /
mkdir -p "$1/lib"
mount -t tmpfs tmpfs "$1/lib"
mkdir -p /var/lib/cni
mount --bind "$1/lib" /var/lib/cni
unshare --net sleep 60 &
pod=$!
trap 'kill $pod' EXIT
until [[ $(readlink /proc/$pod/ns/net) != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.05; done
export CNI_CONTAINERID=pod CNI_NETNS=/proc/$pod/ns/net CNI_IFNAME=eth0 CNI_PATH=$1
CNI_COMMAND=ADD "$1/bridge" <"$1/network" >&2
nsenter --target $pod --net ip -brief address show dev eth0
nsenter --target $pod --net ip route
ip -brief address show dev copr-operator
nft list table inet cni_plugins_masquerade
"""
PLUGINS = "github.com/containernetworking/plugins/plugins"
# Fedora 43 and 44 have this one or a later one.
PLUGINS_VERSION = "v1.7.1"


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

    def test_a_pod_is_plugged_into_the_bridge_and_masqueraded_by_nftables(self):
        """By the real plugins. The table is one of those that `down` removes."""
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "GOBIN": folder, "GOWORK": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
            for plugin in ["main/bridge", "ipam/host-local"]:
                subprocess.run(["go", "install", f"{PLUGINS}/{plugin}@{PLUGINS_VERSION}"], cwd=folder, env=environment, check=True, stderr=subprocess.PIPE)
            network = json.loads(
                render("files/kubeadm/etc/cni/net.d/10-copr-operator.conflist", NETWORK="copr-operator", BRIDGE="copr-operator", NODE_CIDR="10.244.0.0/24")
            )
            (bridge,) = network["plugins"]
            (pathlib.Path(folder) / "network").write_text(json.dumps({"cniVersion": network["cniVersion"], "name": network["name"], **bridge}))
            done = subprocess.run(
                ["unshare", "--mount", "--net", "bash", "-c", PLUG_IN, "plug-in", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        for expected in ["10.244.0.2/24", "default via 10.244.0.1", "10.244.0.1/24", "ip daddr != 10.244.0.0/24 masquerade"]:
            self.assertIn(expected, done.stdout)
        self.assertIn('"inet cni_plugins_masquerade"', (FEDORA.parent / "kubeadm").read_text())


if __name__ == "__main__":
    unittest.main()
