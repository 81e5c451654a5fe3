"""DNS over TLS (RFC 7858) with real programs: kdig, openssl s_client and Python's ssl on the client, over IPv4 and
IPv6. Certificates come from files of the operator, and from the image by the name that the client asks for."""
import contextlib
import os
import signal
import ssl
import struct
import subprocess
import time

import dns.edns
import dns.message
import dns.rcode
import pytest

from certificates import Certificates
from lab import Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4, V6 = "192.0.2.129", "2001:db8:a::130"
ZONE, SERVER, PORT = "example.com", "ns1.example.net", 853
HOST = f"www.{ZONE}"
BIG, BIG_RECORDS = f"big.{ZONE}", 30
IDLE_SECONDS, HANDSHAKE_SECONDS, PER_CLIENT = 2, 2, 40
TOPOLOGIES = {"one worker": "1:dns+l7", "dns and l7 apart": "0:dns,1:l7", "both on each": "0:dns+l7,1:dns+l7"}


@pytest.fixture(scope="module", params=TOPOLOGIES.values(), ids=TOPOLOGIES.keys())
def lab(request, tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("dot"), "DNS CA")
        lab.made.leaf(SERVER, name="server")
        lab.tickets = lab.state / "ticket-key"
        lab.tickets.touch(0o600)
        lab.tickets.write_text(os.urandom(32).hex() + "\n")
        lab.workers = request.param
        start_edge(lab)
        lab.control_start()
        zone = lab.state / "dot-zone"
        zone.write_text("@ 300 IN SOA ns1 host 1 7200 3600 604800 300\nwww 300 IN A 203.0.113.10\n" + "".join(
            f'big 300 IN TXT "{i} {"x" * 240}"\n' for i in range(BIG_RECORDS)))
        lab.brinkctl("zone", "import", zone, "--zone", ZONE, "--create", "--activate")
        lab.made.leaf(ZONE, f"*.{ZONE}", name="zone")
        lab.brinkctl("certificate", "add", ZONE, lab.made.folder / "zone.pem", "--key", lab.made.folder / "zone.key")
        yield lab
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


def start_edge(lab, *more, certificate=True):
    files = (f"--tls.dot-certificate={lab.made.folder / 'server.pem'}",
             f"--tls.dot-key={lab.made.folder / 'server.key'}") if certificate else ()
    lab.edge_start(workers=lab.workers, arguments=(
        f"--service.dot-port={PORT}", f"--dns.tcp-idle-s={IDLE_SECONDS}", f"--tls.handshake-s={HANDSHAKE_SECONDS}",
        f"--dns.tcp-per-client={PER_CLIENT}", f"--tls.ticket-key-file={lab.tickets}", *files, *more))


def kdig(lab, *options, server=V4, verified=SERVER, check=True):
    trust = (f"+tls-ca={lab.made.folder / 'ca.pem'}", f"+tls-hostname={verified}") if verified else ("+tls",)
    return lab.exec("client", "kdig", f"@{server}", *trust, "+norec", "+timeout=3", "+retry=0", *options, check=check)


def context(lab, *protocols):
    made = ssl.create_default_context(cafile=lab.made.folder / "ca.pem")
    if protocols:
        made.set_alpn_protocols(protocols)
    return made


def connect(lab, name=SERVER, address=V4, tls=None, session=None, **more):
    """A connection of Python's own TLS, verified."""
    return (tls or context(lab)).wrap_socket(lab.connect(address, PORT, **more), server_hostname=name,
                                             session=session, suppress_ragged_eofs=False)


def framed(*queries):
    return b"".join(struct.pack("!H", len(wire)) + wire for wire in (query.to_wire() for query in queries))


def exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return None
        data += more
    return data


def take(connection):
    """The next message; None at the end."""
    head = exactly(connection, 2)
    return None if head is None else dns.message.from_wire(exactly(connection, struct.unpack("!H", head)[0]))


def ask(connection, name=HOST, kind="A", **options):
    connection.sendall(framed(dns.message.make_query(name, kind, **options)))
    return take(connection)


def shown(connection):
    return {name for _, name in connection.getpeercert()["subjectAltName"]}


# ---- answers ----


