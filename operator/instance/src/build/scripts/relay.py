"""Takes connections on one address and hands them on to another, whatever the families of the two are.

signd and its client `sign` know IPv4 only: in the backend's pod `sign` speaks to a relay on 127.0.0.1, which finds signd by name,
and in keygen's pod there is one in front of signd for IPv6.

    relay.py ADDRESS PORT HOST PORT     for ever
"""

import asyncio
import contextlib
import socket
import sys

CHUNK = 1 << 16


async def copy(source, sink):
    """Everything from one side to the other, and that there is no more."""
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


async def hand_on(source, sink, host, port):
    """One connection. Where nobody takes it, it is closed: who made it sees that, and tries again."""
    try:
        other_source, other_sink = await asyncio.open_connection(host, port)
    except OSError as error:
        print(f"relay: {host}:{port}: {error}", file=sys.stderr, flush=True)
        sink.close()
        return
    try:
        await asyncio.gather(copy(source, other_sink), copy(other_source, sink))
    finally:
        sink.close()
        other_sink.close()


def listener(address, port):
    """A socket that listens there; for IPv6 there alone, as signd has the same port of IPv4."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.bind((address, port))
    return listening


async def serve(listening, host, port):
    """Relays what comes to a socket."""
    server = await asyncio.start_server(lambda source, sink: hand_on(source, sink, host, port), sock=listening, backlog=128)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    ADDRESS, PORT, HOST, TO = sys.argv[1:]
    asyncio.run(serve(listener(ADDRESS, int(PORT)), HOST, int(TO)))
