"""What the operator tells through the environment. See docs/image-contract.md and docs/suite-contract.md."""

import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from suite.settings import client_config, deadline, number, required

GIT_URL, GIT_REF = "https://github.com/fedora-copr/copr.git", "main"
DIST_GIT_PORT = 5001
PATIENCE = "20"


@dataclass(frozen=True)
class Settings:
    """The Copr to test, and the limits to keep."""

    frontend: str
    backend: str
    owner: str
    deadline: float | None
    """Seconds for the whole test; None leaves it to the test's own default."""
    client_config: Path
    home: Path
    dnf_copr: Path
    """The folder where dnf's copr plugin looks for instances."""
    storage: str
    patience: float
    """Seconds that the frontend may take to answer, before and after a script."""
    given: dict[str, str] = field(default_factory=dict)
    """What of the suite's own variables is set already."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Reads and checks all of it; a TestError names the first variable that is wrong."""
        return cls(
            frontend=required(env, "FRONTEND_URL").rstrip("/"),
            backend=required(env, "BACKEND_URL").rstrip("/"),
            owner=required(env, "COPR_OWNER"),
            deadline=deadline(env),
            client_config=client_config(env),
            home=Path(env.get("HOME") or "/tmp"),
            dnf_copr=Path(env.get("DNF_COPR_FOLDER", "/etc/dnf/plugins/copr.d")),
            storage=env.get("STORAGE") or "backend",
            patience=number("FRONTEND_PATIENCE_SECONDS", env.get("FRONTEND_PATIENCE_SECONDS", PATIENCE)),
            given={name: env[name] for name in ("DISTGIT_URL", "VENDOR", "FRONTEND_PUBLIC_HOST") if env.get(name)},
        )

    def variables(self) -> dict[str, str]:
        """The suite's own, as its `config` and `helpers` read them."""
        return {
            "FRONTEND_URL": self.frontend, "BACKEND_URL": self.backend, "OWNER": self.owner, "STORAGE": self.storage,
            "DNF_COPR_ID": "tested-copr", **self._derived(), **self.given,
        }

    def _derived(self) -> dict[str, str]:
        """What the name of the frontend's Service says of the instance: INST-frontend.NAMESPACE.svc."""
        labels = (urllib.parse.urlsplit(self.frontend).hostname or "").split(".")
        instance = labels[0].removesuffix("-frontend")
        if len(labels) < 2 or instance == labels[0]:
            return {}
        kind = "group" if self.owner.startswith("@") else "user"
        dist_git = ".".join((f"{instance}-dist-git", *labels[1:]))
        return {
            "DISTGIT_URL": f"http://{dist_git}:{DIST_GIT_PORT}",
            # What the builders' main.ini begins, and Copr ends.
            "VENDOR": f"Copr {labels[1]}/{instance} - {kind} {self.owner}",
        }
