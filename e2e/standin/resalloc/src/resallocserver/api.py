"""What clients can call by XML-RPC. The method names are the protocol's."""

import threading
from collections.abc import Callable
from typing import Any

from resallocserver import store
from resallocserver.store import Store

# How often a waiting client's thread looks even if nothing was announced.
WAIT_SECONDS = 10


class NoSuchTicket(Exception):
    """The number is of no ticket of this server."""


class Api:  # pylint: disable=invalid-name
    """The four calls of a resalloc server."""

    def __init__(self, database: Store, wake: Callable[[], None],
                 assigned: threading.Condition) -> None:
        self._store = database
        self._wake = wake
        self._assigned = assigned

    def takeTicket(self, tags: list[str] | None = None, sandbox: str | None = None) -> int:
        """Open a ticket; gives its number."""
        with self._store.transaction() as db:
            number = db.execute("INSERT INTO tickets (sandbox) VALUES (?)", (sandbox,)).lastrowid
            db.executemany("INSERT OR IGNORE INTO ticket_tags VALUES (?, ?)",
                           [(number, tag) for tag in tags or []])
        assert number is not None
        self._wake()
        return number

    def collectTicket(self, ticket_id: int | str) -> dict[str, Any]:
        """What is known about the ticket; `ready` is none if there's no such ticket."""
        with self._store.transaction() as db:
            row = db.execute(
                "SELECT tickets.state, tickets.resource_id, resources.data FROM tickets"
                " LEFT JOIN resources ON resources.id = tickets.resource_id"
                " WHERE tickets.id = ?", (int(ticket_id),)).fetchone()
        if row is None:
            return {"ready": None, "output": None, "closed": None, "failed": None}
        return {
            "ready": row["resource_id"] is not None,
            "output": row["data"],
            "closed": row["state"] == store.CLOSED,
            "failed": row["state"] == store.FAILED,
        }

    def waitTicket(self, ticket_id: int | str) -> bytes:
        """Block until the ticket has a resource; gives what its hook printed."""
        while True:
            answer = self.collectTicket(ticket_id)
            if answer["ready"] is None:
                raise NoSuchTicket(f"no such ticket {ticket_id}")
            if answer["ready"]:
                output: bytes = answer["output"]
                return output
            with self._assigned:
                self._assigned.wait(timeout=WAIT_SECONDS)

    def closeTicket(self, ticket_id: int | str) -> None:
        """The client doesn't need the resource any more."""
        with self._store.transaction() as db:
            cursor = db.execute("UPDATE tickets SET state = ? WHERE id = ?",
                                (store.CLOSED, int(ticket_id)))
            if cursor.rowcount == 0:
                raise NoSuchTicket(f"no such ticket {ticket_id}")
        self._wake()
