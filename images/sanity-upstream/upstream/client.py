"""Makes the user whom the scripts expect: a configuration of copr-cli, and one of dnf's copr plugin."""

import urllib.parse

from suite.client import configure
from suite.log import say

from .settings import Settings

_INSTANCE = "[{name}]\nhostname = {host}\nprotocol = {scheme}\nport = {port}\n"
_PORTS = {"http": 80, "https": 443}


def prepare(settings: Settings) -> None:
    """Writes both; without the first no script can work."""
    configure(settings.client_config, settings.home)
    try:
        (settings.dnf_copr / "tested-copr.conf").write_text(dnf_copr(settings.frontend), encoding="utf-8")
    except OSError as error:
        # Few scripts use it, and they say what they miss.
        say(f"dnf copr isn't configured: {error}")


def dnf_copr(frontend: str) -> str:
    """The instance under the two names that it's asked for: the suite's own, and its host's, which behave uses."""
    url = urllib.parse.urlsplit(frontend)
    host = url.hostname or ""
    port = url.port or _PORTS.get(url.scheme, 80)
    return "\n".join(_INSTANCE.format(name=name, host=host, scheme=url.scheme, port=port) for name in ("tested-copr", host))
