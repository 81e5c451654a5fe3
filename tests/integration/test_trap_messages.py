"""The message itself: header bits, opcodes, classes, EDNS, meta types, malformed ones, and compression."""
import socket
import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from trap_lab import V4, WAYS, each_way, flat, full_name, make_lab, make_query, records

HEADER = struct.Struct("!HHHHHH")
QUESTION = dns.name.from_text("www.trap.test.").to_wire() + struct.pack("!HH", 1, 1)
FORMERR, NOTIMP, REFUSED, BADVERS = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.BADVERS)
QR, AA, TC, RD, RA, Z, AD, CD = (1 << bit for bit in (15, 10, 9, 8, 7, 6, 5, 4))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("traps")) as lab:
        yield lab


def opt(payload=1232, ttl=0, data=b"", owner=b"\0"):
    return owner + struct.pack("!HHIH", 41, payload, ttl, len(data)) + data


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def message(flags=0, question=QUESTION, additional=(), counts=None):
    counts = counts or (1 if question else 0, 0, 0, len(additional))
    return HEADER.pack(77, flags, *counts) + question + b"".join(additional)


def answer(lab, octets, way):
    """Header flags, counts and the parsed response; nothing may be left over."""
    response = lab.exchange(octets, way)
    identifier, flags, *counts = HEADER.unpack(response[:12])
    assert identifier == 77 and flags & QR
    return flags, counts, dns.message.from_wire(response)


# RFC 1035 4.1.1, RFC 4035 3.1.6 and 3.2.2: what is copied, and what never is set.
@each_way
@pytest.mark.parametrize("bit,copied", [(AA, False), (TC, False), (RD, True), (RA, False), (Z, False),
                                        (AD, False), (CD, True)])
@pytest.mark.parametrize("name,kind", [("www", 1), ("nowhere", 1), ("x.cut", 1), ("elsewhere.example.", 1)])
def test_header_bits(lab, way, bit, copied, name, kind):
    question = full_name(name).to_wire() + struct.pack("!HH", kind, 1)
    plain, _, _ = answer(lab, message(0, question), way)
    flags, _, _ = answer(lab, message(bit, question), way)
    assert flags == (plain | bit if copied else plain)
    assert not plain & (TC | RD | RA | Z | AD | CD)


@each_way
@pytest.mark.parametrize("opcode", [1, 2, 3, 6, 7, 15])
def test_other_opcodes_are_not_implemented(lab, way, opcode):
    """RFC 1035 4.1.1: what the sections of such a message hold is not known, so only the header is sent."""
    identifier, flags, *counts = HEADER.unpack(lab.exchange(message(opcode << 11 | RD), way))
    assert identifier == 77 and flags == QR | opcode << 11 | RD | NOTIMP and counts == [0, 0, 0, 0]


# What is wrong with a message, octets, RCODE.
MALFORMED = [
    ("no question", message(question=b""), FORMERR),
    ("no question, with EDNS", message(question=b"", additional=[opt()]), FORMERR),
    ("two questions", message(question=QUESTION * 2, counts=(2, 0, 0, 0)), FORMERR),
    ("two questions by the count alone", message(counts=(2, 0, 0, 0)), FORMERR),
    ("65,535 questions", message(counts=(65535, 0, 0, 0)), FORMERR),
    ("an answer that is not there", message(counts=(1, 1, 0, 0)), FORMERR),
    ("additional data that is not there", message(counts=(1, 0, 0, 1)), FORMERR),
    ("octets left over", message() + b"\0", FORMERR),
    ("a question without class", message(question=QUESTION[:-2]), FORMERR),
    ("a name without end", message(question=b"\x03www"), FORMERR),
    ("a label beyond the end", message(question=b"\x3fwww"), FORMERR),
    ("a pointer as a question", message(question=b"\xc0\x0c" + QUESTION[-4:]), FORMERR),
    ("a pointer to the header", message(question=b"\x01a\xc0\x00" + QUESTION[-4:]), FORMERR),
    ("an extended label type", message(question=b"\x41\x08" + QUESTION[-4:]), FORMERR),
    ("two OPT records", message(additional=[opt(), opt()]), FORMERR),
    ("an OPT record that is not the root's", message(additional=[opt(owner=b"\x01a\0")]), FORMERR),
    ("an OPT record in the answer section", message(additional=[opt()], counts=(1, 1, 0, 0)), FORMERR),
    ("an OPT record in the authority section", message(additional=[opt()], counts=(1, 0, 1, 0)), FORMERR),
    ("an option longer than its record", message(additional=[opt(data=struct.pack("!HH", 3, 9))]), FORMERR),
    ("half an option", message(additional=[opt(data=b"\0\3\0")]), FORMERR),
    ("an OPT record longer than the message", message(additional=[opt()[:-1] + b"\x05"]), FORMERR),
    ("a cookie of 7 octets", message(additional=[opt(data=option(10, b"x" * 7))]), FORMERR),
    ("a cookie of 9 octets", message(additional=[opt(data=option(10, b"x" * 9))]), FORMERR),
    ("a cookie of 15 octets", message(additional=[opt(data=option(10, b"x" * 15))]), FORMERR),
    ("a cookie of 41 octets", message(additional=[opt(data=option(10, b"x" * 41))]), FORMERR),
    ("an empty cookie", message(additional=[opt(data=option(10))]), FORMERR),
]


