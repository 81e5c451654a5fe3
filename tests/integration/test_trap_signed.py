"""Signed zones: what is put together of the answers to all that a zone holds is a zone that others' programs
verify, and every answer is proven to who asks for proofs."""
import bisect
import collections
import subprocess

import dns.dnssec
import dns.flags
import dns.name
import dns.node
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from trap_lab import WAYS, each_way, make_lab

ABSENT = 65398  # a type that no name has
NODES = """$TTL 3600
@ SOA ns1 host 1 3600 900 604800 600
@ NS ns1
@ MX 10 mail
@ TXT "apex"
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.25
www A 192.0.2.80
www A 192.0.2.81
UPPER A 192.0.2.82
alias CNAME www
away CNAME www.elsewhere.example.
*.wild A 192.0.2.99
exists.wild TXT "there"
*.wildalias CNAME www
a.b.ent A 192.0.2.5
_sip._tcp SRV 1 2 5060 www
svc HTTPS 1 www alpn=h2
dn DNAME target
x.target A 192.0.2.71
odd TYPE65300 \\# 3 010203
\\000\\001.zeros TXT "0"
cut NS ns.cut
cut NS ns.elsewhere.example.
ns.cut A 192.0.2.53
secure NS ns.secure
secure DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.secure A 192.0.2.54
b.entcut NS ns1
"""
Zone = collections.namedtuple("Zone", "kind options text")
ZONES = {"signed.test": Zone("nsec", (), NODES), "hashed.test": Zone("nsec3", ("--nsec3",), NODES),
         "optout.test": Zone("nsec3", ("--nsec3", "--opt-out"), NODES),
         "split.test": Zone("nsec", ("--split", "--algorithm", "ED25519"), NODES)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with make_lab(tmp_path_factory.mktemp("signed")) as lab:
        for name, zone in ZONES.items():
            lab.import_zone(name, zone.text)
            lab.brinkctl("dnssec", "enable", name, *zone.options)
        yield lab


def ask(lab, name, kind, way=WAYS["tcp-v4"], **options):
    return lab.ask(f"{name} {dns.rdatatype.to_text(kind)}", way, want_dnssec=True, **options)


class Signed:
    """A zone as its answers show it. Every RRset that comes with signatures is verified at once."""

    def __init__(self, lab, name):
        self.lab, self.origin, self.kind = lab, dns.name.from_text(name), ZONES[name].kind
        self.plain = dns.zone.from_text(ZONES[name].text, self.origin, relativize=False)
        self.rrsets = {}  # (owner, type, type covered) -> RRset
        keys = ask(lab, self.origin, dns.rdatatype.DNSKEY).answer
        self.keys = {self.origin: next(each for each in keys if each.rdtype == dns.rdatatype.DNSKEY)}
        self.take(keys)

    def is_hidden(self, owner):
        """Below a delegation or a DNAME."""
        while owner != self.origin:
            owner = owner.parent()
            node = self.plain.get_node(owner) or dns.node.Node()
            kinds = {each.rdtype for each in node.rdatasets}
            if dns.rdatatype.DNAME in kinds or (dns.rdatatype.NS in kinds and owner != self.origin):
                return True
        return False

    def is_cut(self, owner):
        node = self.plain.get_node(owner)
        return owner != self.origin and node is not None and any(
            each.rdtype == dns.rdatatype.NS for each in node.rdatasets)

    def is_left_out(self, owner):
        """By opt-out: a delegation that is not signed, or nothing but such below."""
        if "--opt-out" not in ZONES[self.origin.to_text(omit_final_dot=True)].options:
            return False
        def is_signed(name):
            node = self.plain.get_node(name)
            return node is not None and not self.is_hidden(name) and (
                not self.is_cut(name) or any(each.rdtype == dns.rdatatype.DS for each in node.rdatasets))
        return not any(is_signed(name) for name in self.plain.nodes if name.is_subdomain(owner))

    def take(self, section, signs_absence=False):
        found = {(each.name, each.rdtype, each.covers): each for each in section}
        for (owner, kind, covers), rrset in found.items():
            if not owner.is_subdomain(self.origin):
                continue
            if kind == dns.rdatatype.SOA and signs_absence:  # with the TTL of that (RFC 2308 5)
                continue
            signatures = found.get((owner, dns.rdatatype.RRSIG, kind))
            if signatures is not None:
                dns.dnssec.validate(rrset, signatures, self.keys)
            labels = [each.labels for each in signatures] if signatures is not None else []
            if any(each < len(owner) - 1 - (owner.labels[0] == b"*") for each in labels):
                continue  # made of a wildcard
            self.rrsets[owner, kind, covers] = rrset
        return found

    def names(self):
        """All that exist in the zone, empty ones included."""
        names = {self.origin}
        for owner in self.plain.nodes:
            if self.is_hidden(owner):
                continue
            while owner not in names:
                names.add(owner)
                owner = owner.parent()
        return sorted(names)

    def collect(self):
        """Asks every name for all it has, and for what it has not."""
        for owner in self.names():
            node = self.plain.get_node(owner) or dns.node.Node()
            for rdataset in node.rdatasets:
                if not self.is_cut(owner) or rdataset.rdtype in (dns.rdatatype.NS, dns.rdatatype.DS):
                    response = ask(self.lab, owner, rdataset.rdtype)
                    self.take(response.answer)
                    self.take(response.authority, signs_absence=True)
            kind = dns.rdatatype.DS if self.is_cut(owner) else ABSENT
            self.take(ask(self.lab, owner, kind).authority, signs_absence=True)
            if any(each.rdtype == dns.rdatatype.CNAME for each in node.rdatasets):  # which leads away
                self.take(ask(self.lab, owner, dns.rdatatype.NSEC).answer)
                self.take(ask(self.lab, dns.name.from_text("zz-below", owner), dns.rdatatype.A).authority,
                          signs_absence=True)
        for owner in self.names():
            # Has a record of the chain that is shown for a name behind it.
            if self.is_cut(owner) and not self.is_left_out(owner):
                self.take(ask(self.lab, self.behind(owner), dns.rdatatype.A).authority, signs_absence=True)
        for kind in (dns.rdatatype.NSEC3PARAM, dns.rdatatype.CDS, dns.rdatatype.CDNSKEY):
            self.take(ask(self.lab, self.origin, kind).answer)

    def behind(self, owner):
        """A name that is not there and comes right after `owner` in the chain."""
        if self.kind == "nsec":
            return dns.name.Name((owner.labels[0] + b"-",) + owner.labels[1:])
        def hashed(name):
            return dns.dnssec.nsec3_hash(name, "", 0, 1)
        known = sorted(hashed(name) for name in self.names() if not self.is_left_out(name))
        candidates = (dns.name.from_text(f"candidate-{i}", self.origin) for i in range(100000))
        return next(name for name in candidates
                    if known[bisect.bisect(known, hashed(name)) - 1] == hashed(owner))

    def text(self):
        glue = "".join(rdataset.to_text(owner) + "\n" for owner, node in self.plain.nodes.items()
                       if self.is_hidden(owner) for rdataset in node.rdatasets
                       if rdataset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA))
        soa = self.rrsets.pop((self.origin, dns.rdatatype.SOA, dns.rdatatype.NONE))
        rest = "\n".join(rrset.to_text() for rrset in self.rrsets.values())
        return f"{soa.to_text()}\n{rest}\n{glue}"


