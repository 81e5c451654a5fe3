"""Which names exist, and which a wildcard stands for: empty non-terminals, wildcards, case, the TTL of no."""
import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from trap_lab import (WAYS, check, check_case, data, each_way, flat, full_name, make_lab, make_query, nodata,
                      nxdomain, records, referral, table)

WILD = "any.wild A 192.0.2.99"
WWW = "www A 192.0.2.80\nwww A 192.0.2.81\n"

# Empty non-terminals (RFC 4592 2.2.2, RFC 8020 2).
EMPTY = [
    ("a name with names below it exists", "RFC 8020 2", "ent A", nodata()),
    ("so does each on the way", "RFC 8020 2", "b.ent TXT", nodata()),
    ("a name beside them does not", "RFC 1034 4.3.2", "c.ent A", nxdomain()),
    ("nor one below the last", "RFC 1034 4.3.2", "x.a.b.ent A", nxdomain()),
    ("deep down they exist too", "RFC 8020 2", "7.8.9.10.11.12.13.14.15.16.17.18.19.20.deep A", nodata()),
    ("and end a label too far to the left", "RFC 8020 2", "0.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.deep A",
     nxdomain()),
    ("the last of them has its data", "RFC 1034 4.3.2", "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.deep TXT",
     data('1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.deep TXT "twenty"')),
    ("service names make them", "RFC 8020 2", "_tcp.www A", nodata()),
    ("above a delegation as well", "RFC 8020 2", "entcut A", nodata()),
    ("and next to it", "RFC 8020 2", "b.entcut NS", nodata()),
    ("above a wildcard", "RFC 4592 2.2.2", "wild A", nodata()),
    ("ANY finds none", "RFC 8482 4", "ent ANY", nodata()),
    ("and DS none", "RFC 4035 3.1.4.1", "ent DS", nodata()),
    ("and what only secondaries ask of the apex", "RFC 1034 4.3.2", "ent SOA", nodata()),
]

# RFC 4592: synthesis from the closest encloser's asterisk and from no other.
WILDCARD = [
    ("a name that is not there is made", "RFC 4592 3.3.1", "any.wild A", data(WILD)),
    ("however many labels it has", "RFC 4592 3.3.1", "a.b.c.wild A", data("a.b.c.wild A 192.0.2.99")),
    ("its own TTL goes along", "RFC 4592 3.3.1", "any.wild MX",
     data("any.wild 600 MX 10 mail", additional="mail A 192.0.2.25\nmail AAAA 2001:db8::25")),
    ("another type is no data", "RFC 4592 2.2.1", "any.wild TXT", nodata()),
    ("an existing name is not made, of whatever type", "RFC 4592 2.2.1", "exists.wild A", nodata()),
    ("nor what is below an existing name", "RFC 4592 3.3.1", "x.exists.wild A", nxdomain()),
    ("nor an empty non-terminal", "RFC 4592 2.2.2", "ent.wild A", nodata()),
    ("nor what is below one", "RFC 4592 3.3.1", "x.ent.wild A", nxdomain()),
    ("nor where another wildcard stands", "RFC 4592 3.3.1", "x.sub.wild A", nodata()),
    ("the wildcard's parent is there", "RFC 4592 2.2.2", "sub.wild A", nodata()),
    ("the asterisk itself is a name", "RFC 4592 2.3", "*.wild A", data("*.wild A 192.0.2.99")),
    ("below which nothing is made", "RFC 4592 4.1", "x.*.wild A", nxdomain()),
    ("a wildcard that is an empty non-terminal has no data", "RFC 4592 2.2.3", "any.star A", nodata()),
    ("but its child has", "RFC 4592 2.1.1", "child.*.star A", data("child.*.star A 192.0.2.98")),
    ("and makes nothing beside it", "RFC 4592 4.1", "x.*.star A", nxdomain()),
    ("an asterisk in the middle is a label", "RFC 4592 2.1.1", "x.*.midstar A", data("x.*.midstar A 192.0.2.96")),
    ("that stands for no other", "RFC 4592 2.1.1", "x.y.midstar A", nodata()),
    ("two asterisks: the first is a wildcard", "RFC 4592 2.1.1", "any.*.twice A", data("any.*.twice A 192.0.2.95")),
    ("and the second an empty one", "RFC 4592 2.1.1", "any.twice A", nodata()),
    ("a label that begins with one is none", "RFC 4592 2.1.1", "ab.notwild A", nxdomain()),
    ("nor is one of two of them", "RFC 4592 2.1.1", "any.almost A", nxdomain()),
    ("which has its data", "RFC 4592 2.1.1", "**.almost A", data("**.almost A 192.0.2.94")),
    ("no wildcard reaches below a delegation", "RFC 4592 3.3.1", "x.cut.zc A",
     referral("cut.zc NS ns1", "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1")),
    ("beside it one does", "RFC 4592 3.3.1", "xcut.zc A", data("xcut.zc A 192.0.2.93")),
    ("one that a zone below has does not speak", "RFC 1034 4.3.2", "x.cut A",
     referral("cut NS ns.cut\ncut NS ns.elsewhere.example.", "ns.cut A 192.0.2.53\nns.cut AAAA 2001:db8::53")),
    ("a wildcard alias leads on", "RFC 4592 3.3.3", "any.wildalias A", data("any.wildalias CNAME www\n" + WWW)),
    ("and is itself asked for", "RFC 4592 3.3.3", "any.wildalias CNAME", data("any.wildalias CNAME www")),
    ("where it leads nowhere, nothing is there", "RFC 6604 3", "any.wildnx A",
     nxdomain(answer="any.wildnx CNAME nowhere")),
    ("a wildcard SRV with its server's addresses", "RFC 2782", "_dns.srv SRV",
     data("_dns.srv SRV 1 2 53 ns1", additional="ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1")),
    ("ANY at a wildcard of one type", "RFC 8482 4.1", "any.txt ANY", data('any.txt TXT "text only"')),
    ("DS at a wildcard's name", "RFC 4035 3.1.4.1", "any.wild DS", nodata()),
]

