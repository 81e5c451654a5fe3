"""DNS over TCP as clients really speak it (RFC 7766), beyond test_dns_stream.py: boundaries of segments and
messages, order, aborts."""
import socket
import struct

import dns.flags
import dns.message
import dns.rcode
import pytest

from trap_lab import V4, V6, check_envelope, flat, make_lab, make_query, receive_framed, records

WWW = "www A 192.0.2.80\nwww A 192.0.2.81"
both_families = pytest.mark.parametrize("server", [V4, V6], ids=["v4", "v6"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("traps")) as lab:
        yield lab


def framed(query):
    octets = query if isinstance(query, bytes) else query.to_wire()
    return struct.pack("!H", len(octets)) + octets


def connect(lab, server):
    connection = lab.connect(server, 53)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@both_families
@pytest.mark.parametrize("cut", [1, 2, 3, 13, 14, 20, 30])
def test_a_message_in_two_segments(lab, server, cut):
    """RFC 7766 8: within the length, behind it, in the header, the name, the fixed part."""
    query = make_query("www A")
    octets = framed(query)
    with connect(lab, server) as connection:
        connection.sendall(octets[:cut])
        connection.sendall(octets[cut:])
        response = receive_framed(connection)
    check_envelope(query, response, "tcp")
    assert flat(dns.message.from_wire(response).answer) == records(WWW)


@both_families
@pytest.mark.parametrize("cut", [1, 5, 30, 45, 60])
def test_segments_that_do_not_end_where_messages_do(lab, server, cut):
    queries = [make_query(f"{name} A") for name in ("www", "alias", "nowhere", "x.cut")]
    octets = b"".join(map(framed, queries))
    with connect(lab, server) as connection:
        for at in range(0, len(octets), cut):
            connection.sendall(octets[at:at + cut])
        responses = [receive_framed(connection) for _ in queries]
    by_id = {response[:2]: response for response in responses}  # RFC 7766 6.2.1.1: in any order
    for query in queries:
        check_envelope(query, by_id[struct.pack("!H", query.id)], "tcp")


@both_families
def test_many_large_answers_in_a_row(lab, server):
    """More than any window holds, read late."""
    queries = [make_query("s16000 TYPE65300") for _ in range(40)]
    with connect(lab, server) as connection:
        connection.sendall(b"".join(map(framed, queries)))
        for query in queries:
            response = receive_framed(connection)
            check_envelope(query, response, "tcp")
            assert len(response) > 15_000


@both_families
def test_a_truncated_client_gets_the_whole_over_tcp(lab, server):
    """RFC 1035 4.2.1, RFC 7766 5."""
    over_udp = lab.ask("s1232 A", ("udp", server))
    assert over_udp.flags & dns.flags.TC
    assert len(lab.ask("s1232 A", ("tcp", server)).answer[0]) == 100


@both_families
@pytest.mark.parametrize("rubbish", [b"\0\0", framed(b""), framed(b"short"), framed(b"\0" * 11)],
                         ids=["length 0", "empty", "5 octets", "11 octets"])
def test_a_message_without_a_header_ends_the_connection(lab, server, rubbish):
    """There is no ID to answer with, and the client has lost its place in the stream."""
    with connect(lab, server) as connection:
        connection.sendall(rubbish + framed(make_query("www A")))
        try:
            assert receive_framed(connection) is None
        except ConnectionResetError:
            pass


@both_families
def test_a_response_is_not_answered(lab, server):
    query = make_query("www A")
    response = make_query("www A")
    response.flags |= dns.flags.QR
    with connect(lab, server) as connection:
        connection.sendall(framed(response) + framed(query))
        try:
            answer = receive_framed(connection)
        except ConnectionResetError:
            return
        if answer is not None:
            check_envelope(query, answer, "tcp")


@both_families
def test_octets_behind_a_question_are_not_the_next_one(lab, server):
    """The length counts, not what the message says of itself."""
    query = make_query("www A")
    with connect(lab, server) as connection:
        connection.sendall(framed(query.to_wire() + b"junk") + framed(query))
        first, second = receive_framed(connection), receive_framed(connection)
    assert dns.message.from_wire(first).rcode() == dns.rcode.FORMERR
    check_envelope(query, second, "tcp")


@both_families
def test_a_client_that_resets_in_mid_answer_harms_nobody(lab, server):
    """RFC 9293 3.10.7.4."""
    for _ in range(20):
        connection = connect(lab, server)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"".join(framed(make_query("s16000 TYPE65300")) for _ in range(10)))
        connection.recv(100)
        connection.close()
    assert flat(lab.ask("www A", ("tcp", server)).answer) == records(WWW)


@both_families
@pytest.mark.parametrize("size", [512, 4096])
def test_a_question_as_large_as_padding_makes_it(lab, server, size):
    """RFC 7830: what is asked may be padded, up to 4,096 octets."""
    question = make_query("www A").to_wire()
    fixed = len(question) + 4
    padding = struct.pack("!HH", 12, size - fixed) + b"\0" * (size - fixed)
    padded = question[:-2] + struct.pack("!H", len(padding)) + padding
    assert len(padded) == size
    with connect(lab, server) as connection:
        connection.sendall(framed(padded))
        response = dns.message.from_wire(receive_framed(connection))
    assert response.rcode() == dns.rcode.NOERROR and flat(response.answer) == records(WWW)
