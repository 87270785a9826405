"""Tickets and resources in SQLite: what a restart of the server must not lose."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# States of a resource.
STARTING = "STARTING"
UP = "UP"
RELEASING = "RELEASING"
DELETE_REQUEST = "DELETE_REQUEST"
DELETING = "DELETING"
ENDED = "ENDED"

# States of a ticket.
OPEN = "OPEN"
CLOSED = "CLOSED"
FAILED = "FAILED"

SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL DEFAULT 'OPEN',
    sandbox TEXT,
    -- Stays after the ticket was closed; resources.ticket_id does not.
    resource_id INTEGER REFERENCES resources (id)
);
CREATE TABLE IF NOT EXISTS ticket_tags (
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    tag TEXT NOT NULL,
    PRIMARY KEY (ticket_id, tag)
);
CREATE TABLE IF NOT EXISTS resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pool TEXT NOT NULL,
    id_in_pool INTEGER NOT NULL,
    name TEXT,
    state TEXT NOT NULL DEFAULT 'STARTING',
    data BLOB,
    ticket_id INTEGER UNIQUE REFERENCES tickets (id),
    sandbox TEXT,
    sandboxed_since REAL,
    released_at REAL,
    releases INTEGER NOT NULL DEFAULT 0,
    started_at REAL NOT NULL,
    checked_at REAL NOT NULL,
    check_failures INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS resource_tags (
    resource_id INTEGER NOT NULL REFERENCES resources (id),
    tag TEXT NOT NULL,
    priority INTEGER NOT NULL,
    PRIMARY KEY (resource_id, tag)
);
CREATE INDEX IF NOT EXISTS resources_state ON resources (state);
CREATE INDEX IF NOT EXISTS tickets_state ON tickets (state);
"""


class Store:
    """The database. Every use is one transaction; transactions don't overlap."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit at the end of the block, or roll back if it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def recover(self) -> list[str]:
        """Hand over to the delete hook whatever had a hook running when the
        server ended, as nobody knows how far that hook came. Gives the names."""
        with self.transaction() as db:
            rows = db.execute(
                "UPDATE resources SET state = ? WHERE state IN (?, ?, ?) RETURNING name",
                (DELETE_REQUEST, STARTING, DELETING, RELEASING),
            ).fetchall()
        return [row["name"] for row in rows]


def ticket_tags(db: sqlite3.Connection, ticket_id: int) -> set[str]:
    """The tags that the ticket asks for."""
    rows = db.execute("SELECT tag FROM ticket_tags WHERE ticket_id = ?", (ticket_id,))
    return {row["tag"] for row in rows}


def waiting_tickets(db: sqlite3.Connection) -> list[tuple[sqlite3.Row, set[str]]]:
    """Open tickets without a resource, oldest first, with their tags."""
    rows = db.execute(
        "SELECT * FROM tickets WHERE state = ? AND resource_id IS NULL ORDER BY id", (OPEN,)
    ).fetchall()
    return [(row, ticket_tags(db, row["id"])) for row in rows]


def ready_resources(db: sqlite3.Connection, pool: str | None = None) -> list[sqlite3.Row]:
    """Resources that can be assigned, oldest first."""
    query = ("SELECT * FROM resources WHERE state = ? AND ticket_id IS NULL"
             " AND check_failures = 0")
    args: tuple[str, ...] = (UP,)
    if pool is not None:
        query += " AND pool = ?"
        args += (pool,)
    return db.execute(query + " ORDER BY id", args).fetchall()