# RFC 4343: letters compare without case, octets above ASCII do not.
CASE = [
    ("upper case finds lower", "RFC 4343 2", "WWW A", data(WWW)),
    ("lower finds upper", "RFC 4343 2", "mixed A", data("mixed A 192.0.2.77")),
    ("wildcards are found", "RFC 4343 2", "ANY.WILD A", data(WILD)),
    ("delegations are found", "RFC 4343 2", "X.SIGNED A",
     referral("signed NS ns1", "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1")),
    ("a dot in a label divides nothing", "RFC 4343 2.1", r"a\.b TXT", data(r'a\.b TXT "a dot inside a label"')),
    ("two labels are not one with a dot", "RFC 4343 2.1", "a.b TXT", nxdomain()),
    ("white space is an octet", "RFC 2181 11", r"sp\032ace TXT", data(r'sp\032ace TXT "a space inside a label"')),
    ("so is zero", "RFC 2181 11", r"\000nul TXT", data(r'\000nul TXT "a zero octet inside a label"')),
    ("zero ends no label", "RFC 2181 11", r"\000 TXT", nxdomain()),
    ("octets above ASCII are themselves", "RFC 4343 2.1", r"\255high TXT",
     data(r'\255high TXT "an octet above ASCII"')),
    ("and have no case", "RFC 4343 3", r"\225up TXT", nxdomain()),
    ("underscores are as good", "RFC 2181 11", "under_score TXT", data('under_score TXT "_"')),
    ("a label may have 63 octets", "RFC 1035 2.3.4", f"a{'2345678901' * 6}23 TXT",
     data(f'a{"2345678901" * 6}23 TXT "a label of 63 octets"')),
    ("nor have those beside the letters", "RFC 4343 3", "br{acket TXT", nxdomain()),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("traps")) as lab:
        yield lab


@table(EMPTY)
def test_empty_non_terminals(lab, case, way):
    check_case(lab, case, way)


@table(WILDCARD)
def test_wildcards(lab, case, way):
    check_case(lab, case, way)


@table(CASE)
def test_case_and_odd_labels(lab, case, way):
    check_case(lab, case, way)


@each_way
@pytest.mark.parametrize("name", ["wWw", "WwW", "mIxEd", "NoWhErE", "X.cUt", "aNy.WiLd", "ALIAS"])
def test_the_question_comes_back_bit_for_bit_and_owners_with_it(lab, way, name):
    """RFC 1035 7.3, and draft-vixie-dnsext-dns0x20: what a client compares with is what it sent."""
    response = lab.ask(f"{name} A", way)
    for rrset in response.answer:
        if rrset.name == full_name(name):
            assert rrset.name.labels[0] == name.split(".")[0].encode()


@each_way
def test_data_has_the_case_that_was_stored(lab, way):
    """RFC 1035 2.3.3: case is kept where it can be."""
    target = lab.ask("trap.test. NS", way).answer[0]
    assert {str(item.target).split(".")[0] for item in target} == {"ns1", "NS2", "ns"}
    assert lab.ask("alias2 CNAME", way).answer[0][0].target.labels[0] == b"Alias"


NEGATIVE_TTL = [("nowhere A", 600), ("www MX", 600), ("tonx A", 600), ("ent A", 600),
                ("nowhere.other.test. A", 300), ("www.other.test. MX", 300), ("other.test. DS", 300),
                ("x.www.child A", 60)]


