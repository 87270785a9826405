"""How buildah and skopeo reach the registry: settings in files, which environment variables name."""

import base64
import json
import os
import shutil
from pathlib import Path

from . import log, paths
from .request import Image


class Registry:
    """The registry that the image goes to. Others are reached anonymously, or by the same credentials file."""

    def __init__(self, image: Image, insecure: bool, token_auth: bool, work: Path = paths.WORK) -> None:
        self._host = image.host
        self._insecure = insecure
        self._token_auth = token_auth
        self._auth_file = work / "auth.json"

    def set_up(self, ca: Path = paths.REGISTRY_CA, containers: Path = paths.SETTINGS) -> None:
        """Writes the settings where the programs look, or lets them know where to."""
        os.environ["REGISTRY_AUTH_FILE"] = str(self._auth_file)
        if self._insecure:
            folder = containers / "registries.conf.d"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "copr-operator.conf").write_text(insecure_settings(self._host))
        if ca.exists():
            folder = containers / "certs.d" / self._host
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(ca, folder / "ca.crt")
        self.log_in()

    def log_in(self, given: Path = paths.REGISTRY_CREDENTIALS, token: Path = paths.SERVICE_ACCOUNT_TOKEN) -> None:
        """Writes the credentials as they are now: a token is replaced before it expires."""
        credentials = normal(json.loads(given.read_text())) if given.exists() else {}
        if self._token_auth:
            secret = token.read_text().strip()
            log.hide(secret)
            credentials = with_password(credentials, self._host, "serviceaccount", secret)
        self._auth_file.touch(mode=0o600)
        self._auth_file.write_text(json.dumps(credentials))


def insecure_settings(host: str) -> str:
    """Settings by which this registry alone may be reached without TLS, or with a certificate that nobody knows."""
    return f"[[registry]]\nlocation = {json.dumps(host)}\ninsecure = true\n"


def normal(credentials: dict) -> dict:
    """The credentials file as buildah and skopeo read it: a host as `HOST`, and user and password in `auth` alone.

    The kubelet and the operator also understand `HOST/`, `HOST/v1/` and `HOST/v2/`, and a user and a password of their own.
    """
    auths = {}
    for key, entry in credentials.get("auths", {}).items():
        if "://" not in key:
            host, _, path = key.partition("/")
            key = host if path.strip("/") in ("", "v1", "v2") else key.rstrip("/")
        if isinstance(entry, dict) and not entry.get("auth") and entry.get("username"):
            entry = {**entry, "auth": encoded(entry["username"], entry.get("password", ""))}
        auths.setdefault(key, entry)
    return {**credentials, "auths": auths} if auths else credentials


def encoded(user: str, password: str) -> str:
    """User and password as `auth`."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def with_password(credentials: dict, host: str, user: str, password: str) -> dict:
    """The credentials file with a user for that registry."""
    return {**credentials, "auths": {**credentials.get("auths", {}), host: {"auth": encoded(user, password)}}}
