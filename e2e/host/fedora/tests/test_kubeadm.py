"""e2e/host/kubeadm on a root in Fedora's shape, with the real dnf 5, rpm 6 and kubeadm; see README.md."""

import shutil
import unittest

from tests.case import HostCase
from tests.root import ADDRESS

LINES = f"""kubeconfig /etc/kubernetes/admin.conf
server {ADDRESS}:6443
registry 10.96.0.50:5000
pull registry.kube-registry.svc:5000
"""

OURS = {
    "etc/cni/net.d/10-copr-operator.conflist",
    "etc/containers/registries.conf.d/50-copr-operator.conf",
    "etc/crio/crio.conf.d/50-copr-operator.conf",
    "etc/crio/crio.conf.d/51-copr-operator-network.conf",
    "etc/modules-load.d/50-copr-operator.conf",
    "etc/sysctl.d/50-copr-operator.conf",
    "etc/systemd/system/copr-operator-volumes.service",
}


class Kubeadm(HostCase):
    name = "kubeadm"

    def test_up_makes_what_kubeadm_makes_and_puts_its_settings_where_they_belong(self):
        said = self.up(LINES)
        self.assertRegex(said, r"(?m)^ +\d+\.\ds  packages installed$")
        self.assertLessEqual(OURS, self.host.changed())
        manifest = self.host.read("/etc/kubernetes/manifests/kube-apiserver.yaml")
        self.assertIn(f"--advertise-address={ADDRESS}", manifest)
        self.assertIn(f"registry.k8s.io/kube-apiserver:{self.version}", manifest)
        kubelet = self.host.read("/var/lib/kubelet/config.yaml")
        for setting in ["failSwapOn: false", "cgroupDriver: systemd", "maxPods: 200"]:
            self.assertIn(setting, kubelet)
        certificate = self.host.run("openssl", "x509", "-in", "/etc/kubernetes/pki/apiserver.crt", "-noout", "-ext", "subjectAltName").stdout
        self.assertIn("IP Address:127.0.0.1", certificate)
        self.assertIn(f"server: https://{ADDRESS}:6443", self.host.read("/etc/kubernetes/admin.conf"))
        self.assertIn('location = "10.96.0.50:5000"', self.host.read("/etc/containers/registries.conf.d/50-copr-operator.conf"))
        self.assertIn("clusterIP: 10.96.0.50", (self.host.standins / "applied").read_text())
        self.assertEqual(self.host.sysctl("net.ipv4.ip_forward"), 1)
        self.assertIn("conmon", self.host.rpms())
        self.assertIn("crio-standin", self.host.read("/etc/passwd"))

    def test_a_second_up_changes_nothing_and_asks_no_repository(self):
        self.up(LINES)
        files = {path: self.host.read("/" + path) for path in OURS}
        shutil.rmtree(self.host.root / "var/cache/libdnf5", ignore_errors=True)
        (self.host.upper / "etc/yum.repos.d/standins.repo").write_text("[gone]\nname=Gone\nbaseurl=file:///nowhere\n")
        self.host.forget_calls()
        self.up(LINES)
        self.assertEqual(self.host.calls("kubeadm init") + self.host.calls("kubeadm reset") + self.host.calls("sysctl --write"), [])
        self.assertEqual(self.host.calls("systemctl restart crio"), [])
        self.assertEqual({path: self.host.read("/" + path) for path in OURS}, files)

    def test_down_leaves_the_host_as_it_was(self):
        self.up(LINES)
        self.script("down")
        self.assert_as_before()

    def test_what_was_there_before_stays(self):
        self.host.run("dnf", "install", "--assumeyes", "socat")
        self.host.sysctls(**{"net.ipv4.ip_forward": 1, "fs.inotify.max_user_instances": 65536})
        self.host.run("mkdir", "-p", "/etc/cni/net.d")
        self.host.run("touch", "/etc/cni/net.d/87-podman.conflist")
        self.up(LINES)
        self.script("down")
        self.assertIn("socat", self.host.rpms())
        self.assertTrue(self.host.exists("/etc/cni/net.d/87-podman.conflist"))
        self.assertEqual(self.host.sysctl("net.ipv4.ip_forward"), 1)
        self.assertEqual(self.host.sysctl("fs.inotify.max_user_instances"), 65536)

    def test_a_connection_cut_anywhere_costs_what_it_cut(self):
        for called, init_again in [
            ("dnf in the middle", True),
            ("modprobe br_netfilter", True),
            ("systemctl start crio", True),
            ("made by kubeadm", True),
            ("systemctl restart copr-operator-volumes", False),
            ("kubectl --namespace kube-system rollout", False),
        ]:
            with self.subTest(called):
                self.host.cut(called)
                cut = self.script("up", check=False)
                self.assertEqual((cut.returncode, cut.stdout), (-9, ""), cut.stderr)
                self.host.forget_calls()
                self.up(LINES)
                self.assertEqual(len(self.host.calls("kubeadm init")), int(init_again))
                self.assertEqual(len(self.host.calls("kubeadm reset")), int(called == "made by kubeadm"))
                self.script("down")
                self.assert_as_before()
                self.host.copy_scripts()

    def test_down_after_a_cut_leaves_the_host_as_it_was(self):
        for called in ["dnf in the middle", "systemctl start crio", "made by kubeadm"]:
            with self.subTest(called):
                self.host.cut(called)
                self.assertEqual(self.script("up", check=False).returncode, -9)
                self.script("down")
                self.assert_as_before()
                self.host.copy_scripts()

    def test_a_down_that_was_cut_goes_on(self):
        self.up(LINES)
        for called in ["kubeadm reset", "nft delete", "modprobe --remove"]:
            self.host.cut(called)
            self.assertEqual(self.script("down", check=False).returncode, -9, called)
        self.script("down")
        self.assert_as_before()

    def test_firewalld_trusts_pods_as_long_as_there_are_any(self):
        self.host.run("touch", "/usr/lib/systemd/system/firewalld.service")
        self.host.run("systemctl", "start", "firewalld")
        trusted = self.host.standins / "trusted"
        self.up(LINES)
        self.up(LINES)
        for when in ["now", "permanent"]:
            self.assertTrue((trusted / when / "10.244.0.0_16").exists(), when)
        self.script("down")
        self.assertEqual([*trusted.glob("*/*")], [])

    def test_a_cluster_of_somebody_elses_is_left_alone(self):
        self.host.run("mkdir", "-p", "/etc/kubernetes")
        self.host.run("touch", "/etc/kubernetes/kubelet.conf")
        done = self.script("up", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is a Kubernetes on this host that isn't ours (/etc/kubernetes/kubelet.conf)", done.stderr)
        self.assertEqual(self.host.rpms(), self.rpms)

    def test_packages_that_others_need_by_now_stay_with_what_they_need(self):
        self.up(LINES)
        self.host.run("dnf", "install", "--assumeyes", "another-one")
        done = self.script("down")
        stay = {"another-one", "cri-o1.36", "conmon", "kubernetes1.36-client", "socat"}
        self.assertEqual(set(self.host.rpms()) - set(self.rpms), stay)
        said = next(line for line in done.stderr.splitlines() if line.startswith("These packages stay"))
        self.assertEqual({name.removesuffix(".noarch") for name in said.split(": ")[1].split()}, stay - {"another-one"})
        self.host.run("test", "-f", "/etc/crio/crio.conf")
        self.host.run("id", "crio-standin")
        # Nothing of it is ours any more.
        self.script("down")
        self.assertEqual(set(self.host.rpms()) - set(self.rpms), stay)

    def test_without_a_route_it_says_what_is_missing(self):
        self.host.run("ip", "route", "delete", "default")
        done = self.script("up", check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("error: e2e/host/kubeadm: the host has no IPv4 route to others", done.stderr)
        self.script("down")
        self.assert_as_before()

    def test_a_package_that_there_isn_t_is_named(self):
        (self.host.upper / "etc/yum.repos.d/standins.repo").unlink()
        done = self.script("up", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("failed: packages installed", done.stderr)
        self.assertIn("kubernetes1.36", done.stderr)


if __name__ == "__main__":
    unittest.main()
