"""HTTPS records (RFC 9460) of proxied names: there as soon as a certificate covers the name and gone with it, for every
client of the edge, signed where the zone is."""
import os
import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from certificates import Certificates
from lab import Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4, V6 = "192.0.2.129", "2001:db8:a::129"
ZONES = {"plain.test": None, "nsec.test": (), "nsec3.test": ("--nsec3",)}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("https"))
        lab.edge_start(workers="0:dns,1:l7")
        lab.control_start()
        for zone, options in ZONES.items():
            lab.brinkctl("zone", "create", zone)
            lab.brinkctl("zone", "activate", zone, "--force")
            for name in (f"www.{zone}", f"*.wild.{zone}", f"own.{zone}", f"bare.deep.{zone}"):
                lab.brinkctl("record", "add", name, "A", "203.0.113.74", "--proxied")
            lab.brinkctl("record", "add", f"own.{zone}", "HTTPS", "1 . alpn=h3 port=8443")
            lab.brinkctl("record", "add", f"direct.{zone}", "A", "203.0.113.74")
            lab.brinkctl("record", "add", f"alias.{zone}", "CNAME", f"www.{zone}")
            if options is not None:
                lab.brinkctl("dnssec", "enable", zone, *options)
        yield lab


@pytest.fixture(params=ZONES)
def zone(request, world):
    """A zone with a certificate for all of its names but those two labels below."""
    name = request.param
    world.made.leaf(name, f"*.{name}", f"*.wild.{name}", name=name)
    world.id = world.brinkctl("certificate", "add", name, world.made.folder / f"{name}.pem", "--key",
                              world.made.folder / f"{name}.key")["id"]
    yield name
    world.brinkctl("settings", "set", name, "http2", "on")
    world.brinkctl("settings", "set", name, "ssl", "full")
    for one in world.brinkctl("certificate", "list", name):
        world.brinkctl("certificate", "delete", name, one["id"])


def ask(lab, name, kind="HTTPS", server=V4):
    with lab.inside("client"):
        return dns.query.udp(dns.message.make_query(name, kind, want_dnssec=True), server, timeout=5)


def records(lab, name, **options):
    """The HTTPS records of the answer as text."""
    return [record.to_text() for rrset in ask(lab, name, **options).answer if rrset.rdtype == dns.rdatatype.HTTPS
            for record in rrset]


def hints(lab, name):
    def addresses(kind):
        return ",".join(sorted(record.address for rrset in ask(lab, name, kind).answer
                               if rrset.rdtype == dns.rdatatype.from_text(kind) for record in rrset))
    return f'ipv4hint="{addresses("A")}" ipv6hint="{addresses("AAAA")}"'


def expected(lab, name, alpn="h2,http/1.1"):
    return [f'1 . alpn="{alpn}" {hints(lab, name)}']


def bitmap(lab, name):
    """The types that the proof of a name's lack of data has; empty: the zone is not signed."""
    answer = ask(lab, name, "TYPE65398")
    assert answer.rcode() == dns.rcode.NOERROR and not answer.answer
    for rrset in answer.authority:
        if rrset.rdtype in (dns.rdatatype.NSEC, dns.rdatatype.NSEC3):
            return set(rrset[0].to_text().split())
    return set()


@pytest.mark.parametrize("server", [V4, V6])
def test_a_proxied_name_has_one_that_says_what_its_addresses_say(world, zone, server):
    answer = ask(world, f"www.{zone}", server=server)
    assert answer.answer[0].ttl == 300 and answer.flags & dns.flags.AA
    assert records(world, f"www.{zone}", server=server) == expected(world, f"www.{zone}")
    signatures = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.RRSIG]
    assert bool(signatures) == (ZONES[zone] is not None)


def test_kdig_reads_it(world, zone):
    text = world.exec("client", "kdig", f"@{V4}", f"www.{zone}", "HTTPS", "+short")
    assert text.startswith("1 . alpn=h2,http/1.1 ipv4hint=") and " ipv6hint=2001:db8:" in text


def test_names_that_have_none(world, zone):
    for name in (f"direct.{zone}", f"bare.deep.{zone}"):
        assert records(world, name) == []
    assert records(world, f"own.{zone}") == ['1 . alpn="h3" port="8443"'], "a record of the user's own stands"


def test_wildcards_and_aliases(world, zone):
    assert records(world, f"any.wild.{zone}") == expected(world, f"any.wild.{zone}")
    answer = ask(world, f"alias.{zone}").answer
    assert [rrset.rdtype for rrset in answer if rrset.rdtype != dns.rdatatype.RRSIG] == [
        dns.rdatatype.CNAME, dns.rdatatype.HTTPS]


def test_it_comes_and_goes_with_the_certificate_at_once(world, zone):
    is_signed = ZONES[zone] is not None
    name = f"www.{zone}"
    for _ in range(3):
        assert records(world, name) == expected(world, name)
        assert ("HTTPS" in bitmap(world, name)) == is_signed
        world.brinkctl("certificate", "delete", zone, world.id)
        answer = ask(world, name)
        assert answer.rcode() == dns.rcode.NOERROR and not answer.answer
        assert "HTTPS" not in bitmap(world, name)
        world.id = world.brinkctl("certificate", "add", zone, world.made.folder / f"{zone}.pem", "--key",
                                  world.made.folder / f"{zone}.key")["id"]


def test_settings_take_effect_at_once(world, zone):
    name = f"www.{zone}"
    world.brinkctl("settings", "set", zone, "http2", "off")
    assert records(world, name) == expected(world, name, "http/1.1")
    world.brinkctl("settings", "set", zone, "ssl", "off")
    assert records(world, name) == []
    world.brinkctl("settings", "set", zone, "ssl", "strict")
    world.brinkctl("settings", "set", zone, "http2", "on")
    assert records(world, name) == expected(world, name)


def test_a_zone_that_is_paused_has_none(world, zone):
    world.brinkctl("zone", "pause", zone)
    assert records(world, f"www.{zone}") == []
    world.brinkctl("zone", "resume", zone)
    assert records(world, f"www.{zone}") == expected(world, f"www.{zone}")


@pytest.mark.parametrize("zone", [name for name, options in ZONES.items() if options is not None], indirect=True)
def test_others_verify_the_zone(world, zone, tmp_path):
    file = tmp_path / "zone"
    world.brinkctl("zone", "export", zone, "--signed", "--output", file)
    text = file.read_text()
    assert f"www.{zone}.\t300\tIN\tHTTPS\t1 . alpn=h2,http/1.1" in text.replace('"', "")
    world.brinkctl("zone", "check", zone)
    for command in (["dnssec-verify", "-q", "-z", "-o", zone, file], ["ldns-verify-zone", "-V", "1", file]):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_without_https_there_are_none(world, zone):
    assert records(world, f"www.{zone}")
    world.control_stop()
    world.control_start("--https-records", "off")
    try:
        # Ready is the API; what the setting changes is published a moment later.
        assert wait_until(lambda: records(world, f"www.{zone}") == [])
    finally:
        world.control_stop()
        world.control_start()
    assert wait_until(lambda: records(world, f"www.{zone}") == expected(world, f"www.{zone}"))
