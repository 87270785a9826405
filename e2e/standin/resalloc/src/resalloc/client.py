"""Client of the resource allocator: take a ticket, ask about it, give it back."""

import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from typing import Any

RETRY_SECONDS = 3


class ResallocClientException(Exception):
    """The request makes no sense, the server was not asked."""


class Connection:
    """The XML-RPC connection to one resalloc server."""

    def __init__(self, connection_string: str,
                 request_survives_server_restart: bool = False) -> None:
        self._server = xmlrpc.client.ServerProxy(connection_string, allow_none=True)
        self._patient = request_survives_server_restart

    def call(self, method: str, *args: Any) -> Any:
        """Call `method` on the server. An error that the server answers is
        always tried again, an unreachable server only on request."""
        while True:
            try:
                return getattr(self._server, method)(*args)
            except OSError as error:
                if not self._patient:
                    raise
                print(error, file=sys.stderr)
            except xmlrpc.client.Error as error:
                print(error, file=sys.stderr)
            time.sleep(RETRY_SECONDS)

    # The names below are the interface that Copr calls, hence the camel case.
    def newTicket(self, tags: Iterable[str] | None = None,  # pylint: disable=invalid-name
                  sandbox: str | None = None) -> "Ticket":
        """Ask for a resource that has all the `tags`."""
        if tags is None:
            raise ResallocClientException("no tags specified")
        args: list[Any] = [list(tags)]
        if sandbox:
            args.append(sandbox)
        return Ticket(self.call("takeTicket", *args), self)

    def getTicket(self, ticket_id: int | str) -> "Ticket":  # pylint: disable=invalid-name
        """The ticket known by its number."""
        return Ticket(ticket_id, self)


class Ticket:
    """One request for a resource; its attributes are as of the last collect()."""

    def __init__(self, ticket_id: int | str, connection: Connection) -> None:
        self.id = ticket_id
        self.output: Any = None
        self.ready: bool | None = None
        self.closed: bool | None = None
        self.failed: bool | None = None
        self._connection = connection

    def collect(self) -> bool:
        """Refresh the attributes; true once a resource has been assigned."""
        answer = self._connection.call("collectTicket", self.id)
        for name in ("output", "ready", "closed", "failed"):
            setattr(self, name, answer[name])
        return bool(self.ready)

    def wait(self) -> str:
        """Block until a resource is assigned and give what its hook printed."""
        return str(self._connection.call("waitTicket", self.id))

    def close(self) -> None:
        """Give the resource back, or withdraw the request."""
        self._connection.call("closeTicket", self.id)
