"""Who has the token may change things, who hasn't may not."""

import configparser
import json
from pathlib import Path

from suite.errors import TestFailed
from suite.frontend import fetch
from suite.log import hide, say
from suite.wait import ServerError

from ..context import Context


def run(test: Context) -> None:
    """A good token is accepted by the server, a bad one and none are refused."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(test.settings.client_config)
    client = config["copr-cli"]
    login, token = client["login"], client["token"]
    # Of the same length and alphabet, so that nothing but its value is wrong.
    bad = token[:-1] + ("a" if token[-1] != "a" else "b")
    hide(bad)

    test.step("ask the server who we are, with the good token")
    who = json.loads(_auth_check(test, (login, token), 200))
    if who.get("name") != client["username"]:
        raise TestFailed(f"auth-check says {who.get('name')!r}, not {client['username']!r}", "frontend")
    test.step("the same with a bad token, and with none")
    _auth_check(test, (login, bad), 401)
    _auth_check(test, None, 401)

    project = test.project_name()
    test.step("create a project with the bad token")
    client["token"] = bad
    bad_config = test.work / "bad-config"
    with bad_config.open("w", encoding="utf-8") as file:
        config.write(file)
    # It must not come to be; if it does, it has to go again.
    test.delete_later(project)
    _refused(test, project, bad_config)
    test.deleted(project)

    test.step("create and list it with the good token")
    test.create_project()
    if project not in test.cli("list", test.settings.owner):
        raise TestFailed(f"copr-cli list doesn't show {project}", "frontend")


def _auth_check(test: Context, login: tuple[str, str] | None, wanted: int) -> bytes:
    status, body = fetch(f"{test.settings.frontend}/api_3/auth-check", login)
    say(f"GET /api_3/auth-check: {status}")
    if status >= 500:
        raise ServerError(f"HTTP {status} from /api_3/auth-check", "frontend")
    if status != wanted:
        raise TestFailed(f"HTTP {status} from /api_3/auth-check, not {wanted}", "frontend")
    return body


def _refused(test: Context, project: str, config: Path) -> None:
    result = test.cli.run("create", "--chroot", test.chroot, test.full_name(project), config=config)
    if result.code == 0:
        raise TestFailed("a project could be created with a bad token", "frontend")
    if test.api.project_exists(test.settings.owner, project):
        raise TestFailed("a project came to be with a bad token, though copr-cli was refused", "frontend")
