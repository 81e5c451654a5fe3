"""What the test_trap_*.py share: a lab that serves the zones of tests/zones, four ways to ask, and tables.

A case is (behaviour, rule, question, expected). The question is "name type", relative to trap.test.; what is
expected is made by data(), nodata(), nxdomain(), referral() and alias(), with records as a zone file has
them: "www A 192.0.2.80", of TTL 3600 unless it says another. Sections are compared as sets, with TTLs.
"""
import dataclasses
import socket
import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import pytest

from lab import Lab
from trap_zones import NAMES, OCCLUDED, zone_text

ORIGIN = dns.name.from_text("trap.test.")
V4, V6 = "192.0.2.129", "2001:db8:a::130"
WAYS = {f"{transport}-{family}": (transport, server) for transport in ("udp", "tcp")
        for family, server in (("v4", V4), ("v6", V6))}
UDP_SIZE = 1232

each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def make_lab(folder, *arguments):
    """A lab that serves the zones, as a context; `arguments` go to brink-edge."""
    return TrapLab(folder, arguments)


class TrapLab(Lab):
    def __init__(self, folder, arguments):
        super().__init__()
        self.folder, self.arguments = folder, arguments

    def up(self):
        super().up()
        self.edge_start(workers="1:dns+l7", arguments=self.arguments)
        # The zones' own TTLs, whatever an operator allows by default; sets as large as DNS has them.
        self.control_start("--ttl-max", "604800", "--ttl-min", "2")
        for name in NAMES:
            self.import_zone(name, zone_text(name) + (OCCLUDED if name == "trap.test" else ""))

    def import_zone(self, name, text, check=True):
        file = self.folder / f"{name}.zone"
        file.write_text(text)
        return self.brinkctl("zone", "import", file, "--zone", name, "--create", "--activate", check=check)

    def exchange(self, query, way):
        """The response's octets to a message or octets."""
        transport, server = way
        octets = query if isinstance(query, bytes) else query.to_wire()
        if transport == "udp":
            with self.inside("client"):
                return udp_exchange(octets, server)
        with self.connect(server, 53) as connection:
            connection.sendall(struct.pack("!H", len(octets)) + octets)
            return receive_framed(connection)

    def ask(self, question, way=WAYS["udp-v4"], **options):
        """The response to "name type", checked for what is true of every response."""
        query = make_query(question, **options)
        octets = self.exchange(query, way)
        check_envelope(query, octets, way[0])
        return dns.message.from_wire(octets)


def udp_exchange(octets, server, timeout=3):
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(timeout)
        udp.connect((server, 53))  # only that address and port may answer
        udp.send(octets)
        return udp.recv(65535)


def receive_framed(connection):
    """The next message of a stream; None at its end."""
    def exactly(size):
        octets = b""
        while len(octets) < size:
            more = connection.recv(size - len(octets))
            if not more:
                return None
            octets += more
        return octets
    head = exactly(2)
    return None if head is None else exactly(struct.unpack("!H", head)[0])


def full_name(text):
    return dns.name.from_text(text, ORIGIN)


def make_query(question, **options):
    """With EDNS of 1,232 octets unless `options`, those of dns.message.make_query, say otherwise."""
    name, kind = question.rsplit(" ", 1)
    options = {"use_edns": 0, "payload": UDP_SIZE} | options
    query = dns.message.make_query(full_name(name), kind, **options)
    query.flags &= ~dns.flags.RD
    return query


