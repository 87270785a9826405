#!/usr/bin/env python3
"""What a comment on a pull request asks to be tested, and whether who wrote it may ask: for the event `issue_comment`.

The commit is one of the pull request, resolved now: the event names none. Whoever writes the comment needs write permission. Of a pull
request whose author lacks it, the comment must name the whole hash of its head, so that nothing is tested that was pushed after
somebody had looked.

Writes `commit` and `pull_request` to $GITHUB_OUTPUT, or neither if there is nothing to do. Exits with 1 if a maintainer asked for
something that can't be done.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMAND = re.compile(r"/copr-sanity(?:[ \t]+([0-9a-f]{7,40}))?[ \t]*", re.IGNORECASE)
COMMIT = re.compile(r"[0-9a-f]{40}")
TIMEOUT_SECONDS = 30

# A path of the API to what it answers; nothing if there is no such thing.
Ask = Callable[[str], Any]


class Ignored(Exception):
    """The comment is no request, or one of somebody who may not ask."""


class Refused(Exception):
    """A maintainer's request that can't be done, with what to do."""


def may_write(ask: Ask, repository: str, login: str) -> bool:
    """Whether somebody may push to the repository: only collaborators have a permission."""
    answer = ask(f"/repos/{repository}/collaborators/{login}/permission")
    return answer is not None and answer["permission"] in ("admin", "write")


def is_trusted(ask: Ask, repository: str, pull: dict[str, Any]) -> bool:
    """Whether only those who may write can have pushed to the pull request."""
    head = pull["head"]["repo"]
    if head is None:
        return False
    if head["full_name"] == repository:
        return True
    author = pull["user"]["login"]
    return head["owner"]["login"] == author and may_write(ask, repository, author)


def subject(event: dict[str, Any], ask: Ask) -> tuple[str, int]:
    """The commit that is to be tested, and the pull request that it is from."""
    repository = event["repository"]["full_name"]
    issue, comment = event["issue"], event["comment"]
    line = comment["body"].strip().splitlines()[0] if comment["body"].strip() else ""
    if "pull_request" not in issue or not line.startswith("/copr-sanity"):
        raise Ignored("no request")
    login = comment["user"]["login"]
    if not may_write(ask, repository, login):
        raise Ignored(f"{login} may not write to {repository}: a maintainer can comment")
    command = COMMAND.fullmatch(line)
    if command is None:
        raise Refused(f"'{line}' can't be understood: write /copr-sanity, or /copr-sanity COMMIT")
    pull = ask(f"/repos/{repository}/pulls/{issue['number']}")
    if pull is None or pull["state"] != "open":
        raise Refused("the pull request isn't open")
    head, wanted = pull["head"]["sha"], (command[1] or "").lower()
    if not COMMIT.fullmatch(head):
        raise Refused(f"the head is '{head}', which is no commit")
    if len(wanted) < len(head) and not is_trusted(ask, repository, pull):
        raise Refused(f"the author may not write to {repository}: look at the head, then write /copr-sanity {head}")
    if not head.startswith(wanted):
        raise Refused(f"{wanted} isn't the head of the pull request (any more): that is {head}")
    return head, issue["number"]


def asker(url: str, token: str) -> Ask:
    """One that asks GitHub."""

    def ask(path: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        request = urllib.request.Request(url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise Refused(f"GitHub answers {error.code} to {path}") from error
        except OSError as error:
            raise Refused(f"GitHub doesn't answer to {path}: {error}") from error

    return ask


def one_line(text: str) -> str:
    """Without what could end a workflow command and begin another."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def main() -> int:
    """As the step of a workflow."""
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    try:
        commit, number = subject(event, asker(os.environ["GITHUB_API_URL"], os.environ["GITHUB_TOKEN"]))
    except Ignored as ignored:
        print(f"::notice::{one_line(str(ignored))}")
        return 0
    except Refused as refused:
        print(f"::error::{one_line(str(refused))}")
        return 1
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as output:
        output.write(f"commit={commit}\npull_request={number}\n")
    print(f"{commit} of pull request {number}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
