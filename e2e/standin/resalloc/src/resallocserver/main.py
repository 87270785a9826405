"""The server: XML-RPC in front, the manager's rounds behind."""

import logging
import signal
import socketserver
import sys
import threading
import xmlrpc.server
from pathlib import Path

from resallocserver.api import Api
from resallocserver.config import ConfigError, ServerConfig, load_pools, load_server_config
from resallocserver.lifecycle import Lifecycle
from resallocserver.removal import request_removals
from resallocserver.scheduling import assign_tickets, decide_starts
from resallocserver.store import Store

log = logging.getLogger("resallocserver")


class RpcServer(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer):
    """One thread for each request, as waitTicket blocks."""

    daemon_threads = True
    request_queue_size = 128


def set_up_logging(config: ServerConfig) -> None:
    """To logdir/main.log and to stderr."""
    folder = Path(config.logdir)
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=config.loglevel.upper(),
        format="%(levelname)5s %(asctime)s PID:%(process)d(%(threadName)s) %(message)s",
        handlers=[logging.FileHandler(folder / "main.log"), logging.StreamHandler()])


def manager_round(database: Store, lifecycle: Lifecycle, assigned: threading.Condition) -> None:
    """Bring resources and tickets one step nearer to what pools.yaml says."""
    pools = load_pools()
    for pool in pools.values():
        lifecycle.release_closed(pool)
        request_removals(database, pool)
        lifecycle.delete_requested(pool)
    for pool in decide_starts(database, pools):
        lifecycle.start(pool)
    if assign_tickets(database, pools):
        with assigned:
            assigned.notify_all()


def watch(lifecycle: Lifecycle, config: ServerConfig) -> None:
    """Run the checks of the resources that are up, for ever."""
    pause = threading.Event()
    while not pause.wait(config.sleeptime / 2):
        try:
            lifecycle.livecheck(load_pools())
        except Exception:  # pylint: disable=broad-except
            # Nobody restarts this thread, and a bad pools.yaml can be mended.
            log.exception("the checks failed")


def stop(_signal: int, _frame: object) -> None:
    """End at once: the state is in the database."""
    raise SystemExit(0)


def serve(config: ServerConfig) -> None:
    """Run the server until it is told to stop."""
    database = Store(config.database)
    for name in database.recover():
        log.warning("%s: its hook was running when the server ended, to be deleted", name)
    work = threading.Event()
    assigned = threading.Condition()
    lifecycle = Lifecycle(database, config.logdir, work.set)
    # A mistake in the configuration must be known before a port is open.
    load_pools()
    with RpcServer((config.hostname, config.port), allow_none=True, logRequests=False) as server:
        server.register_introspection_functions()
        server.register_instance(Api(database, work.set, assigned))
        threading.Thread(target=server.serve_forever, name="Rpc", daemon=True).start()
        threading.Thread(target=watch, args=(lifecycle, config), name="Watcher",
                         daemon=True).start()
        log.info("listening on %s:%d", config.hostname, config.port)
        while True:
            work.clear()
            manager_round(database, lifecycle, assigned)
            work.wait(timeout=config.sleeptime)


def main() -> None:
    """Entry point of resalloc-server."""
    # Without a handler, process 1 of a container would ignore the signal.
    signal.signal(signal.SIGTERM, stop)
    try:
        config = load_server_config()
        set_up_logging(config)
        serve(config)
    except (ConfigError, OSError) as error:
        sys.exit(f"resalloc-server: {error}")
    except KeyboardInterrupt:
        log.info("stopped from the keyboard")
