"""The ways of a resource: made, released, checked, deleted.

Each hook runs in a thread of its own, outside of any transaction.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from sqlite3 import Row

from resallocserver import hooks, store
from resallocserver.config import PoolConfig
from resallocserver.store import Store

log = logging.getLogger(__name__)


class Lifecycle:
    """Moves single resources from state to state; `wake` starts a manager's round."""

    def __init__(self, database: Store, logdir: str, wake: Callable[[], None]) -> None:
        self._store = database
        self._logdir = logdir
        self._wake = wake

    def _background(self, work: Callable[[PoolConfig, Row], None],
                    pool: PoolConfig, resource: Row) -> None:
        def body() -> None:
            try:
                work(pool, resource)
            except Exception:  # pylint: disable=broad-except
                # The thread ends here, this is the last chance to tell anybody.
                log.exception("%s: %s failed", resource["name"], work.__name__)
            self._wake()

        name = f"{work.__name__.strip('_')}-{resource['id']}"
        # Daemon threads: the server's end doesn't wait for hooks, its next start
        # finds what they left (see Store.recover).
        threading.Thread(target=body, name=name, daemon=True).start()

    def start(self, pool: PoolConfig) -> None:
        """Begin to make one more resource."""
        now = time.time()
        with self._store.transaction() as db:
            used = {row["id_in_pool"] for row in db.execute(
                "SELECT id_in_pool FROM resources WHERE pool = ? AND state != ?",
                (pool.name, store.ENDED))}
            id_in_pool = next(number for number in range(len(used) + 1) if number not in used)
            number = db.execute(
                "INSERT INTO resources (pool, id_in_pool, started_at, checked_at)"
                " VALUES (?, ?, ?, ?)", (pool.name, id_in_pool, now, now)).lastrowid
            name = pool.name_pattern.format(
                pool_name=pool.name, id=f"{number:08d}",
                datetime=datetime.fromtimestamp(now).strftime("%Y%m%d_%H%M%S"))
            resource = db.execute("UPDATE resources SET name = ? WHERE id = ? RETURNING *",
                                  (name, number)).fetchone()
        log.info("%s: starting", name)
        self._background(self._new, pool, resource)

    def _new(self, pool: PoolConfig, resource: Row) -> None:
        status, output = hooks.run_new(pool.cmd_new, resource, self._logdir)
        # As in resalloc, cmd_new that fails must have cleaned up: the delete
        # hook isn't called for it.
        state = store.ENDED if status else store.UP
        with self._store.transaction() as db:
            db.execute("UPDATE resources SET state = ?, data = ?, checked_at = ? WHERE id = ?",
                       (state, output, time.time(), resource["id"]))
            db.executemany("INSERT INTO resource_tags VALUES (?, ?, ?)", [
                (resource["id"], tag, value) for tag, value in pool.all_tags.items()])
        log.log(logging.ERROR if status else logging.INFO, "%s: cmd_new exited %d => %s",
                resource["name"], status, state)

    def delete_requested(self, pool: PoolConfig) -> None:
        """Run the delete hook for each resource whose deletion was asked for."""
        with self._store.transaction() as db:
            doomed = db.execute(
                "UPDATE resources SET state = ? WHERE pool = ? AND state = ?"
                " AND NOT EXISTS (SELECT 1 FROM tickets WHERE tickets.id = resources.ticket_id"
                "                 AND tickets.state = ?) RETURNING *",
                (store.DELETING, pool.name, store.DELETE_REQUEST, store.OPEN)).fetchall()
        for resource in doomed:
            self._background(self._delete, pool, resource)

    def _delete(self, pool: PoolConfig, resource: Row) -> None:
        log.info("%s: deleting", resource["name"])
        status = hooks.run(pool.cmd_delete, resource, "terminate", self._logdir)
        if status:
            # As in resalloc, a failed deletion isn't tried again.
            log.error("%s: cmd_delete exited %d", resource["name"], status)
        with self._store.transaction() as db:
            db.execute("UPDATE resources SET state = ? WHERE id = ?",
                       (store.ENDED, resource["id"]))
        log.info("%s: deleted", resource["name"])

    def release_closed(self, pool: PoolConfig) -> None:
        """Take resources from tickets that were closed."""
        with self._store.transaction() as db:
            released = db.execute(
                "UPDATE resources SET ticket_id = NULL, released_at = ?,"
                " releases = releases + 1, state = ?"
                " WHERE pool = ? AND state = ? AND ticket_id IN"
                " (SELECT id FROM tickets WHERE state = ?) RETURNING *",
                (time.time(), store.RELEASING if pool.cmd_release else store.UP,
                 pool.name, store.UP, store.CLOSED)).fetchall()
        if pool.cmd_release:
            for resource in released:
                self._background(self._release, pool, resource)

    def _release(self, pool: PoolConfig, resource: Row) -> None:
        assert pool.cmd_release is not None
        status = hooks.run(pool.cmd_release, resource, "release", self._logdir)
        if status:
            log.error("%s: cmd_release exited %d", resource["name"], status)
        with self._store.transaction() as db:
            # One that couldn't be cleaned must not be used again.
            db.execute("UPDATE resources SET state = ? WHERE id = ?",
                       (store.DELETE_REQUEST if status else store.UP, resource["id"]))

    def livecheck(self, pools: dict[str, PoolConfig]) -> None:
        """Run the checks that are due, one after the other."""
        with self._store.transaction() as db:
            running = db.execute("SELECT * FROM resources WHERE state = ?", (store.UP,)).fetchall()
        for resource in running:
            pool = pools.get(resource["pool"])
            if pool is None or not pool.cmd_livecheck:
                continue
            if resource["checked_at"] + pool.livecheck_period > time.time():
                continue
            status = hooks.run(pool.cmd_livecheck, resource, "watch", self._logdir)
            failures = resource["check_failures"] + 1 if status else 0
            if status:
                log.warning("%s: check failed, %d in a row", resource["name"], failures)
            with self._store.transaction() as db:
                db.execute("UPDATE resources SET checked_at = ?, check_failures = ? WHERE id = ?",
                           (time.time(), failures, resource["id"]))
