"""CNAME chains, within a zone, across served zones and out of them; DNAME."""
import dns.flags
import dns.name
import dns.rcode
import pytest

from trap_lab import (Expected, WAYS, check, check_case, data, each_way, flat, full_name, make_lab, nodata,
                      nxdomain, records, table)
from trap_zones import LONG_CHAIN

WWW = "www A 192.0.2.80\nwww A 192.0.2.81\n"
WWW6 = "www AAAA 2001:db8::80"
OTHER = "other.test."
CHAIN = "".join(f"chain{i} CNAME chain{i + 1}\n" for i in range(1, 8)) + "chain8 CNAME www\n"

# RFC 1034 4.3.2 step 3a, 3.6.2; RFC 6604: the RCODE is that of the last name.
CNAME = [
    ("the alias and what it stands for", "RFC 1034 4.3.2", "alias A", data("alias CNAME www\n" + WWW)),
    ("of the type that is asked for", "RFC 1034 4.3.2", "alias AAAA", data("alias CNAME www\n" + WWW6)),
    ("two of them, each with its TTL", "RFC 1034 4.3.2", "alias2 A",
     data("alias2 1800 CNAME alias\nalias CNAME www\n" + WWW)),
    ("eight of them", "RFC 1034 4.3.2", "chain1 A", data(CHAIN + WWW)),
    ("asked for itself it is not followed", "RFC 1034 3.6.2", "alias2 CNAME", data("alias2 1800 CNAME alias")),
    ("nor for ANY", "RFC 1034 4.3.2", "alias ANY", data("alias CNAME www")),
    ("no data at its end", "RFC 2308 2.2", "alias2 MX", nodata(answer="alias2 1800 CNAME alias\nalias CNAME www")),
    ("nothing at its end", "RFC 6604 3", "tonx A", nxdomain(answer="tonx CNAME nowhere")),
    ("an empty non-terminal at its end", "RFC 2308 2.2", "toent A", nodata(answer="toent CNAME ent")),
    ("a wildcard at its end", "RFC 4592 3.3.3", "towild A", data("towild CNAME any.wild\nany.wild A 192.0.2.99")),
    ("a wildcard without the type", "RFC 2308 2.2", "towild TXT", nodata(answer="towild CNAME any.wild")),
    ("the apex at its end", "RFC 1034 4.3.2", "toapex TXT", data('toapex CNAME @\n@ TXT "apex"')),
    ("an apex without the type", "RFC 2308 2.2", "toapex AAAA", nodata(answer="toapex CNAME @")),
    ("a name outside ends it", "RFC 1034 4.3.2", "toout A", data("toout CNAME www.elsewhere.example.")),
    ("another zone goes on", "RFC 1034 4.3.2", "toother A",
     data("toother CNAME www.other.test.\nwww.other.test. A 192.0.2.202")),
    ("the other zone says that nothing is there", "RFC 6604 3", "tonxother A",
     nxdomain(OTHER, "tonxother CNAME nowhere.other.test.")),
    ("or that there is no such data", "RFC 2308 2.2", "toother MX", nodata(OTHER, "toother CNAME www.other.test.")),
    ("there and back", "RFC 1034 4.3.2", "toback A",
     data("toback CNAME back.other.test.\nback.other.test. CNAME www\n" + WWW)),
    ("into the zone below", "RFC 1034 4.3.2", "tochild A", data("tochild CNAME www.child\nwww.child A 192.0.2.61")),
    ("and what is not there", "RFC 2308 2.2", "tochild TXT", nodata("child.trap.test.", "tochild CNAME www.child")),
    ("from the zone below", "RFC 1034 4.3.2", "up.child A", data("up.child CNAME www\n" + WWW)),
    ("no mail server's addresses for an alias", "RFC 2181 10.3", "mxalias MX", data("mxalias MX 10 alias")),
    ("DS at an alias", "RFC 4035 3.1.4.1", "alias DS", nodata(answer="alias CNAME www")),
]

