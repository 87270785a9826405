"""Which resources are no longer wanted."""

import logging
import time
from sqlite3 import Connection, Row

from resallocserver import store
from resallocserver.config import PoolConfig
from resallocserver.store import Store

log = logging.getLogger(__name__)


def _reason(pool: PoolConfig, resource: Row, now: float) -> str | None:
    """Why a released resource must go, or nothing if it may be used again."""
    if not pool.reuse_opportunity_time:
        return "resources of this pool are used once"
    if resource["released_at"] < now - pool.reuse_opportunity_time:
        return "nobody took it again in time"
    if pool.reuse_max_time and resource["sandboxed_since"] < now - pool.reuse_max_time:
        return "it has served one sandbox for too long"
    if pool.reuse_max_count and resource["releases"] > pool.reuse_max_count:
        return "it was used often enough"
    return None


def _request(db: Connection, resource: Row, reason: str) -> None:
    log.info("%s: to be deleted: %s", resource["name"], reason)
    db.execute("UPDATE resources SET state = ? WHERE id = ?",
               (store.DELETE_REQUEST, resource["id"]))


def _failed_checks(db: Connection, pool: PoolConfig) -> None:
    dead = db.execute(
        "SELECT * FROM resources WHERE pool = ? AND state = ? AND check_failures >= ?",
        (pool.name, store.UP, pool.livecheck_attempts)).fetchall()
    for resource in dead:
        db.execute("UPDATE tickets SET state = ? WHERE resource_id = ? AND state = ?",
                   (store.FAILED, resource["id"], store.OPEN))
        _request(db, resource, "its checks failed")


def _unclaimed(db: Connection, pool: PoolConfig) -> None:
    """On-demand resources whose ticket was closed before it got them."""
    wanted = sum(1 for _, tags in store.waiting_tickets(db) if pool.serves(tags))
    fresh = [row for row in store.ready_resources(db, pool.name) if not row["releases"]]
    for resource in fresh[:max(0, len(fresh) - wanted)]:
        _request(db, resource, "no ticket asks for it any more")


def request_removals(database: Store, pool: PoolConfig) -> None:
    """Mark the pool's resources that must be deleted."""
    now = time.time()
    with database.transaction() as db:
        _failed_checks(db, pool)
        used = db.execute(
            "SELECT * FROM resources WHERE pool = ? AND state = ? AND ticket_id IS NULL"
            " AND released_at IS NOT NULL", (pool.name, store.UP)).fetchall()
        for resource in used:
            reason = _reason(pool, resource, now)
            if reason:
                _request(db, resource, reason)
        if pool.tags_on_demand:
            _unclaimed(db, pool)