@pytest.fixture(scope="module", params=ZONES)
def signed(request, lab):
    return Signed(lab, request.param)


def test_what_is_served_is_a_signed_zone_that_others_verify(signed, tmp_path):
    signed.collect()
    assert all(signed.rrsets.get((owner, dns.rdatatype.RRSIG, kind)) for owner, kind, covers in signed.rrsets
               if kind != dns.rdatatype.RRSIG and not (signed.is_cut(owner) and kind == dns.rdatatype.NS)
               and not signed.is_hidden(owner))
    file = tmp_path / "signed.zone"
    file.write_text(signed.text())
    origin = signed.origin.to_text()
    for command in (["dnssec-verify", "-o", origin, "-z", file], ["ldns-verify-zone", file]):
        ran = subprocess.run(command, capture_output=True, text=True)
        assert ran.returncode == 0, f"{command[0]}: {ran.stdout}{ran.stderr}"


def covers(owner, next_owner, name):
    if owner < next_owner:
        return owner < name < next_owner
    return name > owner or name < next_owner  # the last of the chain


def proofs_of(signed, response):
    kind = dns.rdatatype.NSEC if signed.kind == "nsec" else dns.rdatatype.NSEC3
    found = signed.take(response.authority)
    return [rrset for (_, each, _), rrset in found.items() if each == kind]


def is_covered(signed, proofs, name):
    for proof in proofs:
        if signed.kind == "nsec":
            if covers(proof.name, proof[0].next, name):
                return True
        else:
            hashed = dns.dnssec.nsec3_hash(name, proof[0].salt, proof[0].iterations, 1).lower()
            if covers(proof.name.labels[0].decode(), proof[0].to_text().split()[4].lower(), hashed):
                return True
    return False


@each_way
def test_that_a_name_is_not_there_is_proven(signed, way):
    missing = dns.name.from_text("zz-no-such-name.deeper", signed.origin)
    response = ask(signed.lab, missing, dns.rdatatype.A, way)
    assert response.rcode() == dns.rcode.NXDOMAIN
    proofs = proofs_of(signed, response)
    next_closer = missing if signed.kind == "nsec" else missing.parent()
    assert is_covered(signed, proofs, next_closer)
    assert is_covered(signed, proofs, dns.name.from_text("*", signed.origin))
    if signed.kind == "nsec3":
        hashed = dns.dnssec.nsec3_hash(signed.origin, "", 0, 1).lower()
        assert hashed in [proof.name.labels[0].decode() for proof in proofs], "the closest encloser's own"


