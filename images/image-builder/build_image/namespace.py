"""The user namespace that makes root of the pod nobody outside of it."""

import re
from pathlib import Path

from .failures import Unavailable

# A capability that privileged containers have, and that no other build is given: NET_ADMIN.
_PRIVILEGED = 1 << 12


def is_own(uid_map: str | None = None) -> bool:
    """Whether this is a namespace of the pod's own, and not that of the node."""
    text = Path("/proc/self/uid_map").read_text() if uid_map is None else uid_map
    return text.split() != ["0", "0", "4294967295"]


def check(uid_map: str | None = None, status: str | None = None) -> None:
    """Packages' scripts run as root: not as the node's, unless somebody has asked for a privileged pod."""
    text = Path("/proc/self/status").read_text() if status is None else status
    capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)$", text, re.MULTILINE)
    if not is_own(uid_map) and not (capabilities and int(capabilities[1], 16) & _PRIVILEGED):
        raise Unavailable("root of this pod is root of its node: the node's container runtime ignores hostUsers: false")
