"""Ceilings of answers on a running edge: what a random-subdomain flood gets, and the others meanwhile."""
import random
import socket
import string
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from lab import ROOT, Lab

V4 = "192.0.2.129"
NEGATIVE = 50


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        lab.edge_start(workers="1:dns+l7", arguments=(f"--dns.negative-limit={NEGATIVE}",
                                                      "--dns.rate-slip=0"))
        lab.control_start()
        lab.brinkctl("zone", "import", ROOT / "docs/examples/quickstart.zone", "--create", "--activate")
        yield lab


class Flood:
    """Questions for names that are not there, one after the other as fast as they can be sent."""

    def __init__(self, lab):
        with lab.inside("client"):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _run(self):
        draw = random.Random(1)
        while not self._stop.is_set():
            label = "".join(draw.choices(string.ascii_lowercase, k=12))
            query = dns.message.make_query(f"{label}.example.com", "A", want_dnssec=True)
            self._socket.sendto(query.to_wire(), (V4, 53))
            self.sent += 1


def await_drops(lab):
    """Until the flood is over the ceiling."""
    before, deadline = lab.counter("drop_dns_negative"), time.monotonic() + 20
    while lab.counter("drop_dns_negative") == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_hits_are_answered_while_another_asks_for_random_names(lab):
    hits = 300
    query = dns.message.make_query("mail.example.com", "A")
    with Flood(lab) as flood, lab.inside("client"):
        await_drops(lab)
        dropped = lab.counter("drop_dns_negative")
        for _ in range(hits):
            response = dns.query.udp(query, V4, timeout=5)
            assert response.answer and not response.flags & dns.flags.TC
        dropped = lab.counter("drop_dns_negative") - dropped
    assert dropped > NEGATIVE, "the flood went on meanwhile"
    for counter in ("drop_dns_rate", "drop_dns_source", "drop_dns_ceiling", "drop_tx_full"):
        assert lab.counter(counter) == 0, counter


def test_a_cookie_and_tcp_pass_the_ceiling(lab):
    name = "nothing.example.com"
    query = dns.message.make_query(name, "A", use_edns=0, options=[dns.edns.GenericOption(10, bytes(8))])
    with lab.inside("client"):
        hit = dns.message.make_query("mail.example.com", "A", use_edns=0,
                                     options=[dns.edns.GenericOption(10, bytes(8))])
        response = dns.query.udp(hit, V4, timeout=5)
        cookie = next(o.to_wire() for o in response.options if o.otype == 10)
        with Flood(lab):
            await_drops(lab)
            query = dns.message.make_query(name, "A", use_edns=0,
                                           options=[dns.edns.GenericOption(10, cookie)])
            for _ in range(2 * NEGATIVE):
                assert dns.query.udp(query, V4, timeout=5).rcode() == dns.rcode.NXDOMAIN
            plain = dns.message.make_query(name, "A")
            assert dns.query.tcp(plain, V4, timeout=5).rcode() == dns.rcode.NXDOMAIN
