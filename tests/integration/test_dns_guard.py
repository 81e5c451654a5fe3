"""Response rate limiting on a running edge: what a flood gets, and what a real client gets meanwhile."""
import select
import socket
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from lab import ROOT, Lab

V4 = "192.0.2.129"
ZONE = ROOT / "docs/examples/quickstart.zone"
RATE = 20


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        lab.edge_start(workers="1:dns+l7", arguments=(f"--dns.rate-limit={RATE}", "--dns.rate-slip=2"))
        lab.control_start()
        lab.brinkctl("zone", "import", ZONE, "--create", "--activate")
        yield lab


def ask(lab, name, **options):
    """The response; None when the question was dropped for its rate."""
    query = dns.message.make_query(name, "A", **options)
    dropped = lab.counter("drop_dns_rate")
    with lab.inside("client"):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with udp:
        udp.connect((V4, 53))
        udp.send(query.to_wire())
        deadline = time.monotonic() + 10
        while not select.select([udp], (), (), 0.01)[0]:
            if lab.counter("drop_dns_rate") > dropped:
                return None
            assert time.monotonic() < deadline, "neither answered nor dropped"
        response = dns.message.from_wire(udp.recv(65535))
    assert query.is_response(response)
    return response


def test_a_flood_of_like_questions_gets_few_whole_answers(lab):
    dropped, slipped = lab.counter("drop_dns_rate"), lab.counter("dns_rate_slipped")
    names = [f"r{i}.example.com" for i in range(RATE * 10)]
    answers = [ask(lab, name) for name in names]
    whole = [a for a in answers if a and a.rcode() == dns.rcode.NXDOMAIN]
    truncated = [a for a in answers if a and a.flags & dns.flags.TC]
    # It takes some seconds, each of which has its share.
    assert RATE <= len(whole) < len(names) / 2
    assert truncated and all(not a.authority for a in truncated)
    assert lab.counter("dns_rate_slipped") - slipped == len(truncated)
    assert lab.counter("drop_dns_rate") - dropped == answers.count(None)


def test_a_real_client_gets_its_answer_over_tcp_or_with_a_cookie(lab):
    while not (response := ask(lab, "mail.example.com")) or not response.flags & dns.flags.TC:
        pass
    short = lab.exec("client", "kdig", f"@{V4}", "mail.example.com", "A", "+short", "+tcp")
    assert short == "203.0.113.25\n"
    cookie = bytes(8)
    for _ in range(10):  # what is not answered is asked again
        response = ask(lab, "mail.example.com", use_edns=0,
                       options=[dns.edns.GenericOption(10, cookie)])
        if response:
            cookie = next(o.to_wire() for o in response.options if o.otype == 10)
            break
    for _ in range(RATE * 3):
        response = ask(lab, "mail.example.com", use_edns=0,
                       options=[dns.edns.GenericOption(10, cookie)])
        assert response.rcode() == dns.rcode.NOERROR and response.answer


def test_other_answers_are_not_held_up(lab):
    for i in range(RATE * 3):
        ask(lab, f"again{i}.example.com")
    response = ask(lab, "example.com")
    assert response.rcode() == dns.rcode.NOERROR and not response.flags & dns.flags.TC
