"""A cluster for scripts that ask one: the real kubectl, an API server of a few lines, and a kubectl-copr that answers what the real
one has been recorded to answer."""

import io
import json
import os
import shutil
import tarfile
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "ci"
CLI = ROOT / "operator/cli/src"
GROUP = "copr.fedorainfracloud.org"
COMMIT = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b"
RESOURCE = {
    "name": "coprtestruns",
    "singularName": "coprtestrun",
    "kind": "CoprTestRun",
    "namespaced": True,
    "verbs": ["get"],
}

COPR = """\
#!/usr/bin/env bash
# Says what it is called with, and answers from FOLDER.
set -eu
folder=FOLDER
printf '%s\\n' "$*" >>"$folder/calls"
case $1 in
run)
    if [[ -e $folder/refusal ]]; then
        cat "$folder/refusal" >&2
        exit 2
    fi
    echo coprtestrun/pr-7
    ;;
watch)
    if [[ -e $folder/slow ]]; then
        touch "$folder/watching"
        exec sleep 60
    fi
    echo "Passed or Failed"
    exit "$(<"$folder/verdict")"
    ;;
artifacts) cp -r "$folder/left/." "${@: -1}" ;;
esac
"""


def recorded(name: str) -> str:
    """What a unit test of kubectl copr has recorded, without the header that insta writes."""
    module = name.split("__", 1)[0]
    text = (CLI / module / f"snapshots/kubectl_copr__{name}.snap").read_text(encoding="utf-8")
    return text.split("---\n", 2)[2]


def load(text: str) -> Any:
    """YAML as it is meant for programs."""
    return YAML(typ="safe", pure=True).load(text)


class Cluster:
    """The run that is created is called pr-7."""

    def __init__(self, verdict: int = 0) -> None:
        self.status: dict[str, Any] = {
            "phase": "Failed",
            "summary": {"passed": 8, "failed": 1},
            "conditions": [{"type": "Succeeded", "message": 'it said "é"; 8 of 9 tests passed'}],
        }
        self.folder = Path(tempfile.mkdtemp())
        self.bin = self.folder / "bin"
        left = self.folder / "left"
        (left / "build-spec").mkdir(parents=True)
        (left / "build-spec/output.txt").write_text("no such spec\n", encoding="utf-8")
        (left / "results.yaml").write_text(recorded("model__tmt__tests__every_test_is_a_result"), encoding="utf-8")
        (self.folder / "verdict").write_text(str(verdict), encoding="utf-8")
        self.bin.mkdir()
        shutil.copy(CI / "lib/copr-sanity", self.bin)
        copr = self.bin / "kubectl-copr"
        copr.write_text(COPR.replace("FOLDER", str(self.folder)), encoding="utf-8")
        copr.chmod(0o755)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.kubeconfig = json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "namespace": "ci"}}],
                "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}],
            }
        )
        (self.folder / "kubeconfig").write_text(self.kubeconfig, encoding="utf-8")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self.folder)

    def environment(self, **more: str) -> dict[str, str]:
        """Of a program that finds the cluster, and nothing else."""
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            **more,
        }

    def calls(self) -> list[str]:
        """What kubectl-copr was called with."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def refuse(self, words: str) -> None:
        """No run is created from now on."""
        (self.folder / "refusal").write_text(words + "\n", encoding="utf-8")

    def archive(self, to: Path) -> None:
        """As a release has it."""
        with tarfile.open(to, "w:gz") as archive:
            archive.add(self.bin / "kubectl-copr", "kubectl-copr")
            archive.add(self.bin / "copr-sanity", "copr-sanity")
            note = tarfile.TarInfo("LICENSE")
            archive.addfile(note, io.BytesIO())

    def _answer(self, path: str) -> Any:
        versions = [{"groupVersion": f"{GROUP}/v1alpha1", "version": "v1alpha1"}]
        answers = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [{"name": GROUP, "versions": versions, "preferredVersion": versions[0]}],
            },
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
            f"/apis/{GROUP}/v1alpha1": {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": f"{GROUP}/v1alpha1",
                "resources": [RESOURCE],
            },
        }
        if path.endswith("/coprtestruns/pr-7"):
            return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "CoprTestRun", "status": self.status}
        return answers.get(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = cluster._answer(self.path.partition("?")[0])
                self._send(404 if answer is None else 200, answer or {"kind": "Status", "code": 404})

            def _send(self, code: int, answer: Any) -> None:
                body = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
