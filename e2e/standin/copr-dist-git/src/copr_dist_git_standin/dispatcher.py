"""copr-run-dispatcher-dist-git: asks the frontend for imports and starts a worker for each."""

import collections
import logging
import os
from typing import Any

import requests
from copr_common.dispatcher import Dispatcher
from copr_common.worker_manager import HashWorkerLimit, WorkerManager

from .config import Options
from .task import ImportTask

LOG_FORMAT = "[%(asctime)s][%(levelname)s][%(name)s][%(module)s:%(lineno)d][pid:%(process)d] %(message)s"
REQUEST_SECONDS = 60
# How many imports may run at once for one of these.
LIMITS = {"sandbox": 3, "owner": 5}


def setup_logging(options: Options) -> None:
    """Log to main.log, in a folder that must be there, and nowhere else, as the real importer does."""
    path = os.path.join(options.log_dir, "main.log")
    logging.basicConfig(level=logging.DEBUG, format=LOG_FORMAT, filename=path, force=True)
    logging.getLogger("urllib3").setLevel(logging.WARNING)


class ImportWorkerManager(WorkerManager):
    """Runs every import as a daemon that reports by way of Redis."""

    worker_prefix = "import_worker"

    def start_task(self, worker_id: str, task: ImportTask) -> None:
        """Start the worker; it tells Redis when it has begun."""
        command = ["copr-distgit-process-import", "--daemon", "--build-id", str(task.build_id), "--worker-id", worker_id]
        self.log.info("running worker: %s", " ".join(command))
        self.start_daemon_on_background(command)

    def finish_task(self, worker_id: str, task_info: dict[str, Any]) -> bool:
        """The worker itself has told the frontend."""
        return True


class ImportDispatcher(Dispatcher):
    """copr-common's dispatcher for imports."""

    task_type = "import"
    worker_manager_class = ImportWorkerManager

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        setup_logging(options)
        self.log = logging.getLogger("import-dispatcher")
        self.sleeptime = options.sleep_time
        self.max_workers = options.max_workers
        os.makedirs(options.per_task_log_dir, exist_ok=True)
        for attribute, limit in LIMITS.items():
            self.limits.append(HashWorkerLimit(lambda task, name=attribute: getattr(task, name), limit, name=attribute))

    def get_frontend_tasks(self) -> list[ImportTask]:
        """What waits for an import. A frontend that doesn't answer is asked again the next time."""
        url = f"{self.opts.frontend_base_url}/backend/importing/"
        try:
            response = requests.get(url, timeout=REQUEST_SECONDS)
            response.raise_for_status()
            tasks = [ImportTask.from_dict(record) for record in response.json()]
        except (requests.RequestException, ValueError, KeyError) as error:
            self.log.error("Failed to get imports from %s: %r", url, error)
            return []
        seen: collections.Counter[str] = collections.Counter()
        for task in tasks:
            seen[task.sandbox] += 1
            task.dispatcher_priority = seen[task.sandbox]
        return tasks
