"""copr-distgit-process-import: one import, from the frontend's record to the answer to the frontend."""

import getpass
import json
import logging
import os
import tempfile
from typing import Any

import requests
from copr_common.background_worker import BackgroundWorker
from copr_common.lock import Lock
from copr_common.redis_helpers import get_redis_connection
from copr_common.request import RequestError, SafeRequest

from . import config
from .dispatcher import REQUEST_SECONDS, setup_logging
from .repository import ImportFailed, import_srpm
from .task import ImportTask

DOWNLOAD_SECONDS = 120


class ImportWorker(BackgroundWorker):
    """The background process; copr-common's base class tells Redis that it lives."""

    redis_logger_id = "import"

    def __init__(self) -> None:
        super().__init__()
        self.opts = config.read(self.args.backend_config or config.PATH)

    @classmethod
    def adjust_arg_parser(cls, parser: Any) -> None:
        """The one option besides copr-common's."""
        parser.add_argument("--build-id", type=int, required=True, help="build ID to process")

    def handle_task(self) -> None:
        """Called in the background process."""
        # The volume is the group's: the next pod may run as another user of it.
        os.umask(0o002)
        setup_logging(self.opts)
        handler = logging.FileHandler(os.path.join(self.opts.per_task_log_dir, f"{self.args.build_id}.log"))
        handler.setFormatter(logging.Formatter("[%(asctime)s][%(levelname)s] %(message)s"))
        self.log.addHandler(handler)
        try:
            self._handle()
        finally:
            self.redis_set_worker_flag("status", "done")

    def _handle(self) -> None:
        url = f"{self.opts.frontend_base_url}/backend/get-import-task/{self.args.build_id}"
        record = SafeRequest(log=self.log).get(url).json()
        if not record:
            self.log.error("No such build: %s", self.args.build_id)
            return
        task = ImportTask.from_dict(record)
        answer: dict[str, Any] = {"build_id": task.build_id}
        try:
            answer |= {"branch_commits": self._import(task), "reponame": task.module}
        except (ImportFailed, RequestError, OSError):
            # Without commits the frontend takes the import for failed; the reason is in this log.
            self.log.exception("Import of %s failed", task.module)
        self._answer(answer)

    def _import(self, task: ImportTask) -> dict[str, str]:
        with tempfile.TemporaryDirectory() as folder:
            srpm = os.path.join(folder, os.path.basename(task.srpm_url))
            # pyrpkg, by which the real importer uploads, asks for its user at this point: in a daemon, which has closed
            # what it didn't open itself, such as the file that nss_wrapper reads.
            self.log.info("Importing as %s", getpass.getuser())
            self.log.info("Downloading %s", task.srpm_url)
            response = SafeRequest(log=self.log, timeout=DOWNLOAD_SECONDS).get(task.srpm_url, stream=True)
            with open(srpm, "wb") as file:
                for chunk in response.iter_content(64 * 1024):
                    file.write(chunk)
            lock = Lock(get_redis_connection(self.opts), self.log)
            with lock.lock(os.path.join(self.opts.lookaside_location, task.module)):
                return import_srpm(self.opts, task, srpm)

    def _answer(self, answer: dict[str, Any]) -> None:
        url = f"{self.opts.frontend_base_url}/backend/import-completed/"
        self.log.info("Sending back: %s", json.dumps(answer))
        auth = ("user", self.opts.frontend_auth)
        response = requests.post(url, auth=auth, json=answer, timeout=REQUEST_SECONDS)
        response.raise_for_status()
