"""Running other programs, on the record."""

import shlex
import signal
import subprocess
import threading

from .errors import BuildError
from .log import log

# What a build that is over its time gets, ten seconds apart.
TIMEOUT_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
GRACE_SECONDS = 10


def run(argv: list[str], cwd: str | None = None) -> str:
    """Run to the end and return what it wrote to stdout; its failure is the build's."""
    log.info("Running: %s", shlex.join(argv))
    try:
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(
            f"Command '{argv[0]}' can not be executed.  Either the command itself isn't installed, or it's interpreter "
            f"(shebang) is missing on the system: {error.strerror}"
        ) from error
    log.debug("cwd: %s\nrc: %s\nstdout: %s\nstderr: %s", cwd, done.returncode, done.stdout.strip(), done.stderr.strip())
    if done.returncode != 0:
        raise BuildError(done.stderr.strip() or f"{argv[0]} ended with {done.returncode}")
    return done.stdout


def run_live(argv: list[str], timeout: int) -> int:
    """Run with its output going straight to the live log; stop it when its time is up."""
    log.info("Running (timeout=%s): %s", timeout, shlex.join(argv))
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process:

        def stop(number: signal.Signals) -> None:
            log.error(" !! Copr timeout => sending %s", number.name.removeprefix("SIG"))
            process.send_signal(number)

        timers = [threading.Timer(timeout + i * GRACE_SECONDS, stop, [s]) for i, s in enumerate(TIMEOUT_SIGNALS)]
        for timer in timers:
            timer.start()
        try:
            return process.wait()
        finally:
            for timer in timers:
                timer.cancel()
