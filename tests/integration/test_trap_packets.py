"""Datagrams that carry a good question in an odd way: whether they are answered, and how. Malformed packets and the
counter of each are in test_edge_packets.py; here is what a resolver sees of it."""
import logging

import pytest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import DNS, DNSQR, IP, UDP, Ether, IPv6, Raw  # noqa: E402

from edge_on_pcap import run_edge  # noqa: E402
from test_edge_packets import CLIENT, CLIENT6, DNS4, DNS6, ether, ip4, ip6  # noqa: E402


def question(number, **fields):
    fields = {"sport": 4000} | fields
    return UDP(dport=53, **fields) / DNS(id=number, rd=0, qd=DNSQR(qname="www.example.com"))


SIZE = len(bytes(question(0)))

# What is odd, what is around the datagram, its fields, octets behind it, whether it is answered.
ODD = [
    ("a resolver that asks from port 53", ether() / ip4(), {"sport": 53}, b"", True),
    ("over IPv6 too", ether() / ip6(), {"sport": 53}, b"", True),
    ("no port to reply to", ether() / ip4(), {"sport": 0}, b"", False),  # RFC 768
    ("over IPv6 neither", ether() / ip6(), {"sport": 0}, b"", False),
    ("octets behind the datagram", ether() / ip4(), {"len": SIZE, "chksum": 0}, bytes(9), True),  # RFC 768
    ("a TTL that is used up here", ether() / ip4(ttl=1), {}, b"", True),
    ("a TTL of 0", ether() / ip4(ttl=0), {}, b"", True),  # RFC 1122 3.2.1.7: a host takes it
    ("a hop limit of 0", ether() / ip6(hlim=0), {}, b"", True),  # RFC 8200 3: so does a destination
    ("not to be fragmented", ether() / ip4(flags="DF"), {}, b"", True),
    ("a reserved flag", ether() / ip4(flags=4), {}, b"", True),  # RFC 791 3.1; RFC 3514 was of April 1
    ("congestion was experienced", ether() / ip4(tos=3), {}, b"", True),  # RFC 3168
    ("a traffic class and a flow label", ether() / ip6(tc=0xb8, fl=0x12345), {}, b"", True),
    ("UDP length 0", ether() / ip4(), {"len": 0}, b"", False),
    ("UDP length 0 over IPv6", ether() / ip6(), {"len": 0}, b"", False),  # RFC 2675 has it for jumbograms alone
]


@pytest.fixture(scope="module")
def answers():
    """Of all packets, by their number as DNS ID."""
    frames = [bytes(layers / question(number, **fields) / Raw(tail))
              for number, (_, layers, fields, tail, _) in enumerate(ODD)]
    _, sent = run_edge(frames)
    return [Ether(frame) for frame in sent]


@pytest.mark.parametrize("number", range(len(ODD)), ids=[case[0] for case in ODD])
def test_odd_datagrams(answers, number):
    _, _, fields, _, answered = ODD[number]
    found = [each for each in answers if each[DNS].id == number]
    assert len(found) == (1 if answered else 0)
    for each in found:
        assert each[UDP].sport == 53 and each[UDP].dport == fields.get("sport", 4000)
        layer = each.getlayer(IP) or each.getlayer(IPv6)
        assert (layer.src, layer.dst) in ((DNS4, CLIENT), (DNS6, CLIENT6))  # from the address that was asked
        assert (layer.ttl if layer.version == 4 else layer.hlim) >= 64
        assert each[DNS].qr == 1 and each[DNS].an[0].rdata == "192.0.2.140"
