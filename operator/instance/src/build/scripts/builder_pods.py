"""The few calls of the Kubernetes API that resalloc's hooks make, with the pod's own service account."""

import datetime
import hashlib
import http.client
import json
import os
import pathlib
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request

# The build dispatcher that a builder was made for.
MADE_FOR = "copr.fedorainfracloud.org/made-for"
# What its manifest was, as a digest.
MADE_FROM = "copr.fedorainfracloud.org/made-from"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# An API server is away while it's updated. resalloc runs no hook again, so giving up early leaves a pod behind.
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 1


class Refused(SystemExit):
    """The API server won't have the pod: a policy, a quota, an admission webhook."""


class Away(Exception):
    """The API server can't answer now."""


def call(method, resource, name="", body=None, patience=PATIENCE_SECONDS):
    """Calls the API of the instance's namespace. Returns None where there is no such object.

    An API server that can't be reached, or that asks to come back, is tried again for `patience` seconds. What exists
    already was made by the try before, whose answer was lost: names are unique.
    """
    deadline = time.monotonic() + patience
    tries = 0
    while True:
        tries += 1
        try:
            return attempt(method, resource, name, body, tries)
        except Away as away:
            if time.monotonic() > deadline:
                sys.exit(f"{method} {resource} {name}: {away}")
            time.sleep(PAUSE_SECONDS)


def attempt(method, resource, name, body, tries):
    """One call."""
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    host = f"[{host}]" if ":" in host else host
    port = os.environ["KUBERNETES_SERVICE_PORT"]
    namespace = os.environ["POD_NAMESPACE"]
    with open(f"{ACCOUNT}/token", encoding="ascii") as token:
        headers = {"Authorization": f"Bearer {token.read()}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"https://{host}:{port}/api/v1/namespaces/{namespace}/{resource}/{name}",
        method=method,
        headers=headers,
        data=json.dumps(body).encode() if body is not None else None,
    )
    context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404 and method in ("GET", "DELETE"):
            return None
        if error.code == 409 and method == "POST" and tries > 1:
            return body
        # One that has just started refuses what it allows a moment later. A pod is refused for good (a quota, a policy).
        refused = error.code in (401, 403) and method != "POST"
        if refused or error.code == 429 or error.code >= 500:
            raise Away(f"the API server answered {error.code}") from error
        try:
            message = json.load(error)["message"]
        except (ValueError, KeyError):
            message = str(error)
        if method == "POST" and resource == "pods":
            raise Refused(f"the API server refused the builder ({error.code}): {message}") from error
        sys.exit(f"{method} {resource} {name}: the API server answered {error.code}: {message}")
    except (OSError, http.client.HTTPException) as error:
        raise Away(f"the API server can't be reached: {error}") from error


def warn(reason, action, message, builder=None):
    """Writes a Warning about this resalloc pod, which is where the operator looks. The action is a word for it."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    pod, namespace = os.environ["POD_NAME"], os.environ["POD_NAMESPACE"]
    reference = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace}
    event = {
        "metadata": {"generateName": f"{pod}-"},
        "involvedObject": {**reference, "name": pod, "uid": os.environ["POD_UID"]},
        "type": "Warning",
        "reason": reason,
        "action": action,
        "message": message[:1000],
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "source": {"component": "copr-resalloc"},
    }
    if builder:
        event["related"] = {**reference, "name": builder}
    call("POST", "events", body=event)


def backend(patience=PATIENCE_SECONDS):
    """Which build dispatcher there is: the workers of one that is gone are gone, and their tickets nobody's."""
    pod = call("GET", "pods", os.environ["BACKEND_POD"], patience=patience)
    if pod is None:
        return "none"
    for container in pod.get("status", {}).get("containerStatuses", []):
        if container["name"] == "build" and "running" in container.get("state", {}):
            return container["containerID"]
    return "none"


def template(arch, patience=PATIENCE_SECONDS):
    """The operator's manifest of a builder as it is now, and its digest.

    From the API server: a ConfigMap that is mounted is brought up to date a minute later, and a test of the present spec must not
    run on the builders of the one before.
    """
    hooks = call("GET", "configmaps", f"{os.environ['COPR_INSTANCE']}-resalloc-hooks", patience=patience)
    if hooks is None:
        sys.exit("the ConfigMap with the manifest of builders is gone")
    text = hooks["data"][f"builder-{arch}.json"]
    return json.loads(text), hashlib.sha256(text.encode()).hexdigest()[:16]


def pod_name():
    """The name of this resource's builder pod. Resalloc counts from 1 in every pod of its own, hence the uid."""
    return f"{os.environ['COPR_INSTANCE']}-builder-{os.environ['POD_UID'][:6]}-{os.environ['RESALLOC_ID']}"


def taken_mark(name):
    """The file that says that a build has the pod. Names are used once."""
    return pathlib.Path(tempfile.gettempdir()) / f"taken-{name}"


def delete_mark(name):
    """The file that says that resalloc itself deletes the pod. Names are used once."""
    return pathlib.Path(tempfile.gettempdir()) / f"deleted-{name}"
