"""What is said of a host before anything of it is changed."""

import pathlib
import subprocess
import unittest

LIB = pathlib.Path(__file__).resolve().parents[1]

FEDORA = {
    "system": "fedora",
    "name": "Fedora Linux 44 (Cloud Edition)",
    "architecture": "x86_64",
    "kernel": "6.19.3-200.fc44.x86_64",
    "cores": "4",
    "memory": "7900",
    "swap": "0",
    "disk": "45000",
    "cgroup": "2",
    "selinux": "Disabled",
    "user": "0",
}
DEBIAN = {**FEDORA, "system": "debian", "name": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12.86+deb13-amd64"}

SCRIPT = r"""
set -euo pipefail
shopt -s inherit_errexit
source "$1/common.sh"
source "$1/preflight.sh"
read_facts
cluster=$(choose_cluster "$2")
echo "cluster $cluster"
judge "$cluster" x86_64 "$3"
"""


def look(facts, cluster="auto", ignored="", occupied=()):
    lines = [f"{name} {value}" for name, value in facts.items()] + [f"occupied {what}" for what in occupied]
    done = subprocess.run(
        ["bash", "-c", SCRIPT, "preflight", LIB, cluster, ignored],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


class Preflight(unittest.TestCase):
    def test_a_host_that_will_do(self):
        for facts, cluster in [
            (FEDORA, "kubeadm"),
            ({**DEBIAN, "cores": "2", "memory": "7000", "disk": "9000", "cluster": "kube", "copr": "copr/copr"}, "kube"),
            (DEBIAN, "kube"),
            ({**DEBIAN, "system": "ubuntu debian"}, "kube"),
            ({**FEDORA, "system": "rocky rhel centos fedora"}, "kubeadm"),
        ]:
            with self.subTest(system=facts["system"]):
                self.assertEqual(look(facts), (0, f"cluster {cluster}\n"))

    def test_what_is_refused_is_named_and_said(self):
        for change, name, text in [
            ({"system": "arch"}, "UnknownSystem", "neither Debian-like nor Fedora-like"),
            ({"architecture": "aarch64"}, "OtherArchitecture", "the host is aarch64"),
            ({"cores": "2"}, "TooFewCores", "the host has 2"),
            ({"memory": "3900"}, "TooLittleMemory", "the host has 3900 MiB"),
            ({"disk": "9000"}, "TooLittleDisk", "9000 MiB free"),
            ({"kernel": "6.2.9-200.fc37"}, "OldKernel", "Linux 6.2.9-200.fc37"),
            ({"cgroup": "1"}, "Cgroup1", "CRI-O takes v2"),
            ({"cluster": "microshift"}, "OtherCluster", "--reset removes it"),
        ]:
            with self.subTest(name):
                status, output = look({**FEDORA, **change})
                self.assertEqual(status, 2)
                self.assertIn(f"refused {name}: ", output)
                self.assertIn(text, output)
                self.assertIn(f"--ignore-preflight {name} ", output)

    def test_what_is_refused_is_tried_when_it_is_ignored(self):
        status, output = look({**DEBIAN, "cores": "2", "disk": "9000"}, ignored="TooFewCores,TooLittleDisk")
        self.assertEqual(status, 0)
        self.assertIn("refused TooFewCores: ", output)
        status, output = look({**DEBIAN, "cores": "2", "disk": "9000"}, ignored="TooFewCores")
        self.assertEqual(status, 2)
        self.assertIn("--ignore-preflight TooLittleDisk ", output)

    def test_what_is_noted_is_no_refusal(self):
        for facts, name in [
            ({**DEBIAN, "cgroup": "1"}, "Cgroup1"),
            ({**FEDORA, "swap": "3900"}, "Swap"),
            ({**FEDORA, "selinux": "Enforcing"}, "SELinux"),
        ]:
            with self.subTest(name):
                status, output = look(facts)
                self.assertEqual(status, 0)
                self.assertIn(f"noted {name}: ", output)

    def test_a_cluster_of_ours_has_used_the_disk_already(self):
        self.assertEqual(look({**DEBIAN, "disk": "9000", "cluster": "kube"}), (0, "cluster kube\n"))

    def test_what_is_there_already_is_named_one_by_one(self):
        status, output = look(FEDORA, occupied=["k3s or RKE (/etc/rancher)", "something that listens on port 6443"])
        self.assertEqual(status, 2)
        self.assertIn("refused Occupied: there is k3s or RKE (/etc/rancher)", output)
        self.assertIn("refused Occupied: there is something that listens on port 6443", output)

    def test_a_kind_of_cluster_is_of_one_kind_of_system(self):
        for facts, cluster in [(FEDORA, "kube"), (DEBIAN, "kubeadm"), (DEBIAN, "microshift")]:
            with self.subTest(cluster):
                status, output = look(facts, cluster)
                self.assertEqual(status, 2)
                self.assertIn(f"refused UnknownSystem: --cluster {cluster} is for", output)
        self.assertEqual(look(FEDORA, "microshift"), (0, "cluster microshift\n"))
