"""Response rate limiting, by what counts as alike: network, kind of answer, the name that it came from. How a real
client gets through is in test_dns_guard.py. Bursts are so large that a few seconds more do not matter."""
import select
import socket
import struct
import time

import dns.flags
import dns.message
import pytest

from trap_lab import V4, V6, WAYS, full_name, make_lab, make_query, receive_framed

RATE = 20
SLIP = 4
BURST = RATE * 30
CLIENT = {V4: "198.51.100.10", V6: "2001:db8:c::10"}
SOURCES = 50


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("rate"), f"--dns.rate-limit={RATE}", f"--dns.rate-slip={SLIP}") as lab:
        batch = [f"address add {address} dev lo" + (" nodad" if ":" in address else "")
                 for server in (V4, V6) for address in neighbours(server) + strangers(server)]
        file = lab.folder / "addresses"
        file.write_text("\n".join(batch) + "\n")
        lab.exec("client", "ip", "-batch", file)
        lab.exec("router", "ip", "route", "add", "198.18.0.0/15", "via", CLIENT[V4])
        lab.exec("router", "ip", "-6", "route", "add", "2001:db8:4000::/34", "via", CLIENT[V6])
        for way in WAYS.values():  # so that no burst waits for neighbours to be found
            if way[0] == "tcp":
                lab.ask("mail A", way)
        yield lab


def neighbours(server):
    """Addresses of one network: an IPv4 /24, an IPv6 /56."""
    return [f"2001:db8:4000:{i:x}::1" if server == V6 else f"198.19.1.{i + 1}" for i in range(SOURCES)]


def strangers(server):
    """Addresses of as many networks."""
    return [f"2001:db8:4001:{i:x}00::1" if server == V6 else f"198.18.{i}.1" for i in range(SOURCES)]


def burst(lab, server, questions, sources=None):
    """Responses to "name type" questions, sent all at once, the sources in turn."""
    sources = sources or [CLIENT[server]]
    sockets = []
    with lab.inside("client"):
        for source in sources:
            each = socket.socket(socket.AF_INET6 if server == V6 else socket.AF_INET, socket.SOCK_DGRAM)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            each.bind((source, 0))
            each.connect((server, 53))
            each.setblocking(False)
            sockets.append(each)
    wires = {question: make_query(question).to_wire()[2:] for question in set(questions)}
    found = []

    def take(wait):
        ready, _, _ = select.select(sockets, (), (), wait)
        for each in ready:
            found.append(each.recv(65535))
        return bool(ready)

    try:
        for number, question in enumerate(questions):
            sockets[number % len(sockets)].send(struct.pack("!H", number) + wires[question])
            if number % 50 == 49:  # no more on their way than buffers hold
                while take(0.005):
                    pass
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and take(0.3):
            pass
    finally:
        for each in sockets:
            each.close()
    return found


def whole(responses):
    return [each for each in responses if not each[2] & 0x02]


both = pytest.mark.parametrize("server", [V4, V6], ids=["v4", "v6"])
ALIKE = {
    "one name": ["www A"] * BURST,
    "names that are not there": [f"no{i} A" for i in range(BURST)],
    "names below one that is not there": [f"a.no{i} A" for i in range(BURST)],
    "names of a wildcard": [f"any{i}.wild A" for i in range(BURST)],
    "names below a delegation": [f"x{i}.cut A" for i in range(BURST)],
    "types that a name has not": [f"www TYPE{300 + i}" for i in range(BURST)],
    "zones that are not served": [f"x{i}.example. A" for i in range(BURST)],
    "names in other case": [("WWW A", "www A", "wWw A")[i % 3] for i in range(BURST)],
}


@both
@pytest.mark.parametrize("questions", ALIKE.values(), ids=ALIKE.keys())
def test_what_is_alike_is_limited(lab, server, questions):
    time.sleep(1.1)  # what came before may be alike, too, and is counted by the second
    assert RATE <= len(whole(burst(lab, server, questions))) < BURST / 2


@both
def test_what_is_not_alike_is_not(lab, server):
    """As many names as one network may ask of each, within its rate."""
    names = [f"a-rather-long-name-of-a-mail-exchanger-{i}.smx A" for i in range(40)]
    assert len(whole(burst(lab, server, names * (RATE - 1)))) == 40 * (RATE - 1)


@both
def test_a_network_is_one_client(lab, server):
    """Each address alone would be within its rate."""
    questions = ["mail A"] * (SOURCES * (RATE - 1))
    assert RATE <= len(whole(burst(lab, server, questions, neighbours(server)))) < len(questions) / 2


@both
def test_networks_are_not(lab, server):
    questions = ["mail A"] * (SOURCES * (RATE - 1))
    assert len(whole(burst(lab, server, questions, strangers(server)))) == len(questions)


@both
def test_what_slips_is_truncated_empty_and_no_larger_than_the_question(lab, server):
    responses = burst(lab, server, ["s512 TXT"] * BURST)
    slipped = [each for each in responses if each[2] & 0x02]
    limited = BURST - len(whole(responses))
    assert limited // SLIP - 1 <= len(slipped) <= limited // SLIP + 1
    size = len(make_query("s512 TXT").to_wire())
    for each in slipped:
        response = dns.message.from_wire(each)
        assert response.question[0].name == full_name("s512") and len(each) <= size
        assert response.flags & dns.flags.TC and response.edns == 0
        assert not (response.answer or response.authority or response.additional)


@both
def test_a_stream_is_not_limited(lab, server):
    query = make_query("ns1 A").to_wire()
    with lab.connect(server, 53) as connection:
        for _ in range(RATE):
            connection.sendall((struct.pack("!H", len(query)) + query) * 10)
            for _ in range(10):
                assert receive_framed(connection)[2] & 0x02 == 0