@each_way
@pytest.mark.parametrize("cut", ["cut", "b.entcut"])
def test_opt_out_proves_that_a_delegation_may_be_unsigned(lab, way, cut):
    """RFC 5155 7.2.4, 7.2.7: the closest encloser that has a record, and one that covers the next closer name and says
    that it opts out."""
    zone = Signed(lab, "optout.test")
    owner = dns.name.from_text(cut, zone.origin)
    next_closer = dns.name.from_text(cut.split(".")[-1], zone.origin)
    for name, kind in ((dns.name.from_text("www", owner), "A"), (owner, "DS")):
        response = ask(lab, name, dns.rdatatype.from_text(kind), way)
        assert response.rcode() == dns.rcode.NOERROR and not response.answer
        assert bool(response.flags & dns.flags.AA) == (kind == "DS")
        proofs = proofs_of(zone, response)
        assert len(proofs) in (1, 2) and is_covered(zone, proofs, next_closer)
        apex = dns.dnssec.nsec3_hash(zone.origin, "", 0, 1).lower()
        assert apex in [proof.name.labels[0].decode() for proof in proofs]
        assert all(proof[0].flags == 1 for proof in proofs)


def test_opt_out_leaves_signed_delegations_alone(lab):
    zone = Signed(lab, "optout.test")
    owner = dns.name.from_text("secure", zone.origin)
    found = zone.take(ask(lab, dns.name.from_text("www", owner), dns.rdatatype.A).authority)
    assert (owner, dns.rdatatype.DS, dns.rdatatype.NONE) in found
    assert (owner, dns.rdatatype.RRSIG, dns.rdatatype.DS) in found


def test_opt_out_comes_and_goes(lab):
    lab.import_zone("toggle.test", NODES)
    ZONES["toggle.test"] = Zone("nsec3", ("--nsec3",), NODES)
    try:
        lab.brinkctl("dnssec", "enable", "toggle.test", "--nsec3")
        zone = Signed(lab, "toggle.test")
        owner = dns.name.from_text("cut", zone.origin)
        hashed = dns.dnssec.nsec3_hash(owner, "", 0, 1).lower()

        def shown():
            proofs = proofs_of(zone, ask(lab, owner, dns.rdatatype.DS))
            return [proof.name.labels[0].decode() for proof in proofs], {proof[0].flags for proof in proofs}
        assert shown() == ([hashed], {0})
        lab.brinkctl("dnssec", "enable", "toggle.test", "--opt-out")
        owners, flags = shown()
        assert hashed not in owners and flags == {1}
        lab.brinkctl("dnssec", "enable", "toggle.test", "--opt-out=off")
        assert shown() == ([hashed], {0})
    finally:
        del ZONES["toggle.test"]
        lab.brinkctl("zone", "delete", "toggle.test")


@each_way
def test_who_does_not_ask_for_signatures_gets_none(signed, way):
    for name, kind in ((signed.origin, "NS"), (dns.name.from_text("zz-no", signed.origin), "A")):
        response = signed.lab.ask(f"{name} {kind}", way)
        for section in (response.answer, response.authority, response.additional):
            assert not [each for each in section if each.rdtype in
                        (dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3)]


def test_a_change_is_signed_and_stands_in_the_chain(lab):
    zone = Signed(lab, "signed.test")
    lab.brinkctl("record", "add", "fresh.signed.test", "TXT", "new")
    owner = dns.name.from_text("fresh", zone.origin)
    found = zone.take(ask(lab, owner, dns.rdatatype.TXT).answer)
    assert (owner, dns.rdatatype.RRSIG, dns.rdatatype.TXT) in found
    before = zone.take(ask(lab, dns.name.from_text("fresg", zone.origin), dns.rdatatype.A).authority)
    assert any(each[0].next == owner for (_, kind, _), each in before.items() if kind == dns.rdatatype.NSEC)
    lab.brinkctl("record", "delete", "fresh.signed.test", "TXT")
    response = ask(lab, owner, dns.rdatatype.TXT)
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert is_covered(zone, proofs_of(zone, response), owner)


def test_a_zone_that_leaves_is_unsigned_again(lab):
    lab.brinkctl("zone", "create", "brief.test")
    lab.brinkctl("dnssec", "enable", "brief.test")
    assert len(ask(lab, dns.name.from_text("brief.test."), dns.rdatatype.SOA).answer) == 2
    lab.brinkctl("zone", "delete", "brief.test")