@pytest.mark.parametrize("server", [V4, V6])
def test_kdig_verifies_the_server_and_gets_the_answer(lab, server):
    with lab.counted(dot_connections=1, dot_queries=1, dot_failed=0, dns_stream_queries=0):
        assert kdig(lab, HOST, "A", "+short", server=server) == "203.0.113.10\n"


def test_kdig_refuses_a_server_of_another_name(lab):
    done = subprocess.run(["ip", "netns", "exec", f"{lab.name}-client", "kdig", f"@{V4}", HOST, "+retry=0", "+timeout=3",
                           f"+tls-ca={lab.made.folder / 'ca.pem'}", "+tls-hostname=ns2.example.org"],
                          capture_output=True, text=True, timeout=30)
    assert "203.0.113.10" not in done.stdout and done.stdout + done.stderr


def test_queries_follow_each_other_on_one_connection(lab):
    with lab.counted(dot_connections=1, dot_queries=4):
        answers = kdig(lab, "+keepopen", "+short", HOST, "A", BIG, "TXT", HOST, "A", f"no.{ZONE}", "A")
    assert answers.count("203.0.113.10\n") == 2
    assert answers.count("x" * 240) == BIG_RECORDS, "whatever its size, nothing is truncated"


def test_pipelined_queries_are_all_answered(lab):  # RFC 7858 3.3
    questions = [dns.message.make_query(HOST if i % 2 else f"no{i}.{ZONE}", "A", id=i) for i in range(200)]
    with connect(lab) as connection:
        connection.sendall(framed(*questions))
        answers = {message.id: message for message in (take(connection) for _ in questions)}
    for question in questions:
        expected = dns.rcode.NOERROR if question.id % 2 else dns.rcode.NXDOMAIN
        assert answers[question.id].rcode() == expected


def test_a_query_may_come_octet_by_octet_each_in_a_record(lab):
    with connect(lab) as connection:
        for octet in framed(dns.message.make_query(HOST, "A")):
            connection.sendall(bytes([octet]))
        assert take(connection).rcode() == dns.rcode.NOERROR


def test_answers_are_padded_for_who_pads(lab):  # RFC 7830, 8467 4.1
    with connect(lab) as connection:
        padded = dns.message.make_query(HOST, "A", use_edns=0, pad=128)
        connection.sendall(framed(padded))
        size = struct.unpack("!H", exactly(connection, 2))[0]
        assert size == 468
        exactly(connection, size)
        assert len(ask(connection, use_edns=0).to_wire()) < 100
        connection.sendall(framed(dns.message.make_query(BIG, "TXT", use_edns=0, pad=128)))
        size = struct.unpack("!H", exactly(connection, 2))[0]
        assert size % 468 == 0 and size > BIG_RECORDS * 240


def test_the_idle_time_is_told_and_kept(lab):  # RFC 7828
    with connect(lab) as idle, connect(lab) as busy:
        keepalive = dns.edns.GenericOption(11, b"")
        answer = ask(idle, use_edns=0, options=[keepalive])
        assert [bytes(option.data) for option in answer.options if option.otype == 11] == [
            struct.pack("!H", IDLE_SECONDS * 10)]
        since = time.monotonic()
        while time.monotonic() - since < IDLE_SECONDS * 1.5:
            assert ask(busy) is not None
            time.sleep(IDLE_SECONDS / 4)
        assert idle.recv(1) == b"", "it ends with close_notify"


# ---- TLS ----


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("protocols", [(), ("dot",), ("h2", "dot")])
def test_versions_and_alpn(lab, version, protocols):
    tls = context(lab, *protocols)
    tls.minimum_version = tls.maximum_version = version
    with connect(lab, tls=tls) as connection:
        assert connection.selected_alpn_protocol() == ("dot" if protocols else None)
        assert ask(connection).rcode() == dns.rcode.NOERROR


