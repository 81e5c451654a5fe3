"""What a Terraform provider does with a resource: create, read, change (PUT), read, delete. Any field
that comes back other than it was sent would be shown as a difference by every plan."""
import pytest
from clients import Control, make_certificates

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


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"), NAME)


def test_a_custom_certificate_does_not_drift(control, zone, files):
    plan = {"certificate": files["leaf.pem"], "private_key": files["leaf.key"], "bundle_method": "ubiquitous",
            "type": "sni_custom"}
    made = control.api("POST", f"{zone}/custom_certificates", json=plan)["result"]
    kept = {"bundle_method": "ubiquitous", "type": "sni_custom"}
    assert drift(kept, made) == {}
    path = f"{zone}/custom_certificates/{made['id']}"
    assert control.api("GET", path)["result"] == made
    changed = control.api("PATCH", path, json=plan | {"bundle_method": "force"})["result"]
    assert drift(kept | {"bundle_method": "force", "id": made["id"]}, changed) == {}
    control.api("DELETE", path)
    control.api("GET", path, 404)


def test_an_mtls_certificate_does_not_drift(control, files):
    account = control.api("GET", "/zones")["result"][0]["account"]["id"]
    plan = {"ca": True, "name": "by terraform", "certificates": files["ca.pem"]}
    made = control.api("POST", f"/accounts/{account}/mtls_certificates", json=plan)["result"]
    assert drift(plan, made) == {}
    path = f"/accounts/{account}/mtls_certificates/{made['id']}"
    assert control.api("GET", path)["result"] == made
    control.api("DELETE", path)
    control.api("GET", path, 404)


@pytest.mark.parametrize("level", ["", "/hostnames/certificates"])
def test_an_origin_pull_certificate_does_not_drift(control, zone, files, level):
    plan = {"certificate": files["leaf.pem"], "private_key": files["leaf.key"]}
    made = control.api("POST", f"{zone}/origin_tls_client_auth{level}", json=plan)["result"]
    assert made["certificate"] == plan["certificate"] and "private_key" not in made
    path = f"{zone}/origin_tls_client_auth{level}/{made['id']}"
    assert control.api("GET", path)["result"] == made
    control.api("DELETE", path)
    control.api("GET", path, 404)


def test_origin_pulls_do_not_drift(control, zone, files):
    settings = f"{zone}/origin_tls_client_auth/settings"
    for enabled in (True, False):
        assert control.api("PUT", settings, json={"enabled": enabled})["result"] == {"enabled": enabled}
        assert control.api("GET", settings)["result"] == {"enabled": enabled}
    hosts = f"{zone}/origin_tls_client_auth/hostnames"
    plan = {"certificate": files["leaf.pem"], "private_key": files["leaf.key"]}
    certificate = control.api("POST", f"{hosts}/certificates", json=plan)["result"]["id"]
    wanted = {"hostname": f"www.{NAME}", "cert_id": certificate, "enabled": True}
    made = control.api("PUT", hosts, json={"config": [wanted]})["result"]
    assert drift(wanted, made[0]) == {}
    assert control.api("GET", f"{hosts}/www.{NAME}")["result"] == made[0]


# Each as it is created, and the rules of a later plan.
RULESETS = [
    ("http_request_firewall_custom",
     [{"ref": "a", "action": "block", "expression": "not cf.tls_client_auth.cert_verified",
       "description": "clients", "enabled": True},
      {"ref": "b", "action": "block", "expression": 'http.request.uri.path contains "/admin"',
       "description": "", "enabled": False,
       "action_parameters": {"response": {"status_code": 403, "content": "no", "content_type": "text/plain"}}}]),
    ("http_request_late_transform",
     [{"ref": "c", "action": "rewrite", "expression": "true", "description": "", "enabled": True,
       "action_parameters": {"headers": {"X-A": {"operation": "set", "value": "a"},
                                         "X-B": {"operation": "set", "expression": "http.host"},
                                         "X-C": {"operation": "remove"}}}}]),
    ("http_response_headers_transform",
     [{"ref": "d", "action": "rewrite", "expression": "http.response.code eq 404", "description": "",
       "enabled": True, "action_parameters": {"headers": {"X-A": {"operation": "add", "value": "a"}}}}]),
]


@pytest.mark.parametrize("phase, rules", RULESETS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_ruleset_does_not_drift(control, zone, phase, rules):
    plan = {"kind": "zone", "phase": phase, "name": "terraform", "description": "by terraform"}
    made = control.api("POST", f"{zone}/rulesets", json=plan | {"rules": rules})["result"]
    assert drift(plan, made) == {}
    assert [drift(sent, got) for sent, got in zip(rules, made["rules"])] == [{}] * len(rules)
    path = f"{zone}/rulesets/{made['id']}"
    assert control.api("GET", path)["result"] == made
    changed = [rule | {"description": "changed"} for rule in reversed(rules)]
    put = control.api("PUT", path, json=plan | {"rules": changed})["result"]
    assert [drift(sent, got) for sent, got in zip(changed, put["rules"])] == [{}] * len(rules)
    assert {rule["id"] for rule in put["rules"]} == {rule["id"] for rule in made["rules"]}
    assert control.api("GET", path)["result"] == put
    again = control.api("PUT", path, json=plan | {"rules": changed})["result"]
    assert again["rules"] == put["rules"]
    control.api("DELETE", path, 204)
    control.api("GET", path, 404)
