"""Signed zones as dnsviz sees them, answer by answer, and zonemaster, from a DS on. The parent is made up, and so is the
root; nothing leaves the lab."""
import json
import re
import sys

import pytest

from clients import HERE

sys.path[:0] = [str(HERE.parent / "integration")]

from lab import Lab  # noqa: E402
from zone_signing import signed  # noqa: E402

ZONE = "signed.test"
V4 = "192.0.2.129"
TEXT = f"""$TTL 3600
@ SOA ns1 hostmaster 7 14400 3600 1209600 3600
@ NS ns1
@ MX 10 mail
ns1 A {V4}
mail A {V4}
www A 192.0.2.80
alias CNAME www
*.wild A 192.0.2.99
plain NS ns.plain
ns.plain A 192.0.2.53
"""
# --presigned or options of dnssec enable.
ZONES = {"nsec": (), "nsec3": ("--nsec3",), "opt-out": ("--nsec3", "--opt-out"),
         "two keys": ("--split", "--algorithm", "ED25519"), "presigned": ("--presigned",)}
# What is so because a lab is one: addresses nobody has, and few of them.
OF_THE_LAB = {"NAMESERVER_IP_PRIVATE_NETWORK", "NOT_ENOUGH_NS_CHILD", "NOT_ENOUGH_NS_DEL",
              "NOT_ENOUGH_IPV4_NS_CHILD", "NOT_ENOUGH_IPV4_NS_DEL"}


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        lab.edge_start(workers="1:dns+l7")
        lab.control_start()
        yield lab


@pytest.fixture(params=ZONES)
def ds(request, lab, tmp_path):
    """Serves the zone; the data of its DS record."""
    options = ZONES[request.param]
    file = tmp_path / f"{ZONE}.zone"
    presigned = "--presigned" in options
    text = signed(ZONE, TEXT, "-i", "20260101000000", keys=2) if presigned else TEXT
    file.write_text(text)
    lab.brinkctl("zone", "import", file, "--zone", ZONE, "--create", "--activate", *(["--presigned"] * presigned))
    if presigned:
        key = tmp_path / "key"
        key.write_text("".join(line + "\n" for line in text.splitlines() if re.search(r"\sDNSKEY\s257\s", line)))
        found = lab.exec("client", "dnssec-dsfromkey", "-2", "-f", str(key), ZONE)
    else:
        lab.brinkctl("dnssec", "enable", ZONE, *options)
        found = lab.brinkctl("dnssec", "ds", ZONE)[0]
    yield found.split(" DS ")[1].split()
    lab.brinkctl("zone", "delete", ZONE)


def codes(node, kind):
    """Of all errors or warnings, however deep they lie."""
    if isinstance(node, dict):
        found = [each["code"] for each in node.get(kind, [])]
        return found + [code for each in node.values() for code in codes(each, kind)]
    if isinstance(node, list):
        return [code for each in node for code in codes(each, kind)]
    return []


def statuses(node):
    if isinstance(node, dict):
        here = [node["status"]] if isinstance(node.get("status"), str) else []
        return here + [status for each in node.values() for status in statuses(each)]
    if isinstance(node, list):
        return [status for each in node for status in statuses(each)]
    return []


def test_dnsviz_finds_nothing_wrong(lab, ds, tmp_path):
    probed = tmp_path / "probed"
    names = [ZONE, f"alias.{ZONE}", f"x.wild.{ZONE}"]
    server = f"ns1.{ZONE}={V4}"
    lab.exec("client", "dnsviz", "probe", "-4", "-A", "-x", f"{ZONE}+:{server}", "-o", str(probed), *names)
    seen = json.loads(lab.exec("client", "dnsviz", "grok", "-l", "info", "-r", str(probed)))
    assert not codes(seen, "errors"), codes(seen, "errors")
    assert set(codes(seen, "warnings")) <= {"INCEPTION_WITHIN_CLOCK_SKEW"}
    assert "VALID" in statuses(seen) and not set(statuses(seen)) & {"INVALID", "BOGUS", "INVALID_SIG", "EXPIRED"}


def zonemaster(lab, ds, hints):
    """Tags of errors, and the modules that had anything to say."""
    hints.write_text(f". 3600000 NS a.root.test.\na.root.test. 3600000 A {V4}\n")
    shown = json.loads(lab.exec(
        "client", "zonemaster-cli", "--json", "--raw", "--level", "INFO", "--no-ipv6", "--no-progress",
        "--hints", str(hints), "--ns", f"ns1.{ZONE}/{V4}", "--ds", ",".join(ds), ZONE))
    results = shown["results"] if isinstance(shown, dict) else shown
    errors = {each["tag"] for each in results if each["level"] in ("ERROR", "CRITICAL")}
    return errors - OF_THE_LAB, {each["module"].upper() for each in results}


def test_zonemaster_finds_nothing_wrong_from_the_ds_on(lab, ds, tmp_path):
    errors, modules = zonemaster(lab, ds, tmp_path / "hints")
    assert not errors
    assert "DNSSEC" in modules, "it was looked at"


def test_zonemaster_tells_a_ds_of_another_key(lab, ds, tmp_path):
    """The test itself: what is wrong is seen."""
    errors, _ = zonemaster(lab, [*ds[:-1], "0" * 64], tmp_path / "hints")
    assert "DS02_NO_MATCH_DS_DNSKEY" in errors
