"""How many resources to make where, and which ticket gets which resource."""

import logging
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from sqlite3 import Connection, Row

from resallocserver import store
from resallocserver.config import PoolConfig
from resallocserver.store import Store

log = logging.getLogger(__name__)

# A resource that served the ticket's sandbox before is better than a fresh one.
REUSE_PRIORITY = 500


@dataclass
class Load:
    """What a pool has now; counts up as starts are decided."""

    total: int
    starting: int
    free: int
    unclaimed: int
    last_start: float

    def room(self, pool: PoolConfig, now: float) -> bool:
        """May the pool start one more?"""
        return (self.total < pool.max and self.starting < pool.max_starting
                and self.last_start + pool.start_delay <= now)

    def started(self, now: float) -> None:
        """One more is on its way."""
        self.total += 1
        self.starting += 1
        self.last_start = now


def _load(db: Connection, pool: PoolConfig) -> Load:
    rows = db.execute("SELECT * FROM resources WHERE pool = ? AND state != ?",
                      (pool.name, store.ENDED)).fetchall()
    last = db.execute("SELECT max(started_at) FROM resources WHERE pool = ?",
                      (pool.name,)).fetchone()[0]
    states = Counter(row["state"] for row in rows)
    ready = [row for row in rows if row["state"] == store.UP and row["ticket_id"] is None]
    return Load(
        total=len(rows),
        starting=states[store.STARTING],
        free=sum(1 for row in ready if not row["releases"]),
        unclaimed=len(ready) + states[store.STARTING] + states[store.RELEASING],
        last_start=last or 0,
    )


def _serve_on_demand(tags: set[str], pools: list[PoolConfig], loads: dict[str, Load],
                     now: float) -> PoolConfig | None:
    """The pool that must start a resource for these tags, if any must and can."""
    capable = [pool for pool in pools if pool.serves(tags)]
    if not capable:
        log.error("no pool serves the tags %s: the ticket will wait forever", sorted(tags))
        return None
    for pool in capable:
        if loads[pool.name].unclaimed > 0:
            loads[pool.name].unclaimed -= 1
            return None
    with_room = [pool for pool in capable if loads[pool.name].room(pool, now)]
    return max(with_room, key=lambda pool: pool.priority(tags), default=None)


def decide_starts(database: Store, pools: dict[str, PoolConfig]) -> list[PoolConfig]:
    """The pools in which a resource must be started now, one entry for each."""
    now = time.time()
    starts = []
    with database.transaction() as db:
        loads = {name: _load(db, pool) for name, pool in pools.items()}
        waiting = store.waiting_tickets(db)
    on_demand = [pool for _, pool in sorted(pools.items()) if pool.tags_on_demand]
    on_demand_tags = set().union(*(pool.tags_on_demand for pool in on_demand))
    for _, tags in waiting:
        if not tags & on_demand_tags:
            continue
        pool = _serve_on_demand(tags, on_demand, loads, now)
        if pool:
            loads[pool.name].started(now)
            starts.append(pool)
    for name, pool in pools.items():
        load = loads[name]
        while load.free + load.starting < pool.max_prealloc and load.room(pool, now):
            load.started(now)
            starts.append(pool)
    return starts


def _best(db: Connection, ticket: Row, tags: set[str]) -> Row | None:
    """The ready resource that fits the ticket best; of equals, the oldest."""
    best: tuple[int, Row] | None = None
    for resource in store.ready_resources(db):
        if resource["sandbox"] and resource["sandbox"] != ticket["sandbox"]:
            continue
        has = {row["tag"]: row["priority"] for row in db.execute(
            "SELECT tag, priority FROM resource_tags WHERE resource_id = ?", (resource["id"],))}
        if not tags <= set(has):
            continue
        score = sum(has[tag] for tag in tags) + (REUSE_PRIORITY if resource["sandbox"] else 0)
        if best is None or score > best[0]:
            best = (score, resource)
    return best[1] if best else None


def assign_tickets(database: Store, pools: dict[str, PoolConfig]) -> int:
    """Give ready resources to waiting tickets; gives the number of assignments."""
    on_demand = set().union(*(pool.tags_on_demand for pool in pools.values()))
    assigned = 0
    with database.transaction() as db:
        # What is made on demand is dear, so those who asked for it come first.
        waiting = sorted(store.waiting_tickets(db), key=lambda item: not item[1] & on_demand)
        for ticket, tags in waiting:
            resource = _best(db, ticket, tags)
            if resource is None:
                continue
            # A ticket without a sandbox gets one that no other ticket can name.
            sandbox = ticket["sandbox"] or str(uuid.uuid4())
            db.execute("UPDATE tickets SET resource_id = ?, sandbox = ? WHERE id = ?",
                       (resource["id"], sandbox, ticket["id"]))
            db.execute(
                "UPDATE resources SET ticket_id = ?, sandbox = ?,"
                " sandboxed_since = coalesce(sandboxed_since, ?) WHERE id = ?",
                (ticket["id"], sandbox, time.time(), resource["id"]))
            log.info("%s: assigned to ticket %d", resource["name"], ticket["id"])
            assigned += 1
    return assigned
