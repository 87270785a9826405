"""Runs the smoke suite's rpmkeys and dnf on a package of each kind, and prints what they said. Arguments: the folder that is
served, and its URL."""

import sys
import tempfile
from pathlib import Path

from smoke import cli, dnf, packages
from suite.errors import TestFailed

served, url = Path(sys.argv[1]), sys.argv[2]
run = cli.run_program
heard: list[tuple[str, str]] = []


def listen(args: list[str], *rest: object, **named: object) -> cli.Result:
    """Runs the program and remembers what it says."""
    result = run(args, *rest, **named)
    name = {"-Kv": "rpmkeys -Kv", "-K": "rpmkeys -K", "install": "dnf install"}
    for arg in args:
        if arg in name:
            heard.append((name[arg], result.stdout + result.stderr))
    return result


packages.run_program = dnf.run_program = listen
for kind, folder in (("signed", "signed"), ("unsigned", "plain"), ("foreign", "foreign"), ("tampered", "tampered"), ("changed", "changed")):
    heard.clear()
    work = Path(tempfile.mkdtemp())
    try:
        packages.Keyring(work / "keyring", served / "one.key").check(served / folder / "good-1-1.noarch.rpm")
    except TestFailed:
        pass  # what was said counts
    dnf.Dnf(work / "dnf", kind, f"{url}{folder}/", f"{url}one.key").install("good")
    for command, said in heard:
        lines = [line.rstrip() for line in said.splitlines() if line.strip()]
        text = "\n".join(lines).replace(str(work), "/tmp").replace(f"{served}/{folder}/", "/tmp/")
        print(f"=== {kind}: {command}\n{text}", file=sys.stderr)