def test_who_offers_no_dot_is_refused(lab):  # RFC 7301 3.2
    with lab.counted(dot_failed=1, dot_connections=0), pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect(lab, tls=context(lab, "http/1.1"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_any_worker(lab, version):
    tls = context(lab)
    tls.minimum_version = tls.maximum_version = version
    with connect(lab, tls=tls) as first:
        ask(first)
        session = first.session
    with lab.counted(dot_connections=6, dot_resumed=6, dot_failed=0):
        for _ in range(6):
            with connect(lab, tls=tls, session=session) as again:
                assert again.session_reused
                assert ask(again).rcode() == dns.rcode.NOERROR
                session = again.session


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"\0" * 600, b"\x16\x03\x01\xff\xff" + b"x" * 600,
                                  b"\x00\x1d" + b"\x12\x34" * 20], ids=["HTTP", "zeros", "a false record", "DNS"])
def test_what_is_no_tls_ends_its_connection(lab, sent):
    with lab.counted(dot_failed=1, dot_queries=0), lab.connect(V4, PORT) as broken:
        broken.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while broken.recv(4096):
                pass
    assert kdig(lab, HOST, "+short") == "203.0.113.10\n"


def test_a_handshake_has_its_time(lab):
    with lab.counted(dot_failed=2), lab.connect(V4, PORT) as silent, lab.connect(V6, PORT) as halting:
        halting.sendall(b"\x16\x03\x01\x02\x00\x01")  # and no more
        for connection in (silent, halting):
            assert connection.recv(1) == b""


@pytest.mark.parametrize("bad", [b"\0\0", b"\0\x0b" + b"x" * 11, b"\xff\xff" + b"x" * 100])
def test_what_is_no_query_ends_its_connection(lab, bad):
    with lab.counted(drop_dot_framing=1, drop_dns_stream_framing=0), connect(lab) as broken:
        broken.sendall(framed(dns.message.make_query(HOST, "A")) + bad)
        assert take(broken).rcode() == dns.rcode.NOERROR, "what came before is answered"
        assert broken.recv(1) == b""


def test_s_client_that_ends_its_side_gets_its_answer(lab):
    question = framed(dns.message.make_query(HOST, "A"))
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "openssl", "s_client", "-connect", f"{V4}:{PORT}", "-servername", SERVER,
         "-CAfile", str(lab.made.folder / "ca.pem"), "-verify_return_error", "-alpn", "dot", "-quiet", "-split_send_frag", "512",
         "-max_send_frag", "512"], input=question * 40, capture_output=True, timeout=30)
    assert done.stdout.count(bytes([203, 0, 113, 10])) == 40, done.stderr


def test_half_a_query_and_the_end_is_the_end(lab):
    with connect(lab) as connection:
        connection.sendall(framed(dns.message.make_query(HOST, "A"))[:10])
        assert connection.unwrap() is not None  # their close_notify came for ours


# ---- limits ----


def test_one_client_gets_its_share_and_no_more(lab):
    before = lab.counter("drop_dot_limit")
    with contextlib.ExitStack() as open_ones:
        served = refused = 0
        for _ in range(3 * PER_CLIENT):
            try:
                connection = open_ones.enter_context(connect(lab))
                served += ask(connection) is not None
            except OSError:
                refused += 1
        assert refused > 0 and served >= PER_CLIENT
        assert lab.counter("drop_dot_limit") - before == refused
        with lab.connect(V4, 53) as over_tcp:
            assert ask(over_tcp).rcode() == dns.rcode.NOERROR, "which has a share of its own"
    assert wait_until(lambda: kdig(lab, HOST, "+short", check=False) == "203.0.113.10\n")


def test_who_does_not_read_holds_up_nobody(lab):
    with lab.counted(dot_failed=0), connect(lab, receive_buffer=4096) as slow:
        before = lab.counter("dot_waits")
        slow.sendall(framed(*[dns.message.make_query(BIG, "TXT", id=i) for i in range(80)]))
        assert wait_until(lambda: lab.counter("dot_waits") > before)
        assert kdig(lab, HOST, "+short") == "203.0.113.10\n"
        for i in range(80):
            assert len(take(slow).answer[0]) == BIG_RECORDS, i


def test_many_connections_at_once(lab):
    with lab.counted(dot_connections=PER_CLIENT, dot_queries=3 * PER_CLIENT, dot_failed=0), contextlib.ExitStack() as all_of:
        connections = [all_of.enter_context(connect(lab)) for _ in range(PER_CLIENT)]
        for _ in range(3):
            for connection in connections:
                connection.sendall(framed(dns.message.make_query(HOST, "A")))
            for connection in connections:
                assert take(connection).rcode() == dns.rcode.NOERROR


