"""What a zone gives away: referrals, the DS set between two zones, what is hidden, glue, truncation."""
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from trap_lab import (WAYS, check_case, check_envelope, data, each_way, flat, make_lab, make_query, nodata,
                      nxdomain, records, referral, table)
from trap_zones import deepest_zone

NS1 = "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\n"
NS2 = "ns2 A 192.0.2.2\n"
CUT = referral("cut NS ns.cut\ncut NS ns.elsewhere.example.", "ns.cut A 192.0.2.53\nns.cut AAAA 2001:db8::53")
SIGNED = referral("signed NS ns1", NS1)
SIGNED_DS = "signed 300 DS 12345 13 2 " + "0123456789abcdef" * 4
CHILD_DS = "child 900 DS 54321 13 2 " + "fedcba9876543210" * 4
OWN = referral("owncut NS owncut", "owncut A 192.0.2.61")
WIDE = ("".join(f"wide NS ns{i}.wide\n" for i in range(1, 10)),
        "".join(f"ns{i}.wide A 192.0.2.10{i}\nns{i}.wide AAAA 2001:db8::10{i}\n" for i in range(1, 10)))

# RFC 1034 4.3.2 step 3b. Nothing below a delegation is the zone's own.
REFERRAL = [
    ("a name below is referred", "RFC 1034 4.3.2", "any.cut A", CUT),
    ("the name itself is", "RFC 1034 4.3.2", "cut A", CUT),
    ("its NS set is no answer", "RFC 2181 6.1", "cut NS", CUT),
    ("nor is there a SOA", "RFC 2181 6.1", "cut SOA", CUT),
    ("ANY is referred", "RFC 1034 4.3.2", "cut ANY", CUT),
    ("CNAME is", "RFC 1034 4.3.2", "cut CNAME", CUT),
    ("glue is no answer", "RFC 2181 5.4.1", "ns.cut A", CUT),
    ("nor does it make a name", "RFC 1034 4.3.2", "ns.cut TXT", CUT),
    ("what is hidden is not answered", "RFC 1034 4.2.1", "www.cut A", CUT),
    ("nor is mail", "RFC 1034 4.2.1", "mx.cut MX", CUT),
    ("nor a wildcard below", "RFC 4592 4.2", "*.cut A", CUT),
    ("a delegation below a delegation refers to the first", "RFC 1034 4.3.2", "x.deeper.cut A", CUT),
    ("and so does its glue", "RFC 1034 4.3.2", "ns.deeper.cut A", CUT),
    ("a server of the delegation's own name has its glue", "RFC 1034 4.2.1", "x.owncut A", OWN),
    ("which is no answer", "RFC 1034 4.2.1", "owncut A", OWN),
    ("nor is what stands beside it", "RFC 1034 4.2.1", "owncut TXT", OWN),
    ("of whatever type", "RFC 1034 4.2.1", "owncut MX", OWN),
    ("many labels below", "RFC 1034 4.3.2", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.cut A", CUT),
    ("without glue there is none", "RFC 1034 4.3.2", "x.noglue A", referral("noglue NS ns.elsewhere.example.")),
    ("glue of a sibling goes along", "RFC 9471 3.2", "x.sibling A",
     referral("sibling NS ns.cut", "ns.cut A 192.0.2.53\nns.cut AAAA 2001:db8::53")),
    ("addresses of servers of ours do", "RFC 1034 4.3.2", "x.auth A",
     referral("auth 1200 NS ns1\nauth 1200 NS ns2", NS1 + NS2)),
    ("a delegation below an empty non-terminal", "RFC 1034 4.3.2", "x.a.b.entcut A",
     referral("a.b.entcut NS ns1", NS1)),
    ("all glue where it fits", "RFC 9471 3.1", "x.wide A", referral(*WIDE)),
    ("the zone's own NS set is data", "RFC 2181 6.1", "trap.test. NS",
     data("@ NS ns1\n@ NS ns2\n@ NS ns.other.test.", additional=NS1 + NS2)),
]

# RFC 4035 3.1.4.1, RFC 4034 5: the DS set is the parent's.
DELEGATION_SIGNER = [
    ("the parent answers for it", "RFC 4035 3.1.4.1", "signed DS", data(SIGNED_DS)),
    ("or says that there is none", "RFC 4035 3.1.4.1", "cut DS", nodata()),
    ("below the delegation it is the child's", "RFC 4035 3.1.4.1", "x.signed DS", SIGNED),
    ("a delegation below a delegation is the child's", "RFC 4035 3.1.4.1", "deeper.cut DS", CUT),
    ("other types at the delegation are not the parent's", "RFC 4035 3.1.4.1", "signed A", SIGNED),
    ("nor its keys", "RFC 4035 3.1.4.1", "signed DNSKEY", SIGNED),
    ("where both are served, the parent answers", "RFC 4035 3.1.4.1", "child DS", data(CHILD_DS)),
    ("the child for all else", "RFC 1034 4.3.2", "child NS",
     data("child NS ns.child", additional="ns.child A 192.0.2.60")),
    ("and that it has not", "RFC 1034 4.3.2", "child TXT", nodata("child.trap.test.")),
    ("what was glue is data there", "RFC 1034 4.3.2", "ns.child A", data("ns.child A 192.0.2.60")),
    ("a name of the child has no DS", "RFC 4035 3.1.4.1", "www.child DS", nodata("child.trap.test.")),
    ("nothing is there in the child", "RFC 1034 4.3.2", "x.www.child DS", nxdomain("child.trap.test.")),
    ("an apex whose parent is not served", "RFC 4035 3.1.4.1", "other.test. DS", nodata("other.test.")),
    ("the upper one of two as well", "RFC 4035 3.1.4.1", "trap.test. DS", nodata()),
    ("a name without a delegation", "RFC 4035 3.1.4.1", "www DS", nodata()),
    ("through an alias it is still the parent's", "RFC 4035 3.1.4.1", "tosigned DS",
     data("tosigned CNAME signed\n" + SIGNED_DS)),
    ("and where both are served", "RFC 4035 3.1.4.1", "tochildds DS", data("tochildds CNAME child\n" + CHILD_DS)),
    ("which leads to the child for all else", "RFC 1034 4.3.2", "tochildds NS",
     data("tochildds CNAME child\nchild NS ns.child", additional="ns.child A 192.0.2.60")),
]

# RFC 2181 5.4.1, RFC 6672 2.4.
OCCLUDED = [
    ("glue of the delegation's own name neither", "RFC 2181 5.4.1", "mxowncut MX", data("mxowncut MX 10 owncut")),
    ("an alias to it is referred", "RFC 1034 4.3.2", "toowncut A",
     referral(OWN.authority, OWN.additional, aa=True, answer="toowncut CNAME owncut")),
    ("glue is no additional data of others", "RFC 2181 5.4.1", "mxcut MX", data("mxcut MX 10 www.cut")),
    ("an alias to hidden data is referred", "RFC 1034 4.3.2", "tocut A",
     referral(CUT.authority, CUT.additional, aa=True, answer="tocut CNAME www.cut")),
    ("an alias to glue is", "RFC 1034 4.3.2", "tocut AAAA",
     referral(CUT.authority, CUT.additional, aa=True, answer="tocut CNAME www.cut")),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("traps")) as lab:
        yield lab


@table(REFERRAL)
def test_referrals(lab, case, way):
    check_case(lab, case, way)


@table(DELEGATION_SIGNER)
def test_the_ds_set_is_the_parents(lab, case, way):
    check_case(lab, case, way)


@table(OCCLUDED)
def test_what_is_hidden_stays_so(lab, case, way):
    check_case(lab, case, way)


def check_whole_sets(response, whole):
    """RFC 2181 9: a set is there as a whole or not at all, truncated or not."""
    names = {(owner, kind) for owner, _, kind, _ in whole}
    for section in (response.answer, response.authority, response.additional):
        for rrset in section:
            key = (rrset.name, dns.rdatatype.to_text(rrset.rdtype))
            if key in names:
                assert flat([rrset]) == {record for record in whole if record[0::2][:2] == key}


UDP = [way for way in WAYS.values() if way[0] == "udp"]
over_udp = pytest.mark.parametrize("way", UDP, ids=["v4", "v6"])
SIZES = [dict(use_edns=False), dict(payload=0), dict(payload=300), dict(payload=512)]


@over_udp
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_required_glue_that_does_not_fit_is_truncation(lab, way, size):
    """RFC 9471 3.1."""
    response = lab.ask("x.wide A", way, **size)
    assert response.flags & dns.flags.TC and not response.flags & dns.flags.AA
    check_whole_sets(response, records("".join(WIDE)))


@over_udp
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_glue_of_a_sibling_that_does_not_fit_is_left_out(lab, way, size):
    """RFC 9471 3.2: it may be asked for, so TC would only cost a connection."""
    response = lab.ask("x.besidewide A", way, **size)
    assert not response.flags & dns.flags.TC
    assert flat(response.authority) == records(WIDE[0].replace("wide NS", "besidewide NS"))
    check_whole_sets(response, records("".join(WIDE)))


@over_udp
def test_addresses_of_mail_servers_are_left_out_without_a_word(lab, way):
    """RFC 2181 9: TC is for what was required."""
    response = lab.ask("smx MX", way, payload=4096)
    assert (response.flags & dns.flags.TC == 0) == (len(response.answer) == 1)
    small = lab.ask("mxmany MX", way, use_edns=False)
    assert not small.flags & dns.flags.TC and len(small.answer[0]) == 4


# Question, size that is asked for, whether the answer is there.
TRUNCATION = [
    ("s512 TXT", None, False), ("s512 TXT", 512, False), ("s512 TXT", 0, False), ("s512 TXT", 1232, True),
    ("s512 TXT", 65535, True), ("s1232 A", 1232, False), ("s1232 A", 4096, False), ("s1232 A", 65535, False),
    ("s5000 TYPE65300", 65535, False), ("s16000 TYPE65300", 65535, False), ("s60000 TYPE65300", 65535, False),
    ("www A", 0, True), ("www A", None, True),
]


@over_udp
@pytest.mark.parametrize("question,size,there", TRUNCATION)
def test_a_set_is_there_whole_or_truncated(lab, way, question, size, there):
    """RFC 2181 9, RFC 6891 6.2.5 (sizes below 512 are 512), RFC 9715 (never more than 1,232)."""
    options = {"use_edns": False} if size is None else {"payload": size}
    response = lab.ask(question, way, **options)
    assert bool(response.flags & dns.flags.TC) == (not there)
    assert len(response.answer) == (1 if there else 0)
    assert response.rcode() == dns.rcode.NOERROR and response.flags & dns.flags.AA


@pytest.mark.parametrize("way", [way for way in WAYS.values() if way[0] == "tcp"], ids=["v4", "v6"])
@pytest.mark.parametrize("question,count", [("s512 TXT", 20), ("s1232 A", 100), ("s5000 TYPE65300", 24),
                                            ("s16000 TYPE65300", 31), ("s60000 TYPE65300", 119), ("smx MX", 40)])
def test_over_tcp_a_set_is_whole(lab, way, question, count):
    response = lab.ask(question, way, use_edns=False)
    assert len(response.answer[0]) == count


@pytest.mark.parametrize("way", [way for way in WAYS.values() if way[0] == "tcp"], ids=["v4", "v6"])
def test_nothing_points_where_no_pointer_reaches(lab, way):
    """RFC 1035 4.1.4: a pointer has 14 bits. The exchanges stand before and behind octet 16,383."""
    query = make_query("far MX")
    octets = lab.exchange(query, way)
    assert len(octets) > 0x4000
    check_envelope(query, octets, "tcp")
    response = dns.message.from_wire(octets)
    assert len(response.answer) == 16 and len(response.answer[-1]) == 70
    exchanges = {item.exchange for item in response.answer[-1]}
    assert {str(name)[-14:] for name in exchanges} == {"far.trap.test."}
    for rrset in response.additional:
        assert rrset.name in exchanges and len(rrset) == 2


def test_nor_behind_the_longest_chain_of_the_longest_names(lab):
    text, first = deepest_zone()
    lab.import_zone("z.", text)
    query = make_query(f"{first} MX")
    octets = lab.exchange(query, WAYS["tcp-v4"])
    check_envelope(query, octets, "tcp")
    response = dns.message.from_wire(octets)
    assert len(response.answer) == 17 and len(response.answer[-1]) == 70
    exchanges = {item.exchange for item in response.answer[-1]}
    for rrset in response.additional:
        assert rrset.name in exchanges and len(rrset) == 2


@each_way
def test_no_address_set_is_cut_in_half(lab, way):
    """RFC 2181 9. There are more addresses than a server may want to add, two for each exchange."""
    response = lab.ask("half MX", way)
    for rrset in response.additional:
        assert len(rrset) == 2


@over_udp
def test_an_alias_whose_target_does_not_fit_is_truncated(lab, way):
    response = lab.ask("tos16000 TYPE65300", way)
    assert response.flags & dns.flags.TC
    assert flat(response.answer) <= records("tos16000 CNAME s16000")


@each_way
def test_a_delegation_comes_and_goes(lab, way):
    """Names below become hidden, and are data again."""
    fresh = f"www.fresh{way[0]}{len(way[1])}"
    lab.brinkctl("record", "add", f"{fresh}.trap.test", "A", "192.0.2.200", "--ttl", "3600")
    assert flat(lab.ask(f"{fresh} A", way).answer) == records(f"{fresh} A 192.0.2.200")
    cut = fresh.split(".")[1]
    lab.brinkctl("record", "add", f"{cut}.trap.test", "NS", f"{fresh}.trap.test")
    response = lab.ask(f"{fresh} A", way)
    assert not response.flags & dns.flags.AA and not response.answer
    assert flat(response.additional) == records(f"{fresh} A 192.0.2.200")
    lab.brinkctl("record", "delete", f"{cut}.trap.test", "NS")
    assert flat(lab.ask(f"{fresh} A", way).answer) == records(f"{fresh} A 192.0.2.200")
    lab.brinkctl("record", "delete", f"{fresh}.trap.test", "A")
    assert lab.ask(f"{fresh} A", way).rcode() == dns.rcode.NXDOMAIN
