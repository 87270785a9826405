"""The build task: what the frontend says is to be built, and the RPM macros that follow from it."""

import json
import re
from typing import Any

from copr_common.enums import BuildSourceEnum
from copr_common.request import RequestError, SafeRequest

from .config import Config
from .errors import BuildError
from .log import log

Task = dict[str, Any]


def fetch(url: str) -> Any:
    """The JSON behind a URL of the frontend."""
    try:
        response = SafeRequest(log=log).get(url)
        return response.json()
    except RequestError as error:
        raise BuildError(f"Network error: {error}") from error
    except ValueError as error:
        raise BuildError(f"No valid build_config (JSON) at {url}") from error


def read_task(url: str | None, path: str | None) -> Task:
    """The task from the frontend or from a file, with source_json (JSON within JSON) unpacked."""
    task: Task = {"task_id": None, "source_type": None, "source_json": {}}
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError) as error:
            raise BuildError(f"No valid build_config at {path}: {error}") from error
    elif url:
        found = fetch(url)
    else:
        raise BuildError("Neither --task-url, --task-file nor --build-id given")
    if not found:
        raise BuildError(f"No valid build_config at {path or url}")
    task.update(found)
    if task["source_json"]:
        task["source_json"] = json.loads(task["source_json"])
    return task


def macros(task: Task, config: Config) -> dict[str, str]:
    """The macros (with their %) that hold in the buildroot of this task."""
    owner = task["project_owner"]
    kind = "group" if owner.startswith("@") else "user"
    result = {
        "%copr_username": owner,
        "%copr_projectname": task["project_name"],
        "%vendor": f"{config['rpm_vendor_copr_name']} - {kind} {owner}",
    }
    if task["task_id"]:
        result["%buildtag"] = ".copr" + re.sub("-.*", "", str(task["task_id"]))
    if task["source_type"] is not None:
        # A source RPM has no distribution; its sources may be downloaded.
        result["%dist"] = "%nil"
        result["%_disable_source_fetch"] = "0"
    protocols = re.split(r"[\s,]+", config["enabled_source_protocols"].strip())
    if task["source_type"] != BuildSourceEnum.upload and any(protocols):
        allowed = ",".join("+" + protocol for protocol in protocols if protocol)
        result["%__urlhelper_localopts"] = f"--proto -all,{allowed}"
    return result
