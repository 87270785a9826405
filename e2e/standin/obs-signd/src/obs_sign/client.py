"""The client's half: one request to the daemon."""

import io
import os
import pwd
import socket
from typing import BinaryIO

from obs_sign import protocol
from obs_sign.config import SignConfig


class SignError(Exception):
    """The request failed; the message is what the daemon, or the system, said."""


def check_allowed(config: SignConfig) -> None:
    """Refuse users that sign.conf doesn't name; root always may."""
    uid = os.getuid()
    names = {str(uid)}
    try:
        names.add(pwd.getpwuid(uid).pw_name)
    except KeyError:
        # A uid without a name can still be allowed by its number.
        pass
    if uid and not names & set(config.allowuser):
        raise SignError("sign: permission denied")


def _connect(config: SignConfig) -> socket.socket:
    """Connect from a reserved port, unless sign.conf says that any port will do."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if not config.use_unprivileged_ports:
            _bind_reserved(connection)
        connection.connect((config.server, config.port))
    except OSError as error:
        connection.close()
        raise SignError(f"{config.server}:{config.port}: {error}") from error
    return connection


def _bind_reserved(connection: socket.socket) -> None:
    for port in range(1023, 511, -1):
        try:
            connection.bind(("", port))
            return
        except PermissionError:
            raise
        except OSError:
            # In use: the next one may be free.
            continue
    raise OSError("no reserved port is free")


def request(config: SignConfig, header: dict[str, str], body: BinaryIO | None = None) -> bytes:
    """Send one request, give the daemon's answer."""
    size = os.fstat(body.fileno()).st_size if body else 0
    with _connect(config) as connection, connection.makefile("rwb") as stream:
        protocol.send_file(stream, header, body or io.BytesIO(), size)
        try:
            answer = protocol.receive_header(stream)
            content = io.BytesIO()
            protocol.receive_body(stream, answer["size"], content)
        except (protocol.ProtocolError, OSError) as error:
            raise SignError(f"{config.server}:{config.port}: {error}") from error
    if answer.get("status") != 0:
        raise SignError(str(answer.get("error")).rstrip())
    return content.getvalue()
