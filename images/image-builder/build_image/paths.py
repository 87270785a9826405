"""Where the operator mounts what, and where the work is done."""

from pathlib import Path

CONTRACT = Path("/etc/copr-operator")
REQUEST = CONTRACT / "build/request.json"
CONTEXT = CONTRACT / "context"
CREDENTIALS = CONTRACT / "credentials"
AUTHORITIES = CONTRACT / "authorities"
REGISTRY_CREDENTIALS = CONTRACT / "push/.dockerconfigjson"
REGISTRY_CA = CONTRACT / "ca/ca.crt"
SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
TERMINATION_LOG = Path("/dev/termination-log")

# A volume, because overlay can't be stacked on a container's own root.
CONTAINERS = Path("/var/lib/containers")
CACHE = Path("/cache")
# Gone with the container; holds credentials.
WORK = Path("/run/build-image")
# Read by the pod's readiness probe.
WAITS = WORK / "waits"
# Settings of buildah and skopeo.
SETTINGS = Path("/etc/containers")
