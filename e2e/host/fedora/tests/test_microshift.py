"""e2e/host/microshift on a root in Fedora's shape, with the real dnf 5 and rpm 6; MicroShift is a stand-in throughout."""

import unittest

from tests.case import HostCase
from tests.root import HOST_FOLDER

LINES = f"""kubeconfig /{HOST_FOLDER}/state/kubeconfig
server 127.0.0.1:6443
registry 10.43.0.50:5000
pull registry.kube-registry.svc:5000
"""


class MicroShift(HostCase):
    name = "microshift"

    def test_up_twice_and_down(self):
        self.up(LINES)
        self.assertEqual(self.host.calls("dnf copr enable"), ["dnf copr enable --assumeyes @microshift-io/microshift-nightly"])
        self.assertIn("node kubectl config set-cluster microshift --tls-server-name localhost", self.host.calls())
        self.assertIn("driver: none", self.host.read("/etc/microshift/config.d/50-copr-operator.yaml"))
        self.assertIn("clusterIP: 10.43.0.50", (self.host.standins / "applied").read_text())
        self.host.forget_calls()
        self.up(LINES)
        self.assertEqual(self.host.calls("dnf copr enable") + self.host.calls("systemctl start microshift"), [])
        self.script("down")
        self.assert_as_before()

    def test_a_connection_cut_anywhere_costs_what_it_cut(self):
        for called in ["dnf copr enable", "dnf in the middle", "systemctl start microshift", "node kubectl apply"]:
            with self.subTest(called):
                self.host.cut(called)
                self.assertEqual(self.script("up", check=False).returncode, -9)
                self.up(LINES)
                self.script("down")
                self.assert_as_before()
                self.host.copy_scripts()

    def test_one_of_somebody_elses_is_left_alone(self):
        self.host.run("mkdir", "-p", "/var/lib/microshift/resources/kubeadmin")
        self.host.run("touch", "/var/lib/microshift/resources/kubeadmin/kubeconfig")
        done = self.script("up", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is a MicroShift on this host that isn't ours", done.stderr)
        self.assertEqual(self.host.rpms(), self.rpms)


if __name__ == "__main__":
    unittest.main()
