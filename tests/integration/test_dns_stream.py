"""DNS over TCP on the edge's own stack (RFC 7766), asked from the lab's client by kdig, dnspython and
plain sockets of the kernel, over IPv4 and IPv6, wherever the roles are."""
import concurrent.futures
import socket
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from lab import ROOT, Lab

V4, V6 = "192.0.2.129", "2001:db8:a::130"
ZONE = ROOT / "docs/examples/quickstart.zone"
TOPOLOGIES = {"one worker": "1:dns+l7", "dns and l7 apart": "0:dns,1:l7",
              "both on each": "0:dns+l7,1:dns+l7"}
BIG = "big.example.com"
BIG_RECORDS = 30
IDLE_SECONDS = 2


@pytest.fixture(scope="module", params=TOPOLOGIES.values(), ids=TOPOLOGIES.keys())
def lab(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    zone = folder / "zone"
    zone.write_text(ZONE.read_text() + "".join(
        f'\nbig.example.com. 60 IN TXT "{i} {"x" * 240}"' for i in range(BIG_RECORDS)) + "\n")
    with Lab() as lab:
        lab.edge_start(workers=request.param, arguments=(
            f"--dns.tcp-idle-s={IDLE_SECONDS}", "--dns.tcp-per-client=50", "--dns.identity=lab1"))
        lab.control_start()
        lab.brinkctl("zone", "import", zone, "--zone", "example.com", "--create", "--activate")
        yield lab


def query(name, kind="A", **options):
    return dns.message.make_query(name, kind, **options)


def framed(*messages):
    return b"".join(struct.pack("!H", len(m)) + m for m in (q.to_wire() for q in messages))


def take(connection):
    """The next message of the stream; None at its end."""
    def exactly(size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                return None
            data += more
        return data
    head = exactly(2)
    return None if head is None else dns.message.from_wire(exactly(struct.unpack("!H", head)[0]))


@pytest.mark.parametrize("server", [V4, V6])
def test_kdig_gets_the_same_answer_over_tcp_as_over_udp(lab, server):
    def kdig(*options):
        return lab.exec("client", "kdig", f"@{server}", "mail.example.com", "A", "+norec", "+short",
                        *options)
    assert kdig("+tcp") == kdig() == "203.0.113.25\n"


def test_a_truncated_answer_is_fetched_over_tcp(lab):
    with lab.inside("client"):
        over_udp = dns.query.udp(query(BIG, "TXT", use_edns=0, payload=1232), V4, timeout=3)
        assert over_udp.flags & dns.flags.TC
        message, was_tcp = dns.query.udp_with_fallback(
            query(BIG, "TXT", use_edns=0, payload=1232), V4, timeout=5)
    assert was_tcp and not message.flags & dns.flags.TC
    assert len(message.answer[0]) == BIG_RECORDS and len(message.to_wire()) > 7000


def test_pipelined_queries_are_all_answered(lab):  # RFC 7766 6.2.1.1
    questions = [query("mail.example.com" if i % 2 else f"no{i}.example.com", id=i)
                 for i in range(100)]
    with lab.connect(V4, 53) as connection:
        connection.sendall(framed(*questions))
        answers = {message.id: message for message in (take(connection) for _ in questions)}
    for question in questions:
        assert question.is_response(answers[question.id])
        expected = dns.rcode.NOERROR if question.question[0].name.labels[0] == b"mail" \
            else dns.rcode.NXDOMAIN
        assert answers[question.id].rcode() == expected


def test_a_query_may_come_octet_by_octet(lab):  # RFC 7766 8
    with lab.connect(V6, 53) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(query("mail.example.com")):
            connection.sendall(bytes([octet]))
        assert take(connection).rcode() == dns.rcode.NOERROR


def test_who_stops_sending_still_gets_its_answer(lab):
    with lab.connect(V4, 53) as connection:
        connection.sendall(framed(query("mail.example.com")))
        connection.shutdown(socket.SHUT_WR)
        assert take(connection).rcode() == dns.rcode.NOERROR
        assert connection.recv(1) == b""


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(lab):
    with lab.connect(V4, 53) as idle, lab.connect(V4, 53) as busy:
        since = time.monotonic()
        while time.monotonic() - since < IDLE_SECONDS * 1.5:
            busy.sendall(framed(query("mail.example.com")))
            assert take(busy) is not None
            time.sleep(IDLE_SECONDS / 4)
        assert idle.recv(1) == b""


@pytest.mark.parametrize("bad", [b"\0\0", b"\0\x0b" + b"x" * 11, b"\xff\xff" + b"x" * 100])
def test_what_is_no_query_ends_the_connection_and_nothing_else(lab, bad):
    with lab.connect(V4, 53) as broken, lab.connect(V4, 53) as sound:
        broken.sendall(bad)
        try:
            assert broken.recv(1) == b""
        except ConnectionResetError:
            pass  # it had sent more than was read
        sound.sendall(framed(query("mail.example.com")))
        assert take(sound).rcode() == dns.rcode.NOERROR


def test_errors_are_answered_and_the_connection_stays(lab):
    with lab.connect(V4, 53) as connection:
        broken = bytearray(query("mail.example.com").to_wire())
        broken[5] = 2  # QDCOUNT
        connection.sendall(struct.pack("!H", len(broken)) + broken)
        assert take(connection).rcode() == dns.rcode.FORMERR
        for kind, name, rcode in (("AXFR", "example.com", dns.rcode.REFUSED),
                                  ("IXFR", "example.com", dns.rcode.REFUSED),
                                  ("A", "elsewhere.test", dns.rcode.REFUSED)):
            connection.sendall(framed(query(name, kind)))
            assert take(connection).rcode() == rcode


def test_one_client_gets_its_share_and_no_more(lab):
    before = lab.counter("drop_dns_stream_limit")
    open_connections = []
    try:
        served = 0
        for _ in range(120):
            try:
                connection = lab.connect(V4, 53)
                open_connections.append(connection)
                connection.sendall(framed(query("mail.example.com")))
                served += take(connection) is not None
            except (ConnectionResetError, BrokenPipeError):
                pass
        workers = len(lab.stats()["workers"])
        assert 50 <= served <= 50 * workers
        assert lab.counter("drop_dns_stream_limit") - before == 120 - served
    finally:
        for connection in open_connections:
            connection.close()
    with lab.connect(V6, 53) as other:
        other.sendall(framed(query("mail.example.com")))
        assert take(other) is not None


def test_the_node_tells_its_name_and_its_patience_when_asked(lab):  # RFC 5001, RFC 7828
    options = [dns.edns.GenericOption(dns.edns.NSID, b""), dns.edns.GenericOption(11, b"")]
    asked = query("mail.example.com", use_edns=0, options=options)
    with lab.inside("client"):
        over_tcp = dns.query.tcp(asked, V4, timeout=3)
        over_udp = dns.query.udp(asked, V4, timeout=3)
    assert {o.otype: o.to_wire() for o in over_tcp.options} == {
        3: b"lab1", 11: struct.pack("!H", IDLE_SECONDS * 10)}
    assert {o.otype: o.to_wire() for o in over_udp.options} == {3: b"lab1"}


def test_cookies_are_the_same_over_udp_and_tcp(lab):  # RFC 7873, RFC 9018
    client_cookie = bytes(range(8))
    def cookie_of(message):
        return next(o.to_wire() for o in message.options if o.otype == 10)
    def asked(cookie):
        return query("mail.example.com", use_edns=0, options=[dns.edns.GenericOption(10, cookie)])
    good, bad = lab.counter("dns_cookie_good"), lab.counter("dns_cookie_bad")
    with lab.inside("client"):
        first = cookie_of(dns.query.udp(asked(client_cookie), V4, timeout=3))
        assert len(first) == 24 and first[:8] == client_cookie
        again = dns.query.tcp(asked(first), V4, timeout=3)
        forged = dns.query.udp(asked(first[:-1] + bytes([first[-1] ^ 1])), V4, timeout=3)
    assert again.rcode() == forged.rcode() == dns.rcode.NOERROR
    assert cookie_of(again)[:16] == first[:16] or cookie_of(again)[:12] == first[:12]
    assert lab.counter("dns_cookie_good") - good == 1
    assert lab.counter("dns_cookie_bad") - bad == 1
    assert "COOKIE" in lab.exec("client", "kdig", f"@{V4}", "mail.example.com", "+cookie")


def test_the_node_tells_its_name_and_nothing_else_in_class_chaos(lab):  # RFC 4892
    with lab.inside("client"):
        name = dns.query.udp(query("id.server", "TXT", rdclass="CH"), V4, timeout=3)
        version = dns.query.udp(query("version.bind", "TXT", rdclass="CH"), V4, timeout=3)
    assert name.answer[0][0].strings == (b"lab1",)
    assert version.rcode() == dns.rcode.REFUSED


def test_changes_show_on_connections_that_are_open(lab):
    with lab.connect(V4, 53) as connection:
        for address in ("203.0.113.71", "203.0.113.72"):
            lab.brinkctl("record", "set", "changing.example.com", "A", address)
            connection.sendall(framed(query("changing.example.com")))
            assert {r.address for r in take(connection).answer[0]} == {address}
        lab.brinkctl("record", "delete", "changing.example.com", "A")


def test_many_clients_at_once(lab):
    def client(number):
        with lab.connect(V4 if number % 2 else V6, 53) as connection:
            for _ in range(20):
                question = query("mail.example.com")
                connection.sendall(framed(question))
                if not question.is_response(take(connection)):
                    return False
        return True
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert all(pool.map(client, range(60)))
    deadline = time.monotonic() + IDLE_SECONDS + 3
    while sum(w["tcp_connections"] for w in lab.stats()["workers"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sum(w["tcp_connections"] for w in lab.stats()["workers"]) == 0
