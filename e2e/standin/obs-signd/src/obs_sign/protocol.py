"""What client and daemon say to each other.

The protocol is the stand-in's own: one line of JSON that has the size of the
bytes after it, the same in both directions. obs-sign's differs.
"""

import json
import shutil
from io import BufferedIOBase
from typing import Any, BinaryIO

# A file, or a socket's file.
Stream = BinaryIO | BufferedIOBase

LINE_LIMIT = 4096


class ProtocolError(Exception):
    """The other side doesn't speak this protocol."""


def send(stream: Stream, header: dict[str, Any], body: bytes = b"") -> None:
    """Send one message."""
    stream.write(json.dumps(header | {"size": len(body)}).encode() + b"\n" + body)
    stream.flush()


def send_file(stream: Stream, header: dict[str, Any], body: BinaryIO, size: int) -> None:
    """Send one message whose body is the rest of a file."""
    stream.write(json.dumps(header | {"size": size}).encode() + b"\n")
    shutil.copyfileobj(body, stream)
    stream.flush()


def receive_header(stream: Stream) -> dict[str, Any]:
    """Receive the first line of a message."""
    line = stream.readline(LINE_LIMIT)
    try:
        header = json.loads(line)
    except ValueError as error:
        raise ProtocolError(f"no message but {line[:80]!r}") from error
    if not isinstance(header, dict) or not isinstance(header.get("size"), int):
        raise ProtocolError(f"not a message: {line[:80]!r}")
    return header


def receive_body(stream: Stream, size: int, into: BinaryIO) -> None:
    """Copy the bytes after the first line to a file."""
    while size:
        chunk = stream.read(min(size, 1 << 20))
        if not chunk:
            raise ProtocolError("the message ended too early")
        into.write(chunk)
        size -= len(chunk)
