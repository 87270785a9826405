"""The request's repositories, for dnf on this machine: a web server of the pod's own between dnf and them.

What dnf reads of a repository's settings it expands and splits ($releasever, commas), differently from version to version, and
a mirror that is away for half a minute ends it. So it gets plain URLs of this server, which logs in, knows the
repository's certificate authority, and tries again as long as a mirror says that it is the mirror's own fault. Neither
credentials nor authorities are where a package's scripts can read them.
"""

import base64
import email.utils
import http.client
import http.server
import os
import random
import ssl
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from . import log
from .failures import Unavailable
from .request import Repository
from .waiting import Waiting

ADDRESS = "127.0.0.1"
# Always the same one: dnf's kept downloads are found again by it.
PORT = 8641

# How long one file is tried for, in seconds.
LIMIT = 300.0
LONGEST_PAUSE = 30.0
TIMEOUT = 30.0
# dnf waits longer than that for the first byte.
PATIENCE = 900

PASSING = {408, 425, 429, 500, 502, 503, 504}
_TO_MIRROR = ("Range", "If-Range", "If-Modified-Since", "If-None-Match", "User-Agent", "Cache-Control")
_TO_DNF = ("Content-Type", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
_CHUNK = 1 << 20
_REPOMD = {"repo": "http://linux.duke.edu/metadata/repo"}
_REPOMD_MAX = 1 << 20


class Origin:
    """A repository as it is reached."""

    def __init__(self, repository: Repository, credentials: Path, authorities: Path) -> None:
        self.repository = repository
        self.base = repository.base_url.rstrip("/")
        self.login: str | None = None
        if repository.credentials:
            user, password = (_line(credentials / repository.name / key) for key in ("username", "password"))
            self.login = base64.b64encode(f"{user}:{password}".encode()).decode()
            for secret in (password, quote(password, safe=""), self.login):
                log.hide(secret)
        context = ssl.create_default_context()
        # Authorities that a company made itself often lack the extensions that Python, unlike dnf, insists on.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if repository.authority:
            try:
                context.load_verify_locations(cafile=authorities / repository.name / "ca.crt")
            except (OSError, ssl.SSLError) as error:
                raise Unavailable(f"the certificate authority of the repository {repository.name} can't be used: {error}") from error
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        # Why it was given up.
        self.gone: str | None = None
        # What it has now instead of the metadata that the image's inputs were made from.
        self.changed: str | None = None

    def url(self, path: str) -> str:
        """Where a file of it is, or its key."""
        return self.repository.gpg_key or "" if path == KEY else f"{self.base}/{path}"

    def request(self, path: str, method: str, headers: dict[str, str]) -> urllib.request.Request:
        """Not followed to where it is redirected: the password."""
        request = urllib.request.Request(self.url(path), method=method, headers=headers)
        if self.login and path != KEY:
            request.add_unredirected_header("Authorization", f"Basic {self.login}")
        return request

    def look(self, path: str, content: IO[bytes]) -> None:
        """Whether the metadata is still what the inputs were made from, where that is known."""
        if path != "repodata/repomd.xml" or not self.repository.primary:
            return
        try:
            found = ElementTree.fromstring(content.read(_REPOMD_MAX)).find("repo:data[@type='primary']/repo:checksum", _REPOMD)
        except ElementTree.ParseError:
            # dnf has its own words for that.
            return
        finally:
            content.seek(0)
        kind = {"sha": "sha1"}.get(found.get("type", ""), found.get("type")) if found is not None else None
        said = f"{kind}:{(found.text or '').strip().lower()}" if found is not None else "none"
        if said != self.repository.primary:
            self.changed = said


# What the key of a repository is called here.
KEY = "@key"


def local(name: str, path: str = "", port: int = PORT) -> str:
    """The URL of something of a repository at this server."""
    return f"http://{ADDRESS}:{port}/{name}/{path}"


class Mirror(http.server.ThreadingHTTPServer):
    """The server, while the context lasts."""

    daemon_threads = True

    def __init__(self, origins: list[Origin], spool: Path, port: int = PORT, limit: float = LIMIT,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.origins = {origin.repository.name: origin for origin in origins}
        self.spool = spool
        self.limit = limit
        self.sleep = sleep
        for name, origin in self.origins.items():
            log.rename(local(name, KEY, self.server_port), origin.url(KEY))
            log.rename(local(name, "", self.server_port), f"{origin.base}/")
            log.rename(local(name, "", self.server_port).rstrip("/"), origin.base)

    def __enter__(self) -> "Mirror":
        # buildah hands the pod's proxy variables on to dnf.
        for name in ("no_proxy", "NO_PROXY"):
            os.environ[name] = ",".join(filter(None, (os.environ.get(name), ADDRESS)))
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def gone(self) -> list[str]:
        """What was given up, and why."""
        return [origin.gone for origin in self.origins.values() if origin.gone]

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """One file after the other."""

    protocol_version = "HTTP/1.1"
    server: Mirror

    def do_GET(self) -> None:  # noqa: N802
        """A file."""
        name, _, path = self.path.removeprefix("/").partition("/")
        origin = self.server.origins.get(unquote(name))
        if origin is None or path == KEY and not origin.repository.gpg_key:
            self._answer(404, {}, None)
            return
        headers = {name: self.headers[name] for name in _TO_MIRROR if name in self.headers}
        with tempfile.TemporaryFile(dir=self.server.spool) as content:
            status, sent = fetch(origin, path, self.command, headers, content, self.server.limit, self.server.sleep)
            content.seek(0)
            if status == 200 and self.command == "GET":
                origin.look(path, content)
            self._answer(status, sent, content)

    do_HEAD = do_GET

    def _answer(self, status: int, headers: dict[str, str], content: IO[bytes] | None) -> None:
        length = content.seek(0, 2) if content else 0
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", headers.get("X-Length", str(length)) if self.command == "HEAD" else str(length))
        self.end_headers()
        if content and self.command != "HEAD":
            content.seek(0)
            while chunk := content.read(_CHUNK):
                self.wfile.write(chunk)

    def log_message(self, *_: object) -> None:
        """dnf tells what it reads."""


def fetch(origin: Origin, path: str, method: str, headers: dict[str, str], content: IO[bytes], limit: float,
          sleep: Callable[[float], None]) -> tuple[int, dict[str, str]]:
    """Reads a file as a whole, trying again as long as that may help. Returns the status and the headers for dnf."""
    url = origin.url(path)
    # The next file of a repository that was given up isn't waited for.
    deadline = time.monotonic() + (0 if origin.gone else limit)
    pause = 1.0
    with Waiting() as waiting:
        while True:
            content.seek(0)
            content.truncate()
            wait = None
            try:
                with origin.opener.open(origin.request(path, method, headers), timeout=TIMEOUT) as answer:
                    length = answer.headers.get("Content-Length")
                    if method != "HEAD":
                        _copy(answer, content, length)
                    sent = {name: answer.headers[name] for name in _TO_DNF if name in answer.headers}
                    origin.gone = None
                    return answer.status, sent | ({"X-Length": length} if length and method == "HEAD" else {})
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in PASSING:
                    return error.code, {}
                why, wait = f"{url} answered {error.code} {error.reason}", retry_after(error.headers.get("Retry-After"))
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                why = f"{url}: {reason}"
                if isinstance(reason, ssl.SSLCertVerificationError):
                    deadline = 0
            wait = pause * random.uniform(0.75, 1.25) if wait is None else wait
            if time.monotonic() + wait > deadline:
                origin.gone = f"repository {origin.repository.name}: {why}"
                log.say(f"given up: {origin.gone}")
                return 504, {}
            log.say(f"{why}; again in {wait:.0f} s")
            waiting.says(why)
            sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)


def _copy(answer: IO[bytes], content: IO[bytes], length: str | None) -> None:
    copied = 0
    while chunk := answer.read(_CHUNK):
        content.write(chunk)
        copied += len(chunk)
    # http.client says nothing of an answer that was cut off, if it's read piece by piece.
    if length and copied != int(length):
        raise http.client.HTTPException(f"cut off after {copied} of {length} bytes")


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which may be a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _line(file: Path) -> str:
    try:
        value = file.read_text().strip("\r\n")
    except OSError as error:
        raise Unavailable(f"the credentials of a repository can't be read: {error}") from error
    if "\n" in value or "\r" in value:
        raise Unavailable(f"{file}: more than one line")
    return value
