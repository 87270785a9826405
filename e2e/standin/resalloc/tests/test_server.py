"""The server as a process of its own, with hooks that leave traces in files.

Run: python3 -m unittest discover -s e2e/standin/resalloc/tests
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parent.parent / "src"
SERVE = SOURCES.parents[3] / "operator/instance/src/build/scripts/resalloc-serve"
sys.path.insert(0, str(SOURCES))

from resalloc.client import Connection, Ticket  # noqa: E402

POOL = """\
builders:
  max: 2
  max_starting: 2
  tags_on_demand: [copr_builder]
  tags: [arch_x86_64]
  livecheck_period: 0
  livecheck_attempts: 1
  cmd_new: 'cat {dir}/slow 2>/dev/null; test ! -e {dir}/broken && echo "host of $RESALLOC_NAME"'
  cmd_delete: 'echo "$RESALLOC_ID ${{RESALLOC_RESOURCE_DATA:+has data}}" >> {dir}/deleted'
  cmd_livecheck: 'test ! -e {dir}/dead'
"""
DEADLINE_SECONDS = 20


def until(condition: Callable[[], bool]) -> None:
    """Wait for the condition, a while."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it didn't happen in time")
        time.sleep(0.05)


class ServerTest(unittest.TestCase):
    """Tickets, resources and what a killed server leaves."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.dir / "server.yaml").write_text(
            f"db_url: sqlite:///{self.dir}/db.sqlite\nlogdir: {self.dir}/log\n"
            f"port: {self.port}\nsleeptime: 0.4\n", encoding="utf-8")
        (self.dir / "pools.yaml").write_text(POOL.format(dir=self.dir), encoding="utf-8")
        self.program = SOURCES / "bin" / "resalloc-server"
        self.start()
        self.addCleanup(lambda: self.stop(signal.SIGKILL))
        self.connection = Connection(f"http://127.0.0.1:{self.port}")

    def start(self) -> None:
        """Start the server, return when it listens."""
        env = os.environ | {"CONFIG_DIR": str(self.dir), "PYTHONPATH": str(SOURCES)}
        with (self.dir / "out").open("ab") as out:
            self.server = subprocess.Popen(
                [sys.executable, str(self.program)],
                env=env, stdout=out, stderr=out, start_new_session=True)

        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(listening)

    def stop(self, how: signal.Signals) -> int:
        """Stop the server and its hooks, as the end of a container does."""
        if self.server.poll() is None:
            os.killpg(self.server.pid, how)
        return self.server.wait()

    def ticket(self) -> Ticket:
        """A ticket as the backend takes it."""
        return self.connection.newTicket(["copr_builder", "arch_x86_64"])

    def deleted(self) -> list[str]:
        """What the delete hook wrote so far."""
        path = self.dir / "deleted"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def test_a_closed_ticket_ends_its_resource(self) -> None:
        ticket = self.ticket()
        self.assertTrue(ticket.wait().startswith("host of builders_00000001_"))
        ticket.collect()
        self.assertEqual((ticket.ready, ticket.closed, ticket.failed), (True, False, False))
        ticket.close()
        until(lambda: self.deleted() == ["1 has data"])
        ticket.collect()
        self.assertTrue(ticket.closed)

    def test_no_more_than_max(self) -> None:
        first, second, third = self.ticket(), self.ticket(), self.ticket()
        first.wait()
        second.wait()
        self.assertFalse(third.collect())
        first.close()
        self.assertTrue(third.wait().startswith("host of builders_00000003_"))

    def test_what_cannot_be_started_is_tried_again_without_delete_hook(self) -> None:
        (self.dir / "broken").touch()
        ticket = self.ticket()
        until(lambda: b"cmd_new exited 1" in (self.dir / "out").read_bytes())
        (self.dir / "broken").unlink()
        self.assertTrue(ticket.wait())
        self.assertEqual(self.deleted(), [])

    def test_a_withdrawn_ticket_leaves_no_resource(self) -> None:
        os.mkfifo(self.dir / "slow")
        ticket = self.ticket()
        until(lambda: b"starting" in (self.dir / "out").read_bytes())
        ticket.close()
        # Opening it for writing lets the hook's `cat` end.
        (self.dir / "slow").write_text("", encoding="utf-8")
        until(lambda: self.deleted() == ["1 has data"])

    def test_a_dead_resource_fails_its_ticket(self) -> None:
        ticket = self.ticket()
        ticket.wait()
        (self.dir / "dead").touch()
        until(lambda: bool(ticket.collect() and ticket.failed))
        until(lambda: len(self.deleted()) == 1)

    def test_a_killed_server_knows_its_tickets_again(self) -> None:
        served = self.ticket()
        output = served.wait()
        os.mkfifo(self.dir / "slow")
        waiting = self.ticket()
        until(lambda: b"builders_00000002" in (self.dir / "out").read_bytes())
        self.stop(signal.SIGKILL)
        (self.dir / "slow").unlink()
        self.start()
        self.assertTrue(waiting.wait().startswith("host of builders_00000003_"))
        self.assertEqual(self.deleted(), ["2 "])
        served.collect()
        self.assertEqual((str(served.output), served.closed), (output, False))

    def test_pools_are_read_again_without_a_restart(self) -> None:
        tickets = [self.ticket() for _ in range(3)]
        tickets[0].wait()
        tickets[1].wait()
        self.assertFalse(tickets[2].collect())
        pools = (self.dir / "pools.yaml").read_text(encoding="utf-8")
        (self.dir / "pools.yaml").write_text(pools.replace("max: 2", "max: 3", 1), encoding="utf-8")
        self.assertTrue(tickets[2].wait())
        self.assertEqual(self.deleted(), [])

    def info(self, resource: int) -> dict[str, Any]:
        """What an administrator is told of a resource."""
        env = os.environ | {"CONFIG_DIR": str(self.dir), "PYTHONPATH": str(SOURCES)}
        told = subprocess.run([sys.executable, str(SOURCES / "bin" / "resalloc-maint"), "resource-info", str(resource)],
                              env=env, capture_output=True, text=True, check=True).stdout
        return json.loads(told) if told else {}

    def is_up(self, resource: int) -> bool:
        """Whether it can be assigned, or is."""
        return self.info(resource).get("state") == "UP"

    def test_resources_made_ahead_are_taken_replaced_and_given_up_when_they_are_made_on_demand_again(self) -> None:
        demand = (self.dir / "pools.yaml").read_text(encoding="utf-8")
        ahead = demand.replace("tags_on_demand: [copr_builder]\n  tags: [arch_x86_64]", "tags: [copr_builder, arch_x86_64]")
        (self.dir / "pools.yaml").write_text(ahead + "  max_prealloc: 1\n", encoding="utf-8")
        until(lambda: self.is_up(1))
        self.assertIsNone(self.info(1)["ticket_id"])
        ticket = self.ticket()
        self.assertTrue(ticket.wait().startswith("host of builders_00000001_"))
        self.assertEqual(self.info(1)["ticket_id"], ticket.id)
        until(lambda: self.is_up(2))
        waiting = [self.ticket(), self.ticket()]
        waiting[0].wait()
        time.sleep(1)
        self.assertFalse(waiting[1].collect() or self.info(3), "more than max")
        waiting[1].close()
        ticket.close()
        until(lambda: self.is_up(3))
        (self.dir / "pools.yaml").write_text(demand, encoding="utf-8")
        until(lambda: self.deleted() == ["1 has data", "3 has data"])
        waiting[0].collect()
        self.assertTrue(waiting[0].ready and not waiting[0].closed)

    def test_the_operators_start_listens_on_every_address_of_both_families(self) -> None:
        self.stop(signal.SIGTERM)
        config = self.dir / "server.yaml"
        config.write_text(config.read_text(encoding="utf-8") + "hostname: 0.0.0.0\n", encoding="utf-8")
        self.program = SERVE
        self.start()
        addresses = ["127.0.0.1", "::1"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
        for address in addresses:
            host = f"[{address}]" if ":" in address else address
            connection = Connection(f"http://{host}:{self.port}")
            ticket = connection.newTicket(["copr_builder", "arch_x86_64"])
            self.assertTrue(ticket.wait())
            ticket.close()

    def test_the_server_ends_when_told(self) -> None:
        self.assertEqual(self.stop(signal.SIGTERM), 0)


if __name__ == "__main__":
    unittest.main()
