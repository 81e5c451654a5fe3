"""MX and SRV records that point at proxied names: what is served leads around the edge, to the origins."""
import re

import pytest

from lab import Lab

V4 = "192.0.2.129"
ZONE = """$ORIGIN example.com.
$TTL 300
@          IN SOA   ns1 hostmaster 1 10000 2400 604800 1800
@          IN NS    ns1
@          IN MX    10 mail
@          IN MX    20 plain
_sip._tcp  IN SRV   1 2 5060 mail
ns1        IN A     192.0.2.129
mail       IN A     203.0.113.25
mail       IN AAAA  2001:db8:1a::25
plain      IN A     203.0.113.26
"""
MX = re.compile(r"10 (_dc-mx\.[0-9a-f]{12}\.example\.com\.)")
SRV = re.compile(r"1 2 5060 (dc-[0-9a-f]{12}\.example\.com\.)")


@pytest.fixture(scope="module", params=["unsigned", "nsec", "nsec3"])
def lab(request, tmp_path_factory):
    zone = tmp_path_factory.mktemp("direct") / "example.com.zone"
    zone.write_text(ZONE)
    with Lab() as lab:
        lab.edge_start(workers="1:dns+l7")
        lab.control_start()
        lab.brinkctl("zone", "import", zone, "--create", "--activate")
        lab.is_signed = request.param != "unsigned"
        if lab.is_signed:
            lab.brinkctl("dnssec", "enable", "example.com",
                         *(("--nsec3",) if request.param == "nsec3" else ()))
        lab.brinkctl("record", "set", "mail.example.com", "A", "--proxied=on")
        lab.brinkctl("record", "set", "mail.example.com", "AAAA", "--proxied=on")
        yield lab


def dig(lab, *question):
    return lab.exec("client", "kdig", f"@{V4}", "+timeout=2", "+retry=2", *question)


def short(lab, *question):
    return dig(lab, *question, "+short").splitlines()


def direct(lab, pattern, *question):
    found = [pattern.fullmatch(line) for line in short(lab, *question)]
    return next((match[1] for match in found if match), None)


def test_an_exchange_leads_to_the_origins(lab):
    assert "20 plain.example.com." in short(lab, "example.com", "MX")
    for pattern, question in ((MX, ("example.com", "MX")), (SRV, ("_sip._tcp.example.com", "SRV"))):
        name = direct(lab, pattern, *question)
        assert name
        assert short(lab, name, "A") == ["203.0.113.25"]
        assert short(lab, name, "AAAA") == ["2001:db8:1a::25"]
        additional = dig(lab, *question, "+noall", "+additional")
        assert re.search(rf"^{re.escape(name)}\s.*\sA\s+203\.0\.113\.25$", additional, re.M)
    assert "203.0.113.25" not in short(lab, "mail.example.com", "A"), "it is proxied"


def test_what_is_direct_is_signed_and_in_the_chain(lab):
    name = direct(lab, MX, "example.com", "MX")
    answer = dig(lab, name, "A", "+dnssec")
    assert bool(re.search(rf"^{re.escape(name)}\s.*\sRRSIG\s+A ", answer, re.M)) == lab.is_signed
    nodata = dig(lab, name, "TXT", "+dnssec")
    assert "NOERROR" in nodata
    assert bool(re.search(r"\sNSEC3?\s", nodata)) == lab.is_signed


def test_records_are_shown_as_they_were_stored(lab):
    shown = lab.brinkctl("record", "list", "example.com")
    assert "mail.example.com" in {r["content"].rstrip(".") for r in shown if r["type"] == "MX"}
    assert not [r for r in shown if "dc-" in r["name"] + r["content"]]
    exported = lab.brinkctl("zone", "export", "example.com", check=False).stdout
    assert "dc-" not in exported


def test_it_is_the_same_after_a_restart(lab):
    names = direct(lab, MX, "example.com", "MX"), direct(lab, SRV, "_sip._tcp.example.com", "SRV")
    lab.control_stop()
    lab.control_start()
    lab.brinkctl("record", "add", "other.example.com", "A", "203.0.113.99")
    assert names == (direct(lab, MX, "example.com", "MX"),
                     direct(lab, SRV, "_sip._tcp.example.com", "SRV"))


def test_it_goes_with_its_cause(lab):
    mail, service = direct(lab, MX, "example.com", "MX"), direct(lab, SRV, "_sip._tcp.example.com", "SRV")
    lab.brinkctl("record", "delete", "_sip._tcp.example.com", "SRV")
    assert short(lab, service, "A") == [] and "NXDOMAIN" in dig(lab, service, "A")
    assert short(lab, mail, "A") == ["203.0.113.25"]
    for kind in ("A", "AAAA"):
        lab.brinkctl("record", "set", "mail.example.com", kind, "--proxied=off")
    assert sorted(short(lab, "example.com", "MX")) == ["10 mail.example.com.", "20 plain.example.com."]
    assert "NXDOMAIN" in dig(lab, mail, "A")