@each_way
@pytest.mark.parametrize("octets,rcode", [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_malformed_messages(lab, way, octets, rcode):
    """RFC 1035 4.1.1, RFC 6891 6.1.1 and 7, RFC 7873 5.2.2, RFC 9619."""
    flags, counts, response = answer(lab, octets, way)
    assert flags & 0xf == rcode and not flags & (AA | TC | RA | AD)
    assert counts[1:3] == [0, 0] and response.rcode() == rcode


# RFC 6891 6.1.3 and 7: what an EDNS query may hold, and whether it is answered as without.
TOLERATED = [
    ("an unknown option", opt(data=option(65001, b"abc"))),
    ("an empty unknown option", opt(data=option(65001))),
    ("many options", opt(data=b"".join(option(65001 + i, b"x") for i in range(40)))),
    ("unknown flags", opt(ttl=0x7fff)),
    ("padding", opt(data=option(12, b"\0" * 100))),
    ("a client subnet", opt(data=option(8, b"\0\1\x18\0\xc6\x33\x64"))),
    ("a size of 0", opt(payload=0)),
    ("a size of 65,535", opt(payload=65535)),
    ("an extended RCODE", opt(ttl=0xff000000)),
]


@each_way
@pytest.mark.parametrize("record", [case[1] for case in TOLERATED], ids=[case[0] for case in TOLERATED])
def test_what_is_not_known_in_edns_is_ignored_and_not_repeated(lab, way, record):
    _, _, response = answer(lab, message(additional=[record]), way)
    assert response.rcode() == dns.rcode.NOERROR and flat(response.answer) == records(
        "www A 192.0.2.80\nwww A 192.0.2.81")
    assert response.edns == 0 and response.ednsflags == 0 and not response.options
    assert response.payload == 1232


@each_way
@pytest.mark.parametrize("version", [1, 2, 127, 255])
@pytest.mark.parametrize("name", ["www.trap.test.", "nowhere.trap.test.", "elsewhere.example."])
def test_another_version_of_edns(lab, way, version, name):
    """RFC 6891 6.1.3: BADVERS, in an OPT record of version 0, and nothing else."""
    question = dns.name.from_text(name).to_wire() + struct.pack("!HH", 1, 1)
    flags, counts, response = answer(lab, message(question=question, additional=[opt(ttl=version << 16)]), way)
    assert response.rcode() == BADVERS and response.edns == 0 and counts == [1, 0, 0, 1]
    assert not flags & AA


@each_way
def test_do_is_repeated_and_nothing_else(lab, way):
    """RFC 3225 3."""
    for ttl in (0x8000, 0xffff):
        _, _, response = answer(lab, message(additional=[opt(ttl=ttl)]), way)
        assert response.ednsflags == 0x8000


@each_way
@pytest.mark.parametrize("name", ["www.trap.test.", "elsewhere.example.", "nowhere.trap.test.", "x.cut.trap.test."])
def test_opt_is_answered_by_opt_and_only_then(lab, way, name):
    """RFC 6891 6.1.1, 7: in errors too."""
    question = dns.name.from_text(name).to_wire() + struct.pack("!HH", 1, 1)
    assert answer(lab, message(question=question), way)[2].edns == -1
    assert answer(lab, message(question=question, additional=[opt()]), way)[2].edns == 0


@each_way
def test_a_truncated_response_keeps_its_opt(lab, way):
    """RFC 6891 7."""
    question = full_name("s512").to_wire() + struct.pack("!HH", 16, 1)
    flags, _, response = answer(lab, message(question=question, additional=[opt(payload=512)]), way)
    assert response.edns == 0 and bool(flags & TC) == (way[0] == "udp")


@each_way
def test_a_cookie_may_be_asked_for_alone(lab, way):
    """RFC 7873 5.4."""
    flags, counts, response = answer(lab, message(question=b"", additional=[opt(data=option(10, b"12345678"))]), way)
    assert flags & 0xf == 0 and counts == [0, 0, 0, 1]
    cookie, = response.options
    assert cookie.otype == 10 and cookie.to_wire()[:8] == b"12345678" and len(cookie.to_wire()) == 24


@each_way
@pytest.mark.parametrize("kind", [41, 249, 250])  # OPT, TKEY, TSIG
def test_types_that_are_no_questions(lab, way, kind):
    """RFC 6895 3.1."""
    question = full_name("www").to_wire() + struct.pack("!HH", kind, 1)
    flags, counts, _ = answer(lab, message(question=question), way)
    assert flags & 0xf == FORMERR and counts[1:] == [0, 0, 0]


@each_way
@pytest.mark.parametrize("kind", [0, 54, 128, 200, 253, 254, 65280, 65535])
def test_types_that_nobody_has_are_no_data(lab, way, kind):
    """RFC 3597 3; MAILB and MAILA (RFC 1035 3.2.3) have no data either."""
    question = full_name("www").to_wire() + struct.pack("!HH", kind, 1)
    _, counts, response = answer(lab, message(question=question), way)
    assert response.rcode() == dns.rcode.NOERROR and counts == [1, 0, 1, 0]


def test_a_transfer_over_udp_is_refused_or_comes_as_one_soa(lab):
    """RFC 5936 4.2, RFC 1995 2."""
    for way in (WAYS["udp-v4"], WAYS["udp-v6"]):
        assert answer(lab, message(question=full_name("@").to_wire() + struct.pack("!HH", 252, 1)), way)[2].rcode() \
            in (FORMERR, NOTIMP, REFUSED)
        soa = answer(lab, message(question=full_name("@").to_wire() + struct.pack("!HH", 251, 1)), way)[2]
        assert [rrset.rdtype for rrset in soa.answer] == [dns.rdatatype.SOA]


@each_way
@pytest.mark.parametrize("klass", [0, 2, 3, 4, 254, 255, 65535])
def test_other_classes(lab, way, klass):
    """RFC 2181 5.1 has zones of one class; ours are IN."""
    flags, counts, _ = answer(lab, message(question=QUESTION[:-2] + struct.pack("!H", klass)), way)
    assert flags & 0xf == REFUSED and counts[1:] == [0, 0, 0] and not flags & AA


@each_way
@pytest.mark.parametrize("name", [".", "test.", "com.", "trap.test.example.", "xtrap.test.", "rap.test."])
@pytest.mark.parametrize("kind", ["A", "NS", "SOA", "DS", "ANY"])
def test_what_is_not_served_is_refused(lab, way, name, kind):
    """RFC 8906 3.1.1 and 8499: neither SERVFAIL, nor an upward referral."""
    question = dns.name.from_text(name).to_wire() + struct.pack("!HH", dns.rdatatype.from_text(kind), 1)
    flags, counts, _ = answer(lab, message(question=question), way)
    assert flags & 0xf == REFUSED and counts[1:] == [0, 0, 0] and not flags & AA


@each_way
@pytest.mark.parametrize("name", ["many", "www", "trap.test."])
def test_any_is_one_set(lab, way, name):
    """RFC 8482 4.1."""
    response = lab.ask(f"{name} ANY", way)
    assert len(response.answer) == 1 and response.flags & dns.flags.AA


def silent(octets, server=V4):
    """Whether nothing comes back, not even after the answer to a later question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(3)
        udp.connect((server, 53))
        udp.send(octets)
        udp.send(message())
        first = udp.recv(65535)
        udp.settimeout(0.2)
        try:
            udp.recv(65535)
            return False
        except TimeoutError:
            return first[12:12 + len(QUESTION)] == QUESTION


@pytest.mark.parametrize("octets", [message(QR), message(QR | AA) + b"junk", b"", b"\0", message()[:11],
                                    HEADER.pack(1, QR | 3, 0, 0, 0, 0)],
                         ids=["a response", "a response with more", "nothing", "an octet", "11 octets", "an error"])
def test_what_is_never_answered(lab, octets):
    """A response to a response makes a loop (RFC 1035 4.1.1); what has no header has no ID to answer."""
    with lab.inside("client"):
        assert silent(octets)


# Types whose data holds names: those of RFC 1035 may be compressed, no others (RFC 3597 4).
COMPRESSED = ["ptr PTR", "minfo MINFO", "mxmany MX", "mb MB", "mg MG", "mr MR", "alias CNAME"]
PLAIN = ["srv SRV", "naptr NAPTR", "rp RP", "afsdb AFSDB", "rt RT", "kx KX", "px PX", "svcb SVCB", "https HTTPS",
         "dn DNAME", "unknown TYPE65280"]


def answer_data(octets):
    """Type and raw data of each record in the answer section."""
    at = 12
    def skip_name(at):
        while octets[at] != 0:
            if octets[at] >= 0xc0:
                return at + 2
            at += 1 + octets[at]
        return at + 1
    at = skip_name(at) + 4
    for _ in range(struct.unpack("!H", octets[6:8])[0]):
        at = skip_name(at)
        kind, _, _, size = struct.unpack("!HHIH", octets[at:at + 10])
        yield kind, octets[at + 10:at + 10 + size]
        at += 10 + size


@each_way
@pytest.mark.parametrize("question", PLAIN)
def test_names_in_data_of_later_types_are_not_compressed(lab, way, question):
    query = make_query(question)
    octets = lab.exchange(query, way)
    response = dns.message.from_wire(octets)
    item, = response.answer[0]
    (_, data), = answer_data(octets)
    assert data == item.to_wire()  # dnspython would have followed pointers


@each_way
@pytest.mark.parametrize("question", COMPRESSED)
def test_names_in_data_of_the_first_types_arrive(lab, way, question):
    response = lab.ask(question, way)
    for item in response.answer[0]:
        names = [getattr(item, field) for field in ("target", "exchange", "rmailbx") if hasattr(item, field)]
        assert all(str(name).endswith((".trap.test.", ".example.")) for name in names)


@each_way
def test_every_type_comes_back_as_it_was_stored(lab, way):
    """RFC 3597 3: known or not."""
    expected = {
        "hinfo HINFO": 'hinfo HINFO "CPU" "OS"',
        "loc LOC": "loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
        "sshfp SSHFP": "sshfp SSHFP 4 2 " + "0123456789abcdef" * 4,
        "uri URI": 'uri URI 10 1 "https://www.trap.test/"',
        "eui48 EUI48": "eui48 EUI48 00-00-5e-00-53-2a",
        "caa CAA": 'caa CAA 128 issuewild ";"',
        "unknown TYPE65280": r"unknown TYPE65280 \# 4 0a000001",
        "ancient NULL": r"ancient NULL \# 3 010203",
        "https HTTPS": "https HTTPS 1 . alpn=h2",
        "httpsalias HTTPS": "httpsalias HTTPS 0 www",
        "svcb SVCB": "svcb SVCB 1 www alpn=h2",
        "_443._tcp.www TLSA": "_443._tcp.www TLSA 3 1 1 " + "0123456789abcdef" * 4,
        "many TXT": 'many TXT "one" "two" ""',
        "mxnull MX": "mxnull MX 0 .",
        "rp RP": "rp RP host.master www",
        "naptr NAPTR": 'naptr NAPTR 10 10 "u" "sip+E2U" "!^.*$!sip:info@trap.test!" www',
    }
    for question, record in expected.items():
        assert flat(lab.ask(question, way).answer) == records(record), question


def test_kdig_reads_what_it_is_told(lab):
    """Another implementation's parser reads the responses."""
    said = lab.exec("client", "kdig", f"@{V4}", "www.trap.test", "A", "+edns=1")
    assert "BADVERS" in said and "WARNING" not in said