@each_way
@pytest.mark.parametrize("question,ttl", NEGATIVE_TTL, ids=[each[0] for each in NEGATIVE_TTL])
def test_no_is_kept_as_long_as_the_smaller_of_soa_and_minimum(lab, way, question, ttl):
    """RFC 2308 3, 5; RFC 9077 is the same for what proves it in signed zones."""
    soa, = lab.ask(question, way).authority
    assert soa.ttl == ttl and soa.rdtype == dns.rdatatype.SOA


@each_way
def test_the_soa_asked_for_has_its_own_ttl(lab, way):
    for zone, ttl, minimum in (("trap.test.", 7200, 600), ("other.test.", 300, 3600)):
        soa, = lab.ask(f"{zone} SOA", way).answer
        assert soa.ttl == ttl and soa[0].minimum == minimum


def raw_question(name_octets, kind=dns.rdatatype.A):
    return struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + name_octets + struct.pack("!HH", kind, 1)


@each_way
def test_names_of_255_octets_are_looked_up_and_of_256_are_malformed(lab, way):
    """RFC 1035 2.3.4, 3.1."""
    tail = dns.name.from_text("wild.trap.test.").to_wire()
    room = 255 - len(tail)
    labels = b"\x3f" + b"a" * 63
    longest = labels * (room // 64)
    rest = room - len(longest)
    longest += bytes([rest - 1]) + b"b" * (rest - 1)
    assert len(longest + tail) == 255
    response = dns.message.from_wire(lab.exchange(raw_question(longest + tail), way))
    assert response.rcode() == dns.rcode.NOERROR and flat(response.answer) == {
        (response.question[0].name, *record[1:]) for record in records(WILD)}
    over = bytes([rest]) + b"b" * rest + longest[rest:] + tail
    octets = lab.exchange(raw_question(over), way)
    assert struct.unpack("!HHHHHH", octets) == (7, 0x8001, 0, 0, 0, 0)  # FORMERR, of the header alone


def test_a_record_makes_its_empty_non_terminals_and_takes_them_along(lab):
    """RFC 8020 2; servers that keep names by hand forget it on changes."""
    check(lab.ask("new A"), nxdomain())
    lab.brinkctl("record", "add", "a.b.new.trap.test", "TXT", '"x"')
    check(lab.ask("b.new A"), nodata())
    check(lab.ask("new A"), nodata())
    lab.brinkctl("record", "add", "c.new.trap.test", "TXT", '"x"')
    lab.brinkctl("record", "delete", "a.b.new.trap.test", "TXT")
    check(lab.ask("b.new A"), nxdomain())
    check(lab.ask("new A"), nodata())
    lab.brinkctl("record", "delete", "c.new.trap.test", "TXT")
    check(lab.ask("new A"), nxdomain())


def test_a_record_below_a_wildcard_stops_it_and_lets_it_go_again(lab):
    """RFC 4592 2.2.1: the closest encloser changes."""
    check(lab.ask("x.stop.wild A"), data("x.stop.wild A 192.0.2.99"))
    lab.brinkctl("record", "add", "deep.stop.wild.trap.test", "TXT", '"x"')
    check(lab.ask("x.stop.wild A"), nxdomain())
    check(lab.ask("stop.wild A"), nodata())
    lab.brinkctl("record", "delete", "deep.stop.wild.trap.test", "TXT")
    check(lab.ask("x.stop.wild A"), data("x.stop.wild A 192.0.2.99"))
    lab.brinkctl("record", "delete", "*.wild.trap.test", "A")
    check(lab.ask("x.stop.wild A"), nodata())  # the wildcard's MX is still there
    lab.brinkctl("record", "add", "*.wild.trap.test", "A", "192.0.2.99", "--ttl", "3600")
    check(lab.ask("x.stop.wild A"), data("x.stop.wild A 192.0.2.99"))


def test_kdig_sees_the_same(lab):
    """Another implementation's parser reads the responses."""
    def kdig(*question):
        return lab.exec("client", "kdig", f"@{WAYS['udp-v4'][1]}", *question, "+norec")
    assert "status: NXDOMAIN" in kdig("x.exists.wild.trap.test", "A")
    assert "status: NOERROR" in kdig("ent.trap.test", "A") and "ANSWER: 0" in kdig("ent.trap.test", "A")
    assert "WARNING" not in kdig("any.wild.trap.test", "MX") + kdig("any.wildalias.trap.test", "A", "+tcp")


def test_recursion_is_not_offered_and_asking_changes_nothing(lab):
    query = make_query("any.wild A")
    query.flags |= dns.flags.RD
    response = dns.message.from_wire(lab.exchange(query, WAYS["udp-v6"]))
    check(response, data(WILD))
    assert response.flags & dns.flags.RD and not response.flags & dns.flags.RA