def check_envelope(query, octets, transport="udp"):
    """RFC 1035 4.1.1: what a response repeats of its query, and what no authoritative server sets."""
    asked = query.to_wire()
    response = dns.message.from_wire(octets)  # no octets left over, all names and counts in order
    identifier, flags, questions = struct.unpack("!HHH", octets[:6])
    assert identifier == query.id and questions == 1
    assert flags & dns.flags.QR and not flags & (dns.flags.RA | dns.flags.AD | 0x40)
    assert flags & 0x7800 == query.flags & 0x7800
    assert flags & (dns.flags.RD | dns.flags.CD) == query.flags & (dns.flags.RD | dns.flags.CD)
    question_end = 12 + len(query.question[0].name.to_wire()) + 4
    assert octets[12:question_end] == asked[12:question_end]  # RFC 1035 7.3, bit for bit
    assert (response.edns >= 0) == (query.edns >= 0)  # RFC 6891 6.1.1
    if transport == "udp":
        assert len(octets) <= (min(max(query.payload, 512), UDP_SIZE) if query.edns >= 0 else 512)
    else:
        assert not flags & dns.flags.TC
    counts = struct.unpack("!HHH", octets[6:12])
    sections = (response.answer, response.authority, response.additional)
    for count, section in zip(counts, sections):  # RFC 2181 5: no record is there twice
        records_of_opt = 1 if section is response.additional and response.edns >= 0 else 0
        assert count == sum(map(len, section)) + records_of_opt


def records(text, ttl=3600):
    """Records as a zone file has them, owner [TTL] type data, as a set of (owner, TTL, type, data); names in
    data compare without case."""
    found = set()
    for line in filter(None, text.split("\n")):
        owner, *fields = line.split(" ")
        own_ttl = int(fields.pop(0)) if fields[0].isdigit() else ttl
        item = dns.rdata.from_text("IN", fields[0], " ".join(fields[1:]), ORIGIN, relativize=False)
        found.add((full_name(owner), own_ttl, fields[0], item))
    return found


def flat(section):
    return {(rrset.name, rrset.ttl, dns.rdatatype.to_text(rrset.rdtype), item) for rrset in section
            for item in rrset}


@dataclasses.dataclass(frozen=True)
class Expected:
    rcode: str = "NOERROR"
    aa: bool = True
    answer: str = ""
    authority: str = ""
    additional: str | None = ""  # None: not looked at


def negative_soa(zone):
    name, ttl, master, mailbox, fields = {
        "trap.test.": ("trap.test.", 600, "ns1", "host.master", "3600 900 604800 600"),
        "child.trap.test.": ("child.trap.test.", 60, "ns", "host", "3600 900 604800 60"),
        "other.test.": ("other.test.", 300, "ns", "host", "3600 900 604800 3600"),
    }[zone]
    return f"{name} {ttl} SOA {master}.{name} {mailbox}.{name} 2026010101 {fields}\n"


def data(answer, authority="", additional=""):
    return Expected(answer=answer, authority=authority, additional=additional)


def nodata(zone="trap.test.", answer=""):
    return Expected(answer=answer, authority=negative_soa(zone))


def nxdomain(zone="trap.test.", answer=""):
    return Expected("NXDOMAIN", answer=answer, authority=negative_soa(zone))


def referral(servers, glue="", aa=False, answer=""):
    return Expected(aa=aa, answer=answer, authority=servers, additional=glue)


def check(response, expected):
    """All three sections, the RCODE and AA of a response that is not truncated."""
    assert dns.rcode.to_text(response.rcode()) == expected.rcode
    assert bool(response.flags & dns.flags.AA) == expected.aa
    assert not response.flags & dns.flags.TC
    assert flat(response.answer) == records(expected.answer)
    assert without_serial(flat(response.authority)) == without_serial(records(expected.authority))
    if expected.additional is not None:
        assert flat(response.additional) == records(expected.additional)


def without_serial(found):
    """The server keeps serials of its own."""
    return {(owner, ttl, kind, item.replace(serial=0) if kind == "SOA" else item)
            for owner, ttl, kind, item in found}


def table(cases, failing=()):
    """Parametrizes a test by cases, each in four ways. `failing`: (behaviour, reason) of those known to
    be answered wrongly; they fail the run when they are no longer."""
    reasons = dict(failing)
    assert set(reasons) <= {case[0] for case in cases}
    parameters = [
        pytest.param(case[1:], way, id=f"{case[0]} [{case[1]}] {way_name}",
                     marks=pytest.mark.xfail(strict=True, reason=reasons[case[0]])
                     if case[0] in reasons else ())
        for case in cases for way_name, way in WAYS.items()]
    return pytest.mark.parametrize("case,way", parameters)


def check_case(lab, case, way):
    _, question, expected = case
    check(lab.ask(question, way), expected)
