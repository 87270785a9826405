"""Who may have what tested, decided by rule and as the step of the workflow does it."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support import CI, COMMIT

SCRIPT = CI / "github/copr-sanity/subject.py"
_spec = importlib.util.spec_from_file_location("subject", SCRIPT)
subject = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(subject)

REPOSITORY = "fedora-copr/copr"


def event(body: str, login: str = "maintainer", **issue: Any) -> dict[str, Any]:
    """As GitHub sends it, as far as it is read."""
    return {
        "action": "created",
        "repository": {"full_name": REPOSITORY},
        "issue": {"number": 4305, "pull_request": {"url": "https://…"}, **issue},
        "comment": {"body": body, "user": {"login": login}},
    }


def api(author: str = "maintainer", head: str | None = None, state: str = "open", sha: str = COMMIT) -> dict[str, Any]:
    """What GitHub answers, by path. `head` is the full name of the repository that the pull request is from."""
    full_name = head or f"{author}/copr"
    repository = {"full_name": full_name, "owner": {"login": full_name.split("/")[0]}}
    pull = {"state": state, "user": {"login": author}, "head": {"sha": sha, "repo": repository}}
    permission = {"maintainer": "write", "owner": "admin", "reader": "read"}
    answers = {
        f"/repos/{REPOSITORY}/collaborators/{login}/permission": {"permission": value}
        for login, value in permission.items()
    }
    return answers | {f"/repos/{REPOSITORY}/pulls/4305": pull}


class Subject(unittest.TestCase):
    def test_a_maintainer_has_a_maintainers_pull_request_tested(self) -> None:
        for body in ["/copr-sanity", " /copr-sanity \r\nthanks", "/copr-sanity 5D37CD8", f"/copr-sanity {COMMIT}"]:
            for answers in (api(), api("owner"), api("outsider", head=REPOSITORY)):
                self.assertEqual(subject.subject(event(body), answers.get), (COMMIT, 4305), body)

    def test_nobody_else_has_anything_tested(self) -> None:
        for login in ("reader", "outsider"):
            with self.assertRaisesRegex(subject.Ignored, f"{login} may not write"):
                subject.subject(event(f"/copr-sanity {COMMIT}", login), api(login).get)

    def test_of_an_outsider_the_whole_hash_is_demanded(self) -> None:
        deleted = api()
        deleted[f"/repos/{REPOSITORY}/pulls/4305"]["head"]["repo"] = None
        # The fork of somebody else, to which others may push.
        for answers in (api("outsider"), api("reader"), api("maintainer", head="outsider/copr"), deleted):
            for body in ("/copr-sanity", f"/copr-sanity {COMMIT[:39]}"):
                with self.assertRaisesRegex(subject.Refused, f"write /copr-sanity {COMMIT}"):
                    subject.subject(event(body), answers.get)
            self.assertEqual(subject.subject(event(f"/copr-sanity {COMMIT}"), answers.get), (COMMIT, 4305))

    def test_a_head_that_has_moved_is_refused(self) -> None:
        moved = api("outsider", sha="a" * 40)
        with self.assertRaisesRegex(subject.Refused, f"any more.*: that is {'a' * 40}"):
            subject.subject(event(f"/copr-sanity {COMMIT}"), moved.get)

    def test_what_is_no_request_is_nothing(self) -> None:
        for body in ["", "please /copr-sanity", "thanks\n/copr-sanity"]:
            with self.assertRaises(subject.Ignored):
                subject.subject(event(body), api().get)
        of_an_issue = event("/copr-sanity")
        del of_an_issue["issue"]["pull_request"]
        with self.assertRaises(subject.Ignored):
            subject.subject(of_an_issue, api().get)

    def test_what_can_not_be_understood_is_said(self) -> None:
        for body in ["/copr-sanity main", "/copr-sanity 5d37c", "/copr-sanity-please", f"/copr-sanity {COMMIT};id"]:
            with self.assertRaisesRegex(subject.Refused, "can't be understood"):
                subject.subject(event(body), api().get)
        with self.assertRaisesRegex(subject.Refused, "isn't open"):
            subject.subject(event("/copr-sanity"), api(state="closed").get)
        with self.assertRaisesRegex(subject.Refused, "is no commit"):
            subject.subject(event("/copr-sanity"), api(sha="x\ncommit=y").get)


class Step(unittest.TestCase):
    """The script as the workflow runs it, with a GitHub of a few lines."""

    def run_it(self, comment: dict[str, Any], answers: dict[str, Any]) -> tuple[int, str, str]:
        class GitHub(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers["Authorization"] == "Bearer t0k3n"
                answer = answers.get(self.path) if known else None
                code = 200 if answer else 404
                if isinstance(answer, int):
                    code, answer = answer, {}
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        work = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (work / "event").write_text(json.dumps(comment))
        (work / "output").touch()
        variables = {
            "PATH": os.environ["PATH"],
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
            "GITHUB_EVENT_PATH": str(work / "event"),
            "GITHUB_OUTPUT": str(work / "output"),
            "GITHUB_TOKEN": "t0k3n",
        }
        ran = subprocess.run([sys.executable, SCRIPT], env=variables, text=True, capture_output=True, check=False)
        self.assertEqual(ran.stderr, "")
        return ran.returncode, ran.stdout, (work / "output").read_text()

    def test_commit_and_number_are_outputs(self) -> None:
        ran = self.run_it(event("/copr-sanity"), api())
        self.assertEqual(ran, (0, f"{COMMIT} of pull request 4305\n", f"commit={COMMIT}\npull_request=4305\n"))

    def test_an_outsiders_comment_is_a_notice_and_no_failure(self) -> None:
        code, said, output = self.run_it(event("/copr-sanity", "outsider"), api())
        self.assertEqual((code, output), (0, ""))
        self.assertIn("::notice::outsider may not write", said)

    def test_a_maintainers_mistake_is_an_error_on_one_line(self) -> None:
        code, said, output = self.run_it(event("/copr-sanity \x1b::set-output name=x::y"), api())
        self.assertEqual((code, output), (1, ""))
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertTrue(said.startswith("::error::"), said)

    def test_a_forge_that_refuses_is_an_error(self) -> None:
        code, said, output = self.run_it(event("/copr-sanity"), api() | {f"/repos/{REPOSITORY}/pulls/4305": 403})
        self.assertEqual((code, output), (1, ""))
        self.assertIn("GitHub answers 403 to /repos/fedora-copr/copr/pulls/4305", said)
