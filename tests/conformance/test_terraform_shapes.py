"""What a Terraform provider does with a resource: create, read, change (PUT), read, delete. Any field
that comes back other than it was sent would be shown as a difference by every plan."""
import pytest
from clients import Control

NAME = "tf.example"

# Each as it is created, and what a later plan changes of it.
RECORDS = [
    ({"type": "A", "name": f"a.{NAME}", "content": "198.51.100.4", "ttl": 3600}, {"ttl": 120}),
    ({"type": "A", "name": f"p.{NAME}", "content": "198.51.100.4", "ttl": 1, "proxied": True},
     {"proxied": False, "ttl": 300}),
    ({"type": "AAAA", "name": f"aaaa.{NAME}", "content": "2001:db8::4", "ttl": 60,
      "comment": "by terraform", "tags": ["owner:dns"]}, {"comment": "changed", "tags": []}),
    ({"type": "CNAME", "name": f"c.{NAME}", "content": "target.example.net", "ttl": 300},
     {"content": "other.example.net"}),
    ({"type": "CNAME", "name": f"f.{NAME}", "content": "target.example.net", "ttl": 300,
      "settings": {"flatten_cname": True}}, {"settings": {"flatten_cname": False}}),
    ({"type": "TXT", "name": f"t.{NAME}", "content": '"v=spf1 include:_spf.example.net ~all"',
      "ttl": 300}, {"content": '"one" "two"'}),
    ({"type": "TXT", "name": f"bare.{NAME}", "content": "not in quotes", "ttl": 300},
     {"content": "x" * 400}),
    ({"type": "MX", "name": NAME, "content": "mail.example.net", "priority": 10, "ttl": 300},
     {"priority": 20}),
    ({"type": "NS", "name": f"sub.{NAME}", "content": "ns1.example.net", "ttl": 86400},
     {"content": "ns2.example.net"}),
    ({"type": "PTR", "name": f"4.{NAME}", "content": "host.example.net", "ttl": 300}, {"ttl": 600}),
    ({"type": "OPENPGPKEY", "name": f"k.{NAME}", "content": "mQINBFit", "ttl": 300}, {"ttl": 600}),
    ({"type": "CAA", "name": NAME, "ttl": 300,
      "data": {"flags": 0, "tag": "issue", "value": "letsencrypt.org"}},
     {"data": {"flags": 128, "tag": "iodef", "value": "mailto:caa@example.net"}}),
    ({"type": "SRV", "name": f"_sip._tcp.{NAME}", "ttl": 300,
      "data": {"priority": 1, "weight": 2, "port": 5060, "target": "sip.example.net"}},
     {"data": {"priority": 1, "weight": 3, "port": 5061, "target": "sip.example.net"}}),
    ({"type": "URI", "name": f"_http._tcp.{NAME}", "ttl": 300, "priority": 10,
      "data": {"weight": 1, "target": "https://example.net/a"}}, {"priority": 11}),
    ({"type": "SSHFP", "name": f"ssh.{NAME}", "ttl": 300,
      "data": {"algorithm": 4, "type": 2, "fingerprint": "ab" * 32}}, {"ttl": 600}),
    ({"type": "TLSA", "name": f"_443._tcp.{NAME}", "ttl": 300,
      "data": {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "cd" * 32}}, {"ttl": 600}),
    ({"type": "SMIMEA", "name": f"_smime.{NAME}", "ttl": 300,
      "data": {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "cd" * 32}}, {"ttl": 600}),
    ({"type": "DS", "name": f"sub2.{NAME}", "ttl": 300,
      "data": {"key_tag": 2371, "algorithm": 13, "digest_type": 2, "digest": "ef" * 32}}, {"ttl": 600}),
    ({"type": "DNSKEY", "name": f"key.{NAME}", "ttl": 300,
      "data": {"flags": 257, "protocol": 3, "algorithm": 13, "public_key": "A" * 86 + "=="}},
     {"ttl": 600}),
    ({"type": "CERT", "name": f"cert.{NAME}", "ttl": 300,
      "data": {"type": 1, "key_tag": 0, "algorithm": 8, "certificate": "MIICajCCAdOg"}}, {"ttl": 600}),
    ({"type": "NAPTR", "name": f"n.{NAME}", "ttl": 300,
      "data": {"order": 100, "preference": 10, "flags": "S", "service": "SIP+D2U", "regex": "",
               "replacement": "_sip._udp.example.net"}}, {"ttl": 600}),
    ({"type": "LOC", "name": f"loc.{NAME}", "ttl": 300,
      "data": {"lat_degrees": 37, "lat_minutes": 46, "lat_seconds": 46.5, "lat_direction": "N",
               "long_degrees": 122, "long_minutes": 23, "long_seconds": 35, "long_direction": "W",
               "altitude": 0, "size": 100, "precision_horz": 0, "precision_vert": 0}}, {"ttl": 600}),
    ({"type": "SVCB", "name": f"_dns.{NAME}", "ttl": 300,
      "data": {"priority": 1, "target": ".", "value": 'alpn="h2"'}}, {"ttl": 600}),
    ({"type": "HTTPS", "name": f"h.{NAME}", "ttl": 300,
      "data": {"priority": 1, "target": ".", "value": 'alpn="h3,h2"'}}, {"ttl": 600}),
]


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    running = Control(tmp_path_factory.mktemp("terraform"))
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def zone(control):
    return control.add_zone(NAME)


def drift(sent, got):
    """The fields of `sent` that `got` has otherwise."""
    return {field: (value, got.get(field)) for field, value in sent.items() if got.get(field) != value}


@pytest.mark.parametrize("plan, change", RECORDS, ids=lambda value: value.get("type"))
def test_a_record_does_not_drift(control, zone, plan, change):
    made = control.api("POST", f"{zone}/dns_records", json=plan)["result"]
    assert drift(plan, made) == {}
    path = f"{zone}/dns_records/{made['id']}"
    read = control.api("GET", path)["result"]
    assert read == made

    changed = plan | change
    put = control.api("PUT", path, json=changed)["result"]
    assert drift(changed, put) == {}
    assert put["id"] == made["id"] and put["created_on"] == made["created_on"]
    assert control.api("GET", path)["result"] == put

    again = control.api("PUT", path, json=changed)["result"]
    assert drift(changed, again) == {}
    control.api("DELETE", path)
    control.api("GET", path, 404)


def test_a_zone_does_not_drift(control):
    account = control.api("GET", "/zones")["result"][0]["account"]
    plan = {"name": "tfzone.example", "type": "full", "account": {"id": account["id"]}}
    made = control.api("POST", "/zones", json=plan)["result"]
    assert made["account"]["id"] == account["id"] and drift({"name": plan["name"], "type": "full"}, made) == {}
    path = f"/zones/{made['id']}"
    assert control.api("GET", path)["result"] == made
    for paused in (True, False):
        assert control.api("PATCH", path, json={"paused": paused})["result"]["paused"] is paused
        assert control.api("GET", path)["result"]["paused"] is paused
    control.api("DELETE", path)