X = "x.target A 192.0.2.70"
DNAME = [
    ("its owner is no alias", "RFC 6672 2.3", "dn A", nodata()),
    ("it is asked for itself", "RFC 6672 2.3", "dn DNAME", data("dn 900 DNAME target")),
    ("data may stand beside it", "RFC 6672 2.4", "dndata A", data("dndata A 192.0.2.73")),
    ("a name below is replaced", "RFC 6672 3.1", "x.dn A", data("dn 900 DNAME target\nx.dn 900 CNAME x.target\n" + X)),
    ("one beside data too", "RFC 6672 3.1", "x.dndata A", data("dndata DNAME target\nx.dndata CNAME x.target\n" + X)),
    ("many labels below", "RFC 6672 3.1", "a.b.c.wild.dn A",
     data("dn 900 DNAME target\na.b.c.wild.dn 900 CNAME a.b.c.wild.target\na.b.c.wild.target A 192.0.2.71")),
    ("the CNAME is asked for", "RFC 6672 3.1", "x.dn CNAME", data("dn 900 DNAME target\nx.dn 900 CNAME x.target")),
    ("no data there", "RFC 6672 3.1", "x.dn MX", nodata(answer="dn 900 DNAME target\nx.dn 900 CNAME x.target")),
    ("nothing there", "RFC 6604 3", "y.dn A", nxdomain(answer="dn 900 DNAME target\ny.dn 900 CNAME y.target")),
    ("no target at all", "RFC 6604 3", "x.dnnx A", nxdomain(answer="dnnx DNAME nowhere\nx.dnnx CNAME x.nowhere")),
    ("data below is hidden", "RFC 6672 2.4", "hidden.dn A",
     nxdomain(answer="dn 900 DNAME target\nhidden.dn 900 CNAME hidden.target")),
    ("into another zone", "RFC 6672 3.1", "x.dnout A",
     data("dnout DNAME other.test.\nx.dnout CNAME x.other.test.\nx.other.test. A 192.0.2.203")),
    ("into an alias", "RFC 6672 3.1", "a.dnalias A",
     data("dnalias DNAME aliases\na.dnalias CNAME a.aliases\na.aliases CNAME www\n" + WWW)),
    ("from an alias", "RFC 6672 3.1", "todname A",
     data("todname CNAME x.dn\ndn 900 DNAME target\nx.dn 900 CNAME x.target\n" + X)),
    ("from one to the next", "RFC 6672 3.1", "x.dndn A",
     data("dndn DNAME dn\nx.dndn CNAME x.dn\ndn 900 DNAME target\nx.dn 900 CNAME x.target\n" + X)),
    ("a name that becomes too long", "RFC 6672 2.2", f"{'y' * 50}.dnlong A",
     Expected("YXDOMAIN", answer="dnlong DNAME " + ".".join(
         f"{letter}{'2345678901' * 6}23" for letter in "abc") + ".target")),
    ("DS below it", "RFC 6672 3.1", "x.dn DS", nodata(answer="dn 900 DNAME target\nx.dn 900 CNAME x.target")),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("traps")) as lab:
        yield lab


@table(CNAME)
def test_aliases(lab, case, way):
    check_case(lab, case, way)


@table(DNAME)
def test_dname(lab, case, way):
    check_case(lab, case, way)


@each_way
@pytest.mark.parametrize("name,links", [("itself", 1), ("toself", 2), ("loop1", 3), ("any.wildloop", 2)])
def test_an_endless_chain_ends(lab, way, name, links):
    """RFC 1034 3.6.2 warns of it, and nobody says how. RFC 2181 5: no record is there twice."""
    response = lab.ask(f"{name} A", way)
    assert response.rcode() in (dns.rcode.NOERROR, dns.rcode.SERVFAIL)
    assert len(response.answer) == (links if response.rcode() == dns.rcode.NOERROR else 0)


@each_way
def test_a_chain_that_is_too_long_ends_early_with_what_it_has(lab, way):
    """Each server has its limit; a resolver goes on from the last link (RFC 1034 5.3.3)."""
    response = lab.ask("long1 A", way)
    chain = [f"long{i}" for i in range(1, len(response.answer) + 1)]
    assert [rrset.name for rrset in response.answer] == [full_name(name) for name in chain]
    assert 8 < len(chain) < LONG_CHAIN and response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA and not response.authority


@each_way
def test_links_stand_in_order(lab, way):
    """RFC 1034 3.6.2; stub resolvers of libc read an answer from the top."""
    response = lab.ask("chain1 A", way)
    expected = [f"chain{i}" for i in range(1, 9)] + ["www"]
    assert [rrset.name for rrset in response.answer] == [full_name(name) for name in expected]


@each_way
def test_authority_is_that_of_the_first_name(lab, way):
    """RFC 1035 4.1.1: AA speaks of the name that was asked for."""
    for name in ("tocut A", "toout A", "tosigned A"):
        assert lab.ask(name, way).flags & dns.flags.AA


def test_a_chain_follows_its_targets_changes(lab):
    way = WAYS["udp-v4"]
    check(lab.ask("tonx A", way), nxdomain(answer="tonx CNAME nowhere"))
    lab.brinkctl("record", "add", "nowhere.trap.test", "A", "192.0.2.210", "--ttl", "3600")
    check(lab.ask("tonx A", way), data("tonx CNAME nowhere\nnowhere A 192.0.2.210"))
    lab.brinkctl("record", "delete", "nowhere.trap.test", "A")
    check(lab.ask("tonx A", way), nxdomain(answer="tonx CNAME nowhere"))


def test_an_alias_takes_the_place_of_data_and_gives_it_back(lab):
    def served():
        return flat(lab.ask("turn A", WAYS["udp-v6"]).answer)
    lab.brinkctl("record", "add", "turn.trap.test", "A", "192.0.2.211", "--ttl", "3600")
    assert served() == records("turn A 192.0.2.211")
    lab.brinkctl("record", "delete", "turn.trap.test", "A")
    lab.brinkctl("record", "add", "turn.trap.test", "CNAME", "www.trap.test", "--ttl", "3600")
    assert served() == records("turn CNAME www\n" + WWW)
    lab.brinkctl("record", "delete", "turn.trap.test", "CNAME")
    check(lab.ask("turn A"), nxdomain())
