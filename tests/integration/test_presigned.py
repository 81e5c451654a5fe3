"""Zones signed elsewhere, checks of zones, exports that other servers load, and serials: brinkctl as a real program
against a real brink-control without an edge. What presigned zones are answered with, tests/conformance asks."""
import json
import re
import subprocess
import time

import dns.rdatatype
import dns.zone
import pytest

from control_process import Control
from zone_signing import signed, signed_by_bind

ZONE = "signed.test"
TEXT = """$TTL 3600
@ SOA ns1 host 7 3600 900 1209600 600
@ NS ns1
@ MX 10 mail
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.25
www 1 A 192.0.2.80
UPPER TXT "Mixed Case" "\\000\\255"
alias CNAME www
*.wild A 192.0.2.99
a.b.ent A 192.0.2.5
dn DNAME target
target TXT "t"
odd TYPE65300 \\# 3 010203
svc HTTPS 1 www alpn=h2
plain NS ns.plain
ns.plain A 192.0.2.53
b.cuts NS ns1
secure NS ns1
secure DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
"""
SIGNED = {
    "nsec": lambda: signed(ZONE, TEXT),
    "nsec3": lambda: signed(ZONE, TEXT, "-n", "-s", "abcd", "-t", "2"),
    "opt-out": lambda: signed_by_bind(ZONE, TEXT, "-3", "-", "-A"),
    "two keys": lambda: signed(ZONE, TEXT, keys=2),
    "two algorithms": lambda: signed_by_bind(ZONE, TEXT, algorithms=("ED25519", "RSASHA256")),
    "unknown algorithm": lambda: signed_by_bind(ZONE, TEXT, algorithms=("ED448",)),
}


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path)
    yield running
    assert running.stop() == 0, "did not stop cleanly"


@pytest.fixture
def zone_file(tmp_path):
    def write(text, name=f"{ZONE}.zone"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def done(control, *arguments):
    ran = control.ctl(*map(str, arguments))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def refused(control, said, *arguments):
    ran = control.ctl(*map(str, arguments))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert re.search(said, ran.stderr), ran.stderr


def load(control, path, *options):
    return done(control, "zone", "import", "--presigned", path, *options)


def records(text, name=ZONE):
    """What a file says, as (owner, type, TTL, data)."""
    zone = dns.zone.from_text(text, name, relativize=False)
    return {(owner, rdataset.rdtype, rdataset.covers, rdataset.ttl, rdata.to_wire())
            for owner, rdataset in zone.iterate_rdatasets() for rdata in rdataset}


def verify(path, name, is_signed=True):
    """By programs that others serve zones with."""
    commands = [["nsd-checkzone", name, path], ["kzonecheck", "-o", name, path]]
    if is_signed:
        commands += [["dnssec-verify", "-q", "-z", "-o", name, path], ["ldns-verify-zone", "-V", "1", path]]
    for command in commands:
        ran = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                             env={"PATH": "/usr/bin:/usr/sbin"})
        assert ran.returncode == 0, f"{command[0]}: {ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("kind", SIGNED)
def test_a_signed_zone_comes_in_and_goes_out_as_it_was(control, zone_file, tmp_path, kind):
    text = SIGNED[kind]()
    path = zone_file(text, "anything")
    assert "0 changed, 0 removed" in load(control, path, "--create", "--activate")
    exported = tmp_path / "exported"
    done(control, "zone", "export", ZONE, "--output", exported)
    assert records(exported.read_text()) == records(text)
    verify(exported, ZONE)
    assert "0 records added, 0 changed, 0 removed" in load(control, exported)
    assert "0 errors" in done(control, "zone", "check", ZONE)
    assert "presigned" in done(control, "dnssec", "status", ZONE)


def test_importing_again_replaces_the_zone(control, zone_file):
    load(control, zone_file(signed(ZONE, TEXT)), "--create")
    again = TEXT.replace("host 7", "host 8").replace("mail A 192.0.2.25\n", "mail AAAA 2001:db8::25\n")
    text = signed(ZONE, again, "-n")
    load(control, zone_file(text))
    assert records(done(control, "zone", "export", ZONE)) == records(text)
    assert json.loads(done(control, "zone", "serial", ZONE, "--json"))["serial"] == 8
    ran = control.ctl("zone", "import", "--presigned", str(zone_file(signed(ZONE, TEXT))))
    assert ran.returncode == 0 and "serial 7 is not newer than 8" in ran.stderr


def without(text, owner, kind, covered=None):
    def is_it(line):
        fields = line.split()
        return (len(fields) > 4 and fields[0] == f"{owner}.{ZONE}." and fields[3] == kind
                and (covered is None or fields[4] == covered))
    lines = text.splitlines()
    left = [line for line in lines if not is_it(line)]
    assert len(left) == len(lines) - 1
    return "\n".join(left) + "\n"


def test_what_does_not_prove_itself_is_refused_and_named(control, zone_file):
    good = signed(ZONE, TEXT)
    load(control, zone_file(good), "--create")
    before = records(done(control, "zone", "export", ZONE))
    spoilt = {
        "mail.signed.test. A: the signature is missing": without(good, "mail", "RRSIG", "A"),
        "mail.signed.test. NSEC: the NSEC record is missing": without(good, "mail", "NSEC"),
        "mail.signed.test. A: a signature that cannot be verified": good.replace("192.0.2.25", "192.0.2.26"),
        r"the signature has expired on 2021-01-01": signed(ZONE, TEXT, "-i", "20200101000000", "-e",
                                                           "20210101000000"),
        "is not signed": TEXT,
        "cannot be proxied": good.replace("A\t192.0.2.25", "A\t192.0.2.25 ; cf_tags=cf-proxied:true"),
    }
    for said, text in spoilt.items():
        path = zone_file(text)
        refused(control, said, "zone", "import", "--presigned", path)
        if text != TEXT and "proxied" not in said:
            ran = control.ctl("zone", "check", "--file", str(path))
            assert ran.returncode == 1 and re.search(said, ran.stdout), ran.stdout
    assert records(done(control, "zone", "export", ZONE)) == before


