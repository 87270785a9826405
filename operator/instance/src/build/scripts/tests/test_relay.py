"""Tests of the relay between IPv4 and IPv6."""

import asyncio
import os
import socket
import tempfile
import unittest
from unittest import mock

from tests import SCRIPTS, load

with mock.patch("sys.path", [str(SCRIPTS)]):
    relay = load("relay.py")
    serve = load("signd-serve")


class Relay(unittest.IsolatedAsyncioTestCase):
    """What comes in on the one side goes out on the other."""

    async def asyncSetUp(self):
        async def answer(source, sink):
            asked = await source.read()
            sink.write(b"signed " + asked)
            sink.close()

        self.server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def asyncTearDown(self):
        self.server.close()

    async def ask(self, address, port):
        """The server answers once it is told that there is no more."""
        source, sink = await asyncio.open_connection(address, port)
        sink.write(b"x" * 200_000)
        sink.write_eof()
        answer = await source.read()
        sink.close()
        return answer

    async def through(self, address, port):
        """An answer through a relay on the address to that port."""
        listening = relay.listener(address, 0)
        task = asyncio.ensure_future(relay.serve(listening, "127.0.0.1", port))
        try:
            return await asyncio.wait_for(self.ask(address, listening.getsockname()[1]), 10)
        finally:
            task.cancel()

    async def test_everything_is_handed_on_in_both_directions(self):
        self.assertEqual(await self.through("127.0.0.1", self.port), b"signed " + b"x" * 200_000)

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "this machine has no IPv6")
    async def test_ipv6_reaches_a_server_of_ipv4(self):
        self.assertEqual(await self.through("::1", self.port), b"signed " + b"x" * 200_000)

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "this machine has no IPv6")
    async def test_the_same_port_of_ipv4_stays_the_servers_own(self):
        with relay.listener("::", self.port) as listening:
            self.assertEqual(listening.getsockname()[1], self.port)

    async def test_what_nobody_takes_is_closed(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        with mock.patch("sys.stderr"):
            try:
                answer = await self.through("127.0.0.1", port)
            except ConnectionError:
                answer = b""
        self.assertEqual(answer, b"")


class Listens(unittest.TestCase):
    """Who listens is read from the kernel's table."""

    def test_a_socket_that_listens_is_seen_and_another_is_not(self):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            port = listening.getsockname()[1]
            self.assertFalse(serve.listens(port))
            listening.listen()
            self.assertTrue(serve.listens(port))
            self.assertFalse(serve.listens(port, "/proc/net/tcp6"))

    def test_a_family_that_there_is_not_has_no_listener(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertFalse(serve.listens(22, os.path.join(folder, "tcp6")))


if __name__ == "__main__":
    unittest.main()
