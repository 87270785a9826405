"""run-sanity-tests with a kubectl and a kubectl-copr that only note how they were called."""

import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import time
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "run-sanity-tests"

KUBECTL = r"""#!/bin/bash
printf 'kubectl %s\n' "$*" >>"$CALLS"
case "$*" in
kustomize*) printf '%s\n' "image: localhost/copr-operator:latest" "value: localhost/copr-image-builder:latest" ;;
*"--raw /apis/security.openshift.io"*) exit 1 ;;
*"get coprinstance missing"*) exit 1 ;;
*"-f -") cat ;;
esac
"""

CLI = r"""#!/bin/bash
printf 'cli %s\n' "$*" >>"$CALLS"
case "$*" in
*--dry-run=client*) exit "${OPTIONS_ARE:-0}" ;;
run*) exit "${CREATED:-0}" ;;
watch*)
	[[ ${HANGS:-} ]] || exit "${VERDICT:-0}"
	trap 'echo terminated >>"$CALLS"; exit 2' TERM
	echo waits >>"$CALLS"
	while :; do sleep 0.05; done
	;;
esac
"""


class RunSanityTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.calls = self.folder / "calls"
        self.calls.touch()
        for name, text in [("kubectl", KUBECTL), ("kubectl-copr", CLI)]:
            program = self.folder / name
            program.write_text(text)
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (self.folder / "kubeconfig").touch()

    def start(self, *options, tested=("--images", "quay.io/you:2.7"), **environment):
        environment = {"COPR_CLI": str(self.folder / "kubectl-copr"), **environment}
        return subprocess.Popen(
            [SCRIPT, "--kubeconfig", self.folder / "kubeconfig", *tested, *options],
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "CALLS": str(self.calls), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run_it(self, *options, **more):
        process = self.start(*options, **more)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def called(self, program):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(program)]

    def test_exits_with_the_verdict_of_the_command_line(self):
        for verdict in [0, 1, 2]:
            code, output = self.run_it(VERDICT=str(verdict))
            self.assertEqual(code, verdict, output)
            self.assertTrue(output.startswith("Testing images that exist already: quay.io/you/copr-*:2.7."), output)

    def test_options_are_those_of_the_command_line(self):
        options = "--tests auth,chroots --parallelism 2 --timeout 2h --test-timeout 5m --namespace team -- --suite upstream"
        self.run_it("--output", str(self.folder / "out"), *options.split())
        _, run, watch = self.called("cli")
        self.assertRegex(run, r"^cli run --namespace team --name smoke-\d+ --description images that exist already: \S+ ")
        self.assertTrue(
            run.endswith(
                " --images=quay.io/you:2.7 --test=auth --test=chroots --parallelism 2 --timeout 2h --test-timeout 5m --suite upstream"
            ),
            run,
        )
        self.assertRegex(watch, rf"^cli watch smoke-\d+ --namespace team --results --artifacts {self.folder}/out --rm$")

    def test_an_instance_that_exists_is_tested_as_it_is(self):
        code, output = self.run_it("--namespace", "team", "--tests", "auth", tested=["--instance", "copr"])
        self.assertEqual(code, 0, output)
        self.assertTrue(output.startswith("Testing the Copr that is there already: the CoprInstance copr in the namespace team."))
        changes = [line for line in self.called("kubectl") if not line.startswith(("kubectl get", "kubectl --namespace team get"))]
        self.assertEqual(changes, [])
        _, run, _ = self.called("cli")
        self.assertTrue(run.endswith(" --instance=copr --test=auth"), run)

    def test_an_instance_that_does_not_exist(self):
        code, output = self.run_it(tested=["--instance", "missing"])
        self.assertEqual(code, 2)
        self.assertIn("the namespace copr-sanity has no CoprInstance missing", output)
        self.assertEqual(len(self.called("cli")), 1)

    def test_what_is_kept_is_not_removed(self):
        code, output = self.run_it("--keep")
        _, run, watch = self.called("cli")
        self.assertIn(" --keep", run)
        self.assertNotIn("--rm", watch)
        self.assertIn("which stays: KUBECONFIG=", output)

    def test_nothing_is_set_up_for_options_that_the_command_line_refuses(self):
        code, output = self.run_it("--parallelism", "many", OPTIONS_ARE="2")
        self.assertEqual(code, 2)
        self.assertEqual(self.called("kubectl"), [])
        self.assertIn("No verdict: this says nothing about Copr", output)

    def test_nothing_is_set_up_for_packages_that_the_command_line_refuses(self):
        # This machine may reach Fedora's registries or not.
        packages = self.folder / "my packages"
        packages.mkdir()
        code, output = self.run_it(tested=["--registry", "quay.io/you", "--packages", packages], OPTIONS_ARE="2")
        self.assertEqual(code, 2)
        self.assertEqual(self.called("kubectl"), [])
        self.assertTrue(self.called("cli")[0].endswith(f" --dry-run=client --packages={packages}"), self.called("cli"))
        self.assertIn(f"with your packages of {packages} over them", output)

    def test_wrong_options(self):
        (self.folder / "used").mkdir()
        (self.folder / "used" / "junit.xml").touch()
        for options, said in [
            (["--tests"], "--tests needs a value"),
            (["--packages", "fedora"], "give either --images or --packages"),
            (["--instance", "copr"], "give either --instance, or --images"),
            (["--registry-insecure"], "which isn't given"),
            (["--output", str(self.folder / "used")], "--output is a folder that is empty or not there"),
            (["--verbose"], "unknown argument '--verbose'"),
            (["root@192.0.2.7"], "give either a host or --kubeconfig"),
            (["root@192.0.2.7", "root@192.0.2.8"], "one host at a time"),
            (["--reset"], "--reset is about a host"),
            (["--cluster", "k3s"], "--cluster is kube, kubeadm or microshift, not 'k3s'"),
        ]:
            code, output = self.run_it(*options)
            self.assertEqual(code, 2, options)
            self.assertIn(said, output)
        self.assertEqual(self.called(""), [])

    def test_a_run_that_could_not_be_created_is_deleted_and_is_no_verdict(self):
        code, output = self.run_it(CREATED="1")
        self.assertEqual(code, 2)
        self.assertRegex(self.called("kubectl")[-1], r"delete coprtestrun smoke-\d+ --ignore-not-found")
        self.assertIn("No verdict: this says nothing about Copr", output)

    def test_only_set_up(self):
        code, _ = self.run_it("--set-up-only")
        self.assertEqual(code, 0)
        self.assertEqual(len(self.called("cli")), 1)

    def test_a_program_that_is_not_there(self):
        code, output = self.run_it(COPR_CLI="no-such-program")
        self.assertEqual(code, 2)
        self.assertIn("COPR_CLI: there is no program 'no-such-program'", output)

    def test_a_signal_reaches_the_command_line(self):
        process = self.start(HANGS="1")
        deadline = time.monotonic() + 30
        while not self.called("waits"):
            self.assertLess(time.monotonic(), deadline, self.calls.read_text())
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 2)
        self.assertEqual(self.called("terminated"), ["terminated"])


if __name__ == "__main__":
    unittest.main()