def test_a_presigned_zone_is_not_edited_nor_signed(control, zone_file):
    load(control, zone_file(signed(ZONE, TEXT)), "--create", "--activate")
    for command in (["record", "add", f"new.{ZONE}", "A", "192.0.2.1"], ["record", "delete", f"www.{ZONE}", "A"],
                    ["record", "set", f"www.{ZONE}", "A", "192.0.2.2"],
                    ["zone", "import", zone_file(TEXT)]):
        refused(control, "presigned", *command)
    refused(control, "presigned", "zone", "serial", ZONE, "--policy", "unixtime")
    refused(control, "presigned", "dnssec", "enable", ZONE)
    refused(control, "presigned", "dnssec", "ds", ZONE)
    assert "disabled" in done(control, "dnssec", "presigned", ZONE, "off")
    left = records(done(control, "zone", "export", ZONE))
    assert not {kind for _, kind, _, _, _ in left} & {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.DNSKEY}
    done(control, "record", "add", f"new.{ZONE}", "A", "192.0.2.1")
    assert json.loads(done(control, "zone", "serial", ZONE, "--json"))["serial"] > 7
    refused(control, "has records that nobody has signed", "dnssec", "presigned", ZONE, "on")
    done(control, "dnssec", "enable", ZONE)
    refused(control, "signed here", "zone", "import", "--presigned", zone_file(signed(ZONE, TEXT)))


def test_a_rollback_brings_back_what_was_signed(control, zone_file):
    first, second = signed(ZONE, TEXT), signed(ZONE, TEXT.replace("host 7", "host 8"), "-n")
    load(control, zone_file(first), "--create")
    version = json.loads(done(control, "snapshot", "history", "--json"))["versions"][0]["version"]
    load(control, zone_file(second))
    done(control, "snapshot", "rollback", version, "--zone", ZONE)
    assert records(done(control, "zone", "export", ZONE)) == records(first)


@pytest.mark.parametrize("options", [(), ("--nsec3",), ("--nsec3", "--opt-out"), ("--split",)], ids=str)
def test_what_is_signed_here_others_load_and_verify(control, zone_file, tmp_path, options):
    done(control, "zone", "import", zone_file(TEXT), "--create", "--activate")
    done(control, "record", "set", f"www.{ZONE}", "A", "192.0.2.80", "--proxied")
    done(control, "dnssec", "enable", ZONE, *options)
    exported = tmp_path / "exported"
    done(control, "zone", "export", ZONE, "--signed", "--output", exported)
    verify(exported, ZONE)
    text = exported.read_text()
    assert re.search(rf"(?m)^www\.{ZONE}\.\t300\tIN\tA\t192\.0\.2\.1$", text), "the edge's address"
    owners = {line.split()[0] for line in text.splitlines() if "\tNSEC3\t" in line}
    if "--opt-out" in options:
        assert len(owners) == 19 - 3, "plain, b.cuts and cuts are out"
        assert all(line.split()[5] == "1" for line in text.splitlines() if "\tNSEC3\t" in line)
    assert "signed, 0 errors" in done(control, "zone", "check", ZONE)


def test_what_is_not_signed_others_load(control, zone_file, tmp_path):
    done(control, "zone", "import", zone_file(TEXT), "--create", "--activate")
    for options in ((), ("--signed",)):
        exported = tmp_path / "exported"
        done(control, "zone", "export", ZONE, "--output", exported, *options)
        verify(exported, ZONE, is_signed=False)


def test_a_check_tells_line_name_value_and_remedy(control, zone_file):
    path = zone_file(TEXT + "@ MX 20 none\nhalf NS ns.half\n")
    ran = control.ctl("zone", "check", "--file", str(path))
    assert ran.returncode == 1
    assert f"error    line 23, half.{ZONE}. NS: the delegation lacks the address of its server ns.half.{ZONE}." in ran.stdout
    assert f"warning  line 22, {ZONE}. MX: its target none.{ZONE}. has no address; add an A or AAAA" in ran.stdout
    found = json.loads(control.ctl("zone", "check", "--file", str(path), "--json").stdout)
    assert {each["severity"] for each in found["findings"]} == {"error", "warning"}
    done(control, "zone", "import", path, "--create")
    assert control.ctl("zone", "check", ZONE).returncode == 1
    assert control.ctl("zone", "check").returncode == 2


def test_serials_go_on_as_they_are_told(control):
    done(control, "zone", "create", ZONE)

    def serial(*options):
        return json.loads(done(control, "zone", "serial", ZONE, "--json", *options))["serial"]

    def change():
        done(control, "record", "add", f"t.{ZONE}", "TXT", f'"{time.monotonic_ns()}"')
        return serial()
    first = serial()
    assert change() == first + 1
    assert serial("--policy", "keep") == first + 1 == change()
    assert serial("--set", str(first + 9)) == first + 9 == change()
    refused(control, "is not newer", "zone", "serial", ZONE, "--set", str(first))
    refused(control, "must be", "zone", "serial", ZONE, "--policy", "up")
    serial("--policy", "dateserial")
    assert change() >= int(time.strftime("%Y%m%d", time.gmtime()) + "00")
    # From a date down to seconds is a step back in numbers, and not one that RFC 1982 knows.
    serial("--set", str((serial() + 2**31 - 1) % 2**32))
    serial("--policy", "unixtime")
    assert abs(change() - time.time()) < 60