def test_latencies_have_a_histogram_of_their_own(lab):
    def noted(kind):
        return sum(sum(worker["latencies"][kind]) for worker in lab.stats()["workers"])
    before = noted("dns_dot"), noted("dns_tcp")
    kdig(lab, HOST, "+short")
    assert wait_until(lambda: noted("dns_dot") == before[0] + 1)
    assert noted("dns_tcp") == before[1]


# ---- certificates ----


def test_which_certificate_is_shown(lab):
    with connect(lab, name=HOST) as by_name:
        assert shown(by_name) == {ZONE, f"*.{ZONE}"}
        assert ask(by_name).rcode() == dns.rcode.NOERROR
    lenient = context(lab)
    lenient.check_hostname = False
    for name in (None, SERVER, "elsewhere.example.org"):
        with connect(lab, name=name, tls=lenient) as other:
            assert shown(other) == {SERVER}, name


def test_a_certificate_of_the_image_is_replaced_while_connections_live(lab):
    with connect(lab, name=HOST) as before:
        assert ask(before).rcode() == dns.rcode.NOERROR
        lab.made.leaf(HOST, name="fresh")
        added = lab.brinkctl("certificate", "add", ZONE, lab.made.folder / "fresh.pem", "--key",
                             lab.made.folder / "fresh.key")
        with connect(lab, name=HOST) as after:
            assert shown(after) == {HOST}
        assert ask(before).rcode() == dns.rcode.NOERROR
    lab.brinkctl("certificate", "delete", ZONE, added["id"])
    with connect(lab, name=HOST) as after:
        assert shown(after) == {ZONE, f"*.{ZONE}"}


def test_the_files_are_read_again(lab):
    log = lab.state / "edge.log"
    def said(text):
        return log.read_text().count(text)
    with connect(lab) as before:
        lab.made.leaf(SERVER, "ns2.example.net", name="server")
        reloads = said("read again")
        os.kill(lab.edge_pid(), signal.SIGHUP)
        assert wait_until(lambda: said("read again") == reloads + 1)
        with connect(lab) as after:
            assert shown(after) == {SERVER, "ns2.example.net"}
        assert ask(before).rcode() == dns.rcode.NOERROR
        good = (lab.made.folder / "server.key").read_text()
        (lab.made.folder / "server.key").write_text("broken\n")
        os.kill(lab.edge_pid(), signal.SIGHUP)
        assert wait_until(lambda: said("stays as it is") >= 1)
        (lab.made.folder / "server.key").write_text(good)
        with connect(lab) as still:
            assert shown(still) == {SERVER, "ns2.example.net"}


def test_a_host_of_the_image_instead_of_files_and_sessions_after_a_restart(lab):
    tls = context(lab)
    with connect(lab, name=HOST, tls=tls) as first:
        ask(first)
        session = first.session
    lab.edge_stop()
    start_edge(lab, f"--tls.dot-host={HOST}", certificate=False)
    try:
        # The image and the key file are on the disk: nobody has to be asked.
        with connect(lab, name=HOST, tls=tls, session=session) as again:
            assert again.session_reused and ask(again).rcode() == dns.rcode.NOERROR
        lenient = context(lab)
        lenient.check_hostname = False
        for name in (None, "elsewhere.example.org"):
            with connect(lab, name=name, tls=lenient) as other:
                assert shown(other) == {ZONE, f"*.{ZONE}"}, name
    finally:
        lab.edge_stop()
        start_edge(lab)


def test_without_a_certificate_a_client_is_refused_and_without_a_port_nobody_listens(lab):
    lab.edge_stop()
    start_edge(lab, certificate=False)
    try:
        with lab.counted(dot_failed=1, tls_unknown_name=0), pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
            connect(lab)
        lab.edge_stop()
        lab.edge_start(workers=lab.workers)
        with pytest.raises(OSError):
            lab.connect(V4, PORT, timeout=2)
    finally:
        lab.edge_stop()
        start_edge(lab)
