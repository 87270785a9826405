"""Run the commands of pools.yaml."""

import base64
import os
import subprocess
from pathlib import Path
from sqlite3 import Row

# What cmd_new prints is kept up to this size, in whole lines.
OUTPUT_LIMIT = 512


def environment(resource: Row) -> dict[str, str]:
    """The server's own environment and what the hook must know."""
    env = dict(os.environ)
    env["RESALLOC_ID"] = str(resource["id"])
    env["RESALLOC_NAME"] = str(resource["name"])
    env["RESALLOC_POOL_ID"] = str(resource["pool"])
    env["RESALLOC_ID_IN_POOL"] = str(resource["id_in_pool"])
    if resource["data"] is not None:
        env["RESALLOC_RESOURCE_DATA"] = base64.b64encode(resource["data"]).decode()
    return env


def _log_file(logdir: str, resource: Row, kind: str) -> Path:
    folder = Path(logdir) / "hooks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{resource['id']:06d}_{kind}"


def run(command: str, resource: Row, kind: str, logdir: str) -> int:
    """Run a hook whose output only matters to people; gives its exit status."""
    with _log_file(logdir, resource, kind).open("ab") as log:
        return subprocess.run(command, shell=True, env=environment(resource), check=False,
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode


def run_new(command: str, resource: Row, logdir: str) -> tuple[int, bytes]:
    """Run cmd_new; gives its exit status and the output that the ticket gets."""
    kept = b""
    full = False
    with (_log_file(logdir, resource, "alloc").open("ab") as log,
          subprocess.Popen(command, shell=True, env=environment(resource),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=log) as process):
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            log.flush()
            if full:
                continue
            if len(kept) + len(line) > OUTPUT_LIMIT:
                full = True
                kept += (b"" if kept else line[:OUTPUT_LIMIT]) + b"<< trimmed >>\n"
            else:
                kept += line
    return process.returncode, kept
