"""Calls of every endpoint of openapi.yaml on a real node, in an order in which they succeed. Whoever
adds an endpoint adds its call here: test_openapi.py says which are missing."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import socket
import tempfile

from api_description import JSON
from certificates import Certificates

ZONE_FILE = b"""$TTL 300
www.example.com. IN A 203.0.113.20 ; cf_tags=cf-proxied:false
txt.example.com. IN TXT "a text"
mail.example.com. IN A 203.0.113.25
"""
# One of each form that content and data have.
RECORDS = [
    {"name": "www", "type": "A", "content": "203.0.113.10", "proxied": True, "comment": "the web",
     "tags": ["team:web"]},
    {"name": "www", "type": "AAAA", "content": "2001:db8:f::10"},
    {"name": "alias", "type": "CNAME", "content": "www.example.com",
     "settings": {"flatten_cname": True}},
    {"name": "@", "type": "MX", "content": "mail.example.com", "priority": 10},
    {"name": "text", "type": "TXT", "content": "some text"},
    {"name": "caa", "type": "CAA", "data": {"flags": 0, "tag": "issue", "value": "ca.test"}},
    {"name": "_sip._tcp", "type": "SRV",
     "data": {"priority": 1, "weight": 2, "port": 5060, "target": "sip.example.com"}},
    {"name": "loc", "type": "LOC", "data": {"lat_degrees": 52, "lat_direction": "N",
                                            "long_degrees": 4.0, "long_direction": "E"}},
    {"name": "naptr", "type": "NAPTR", "data": {"order": 1, "preference": 2, "flags": "S",
                                                "service": "SIP+D2T", "regex": "",
                                                "replacement": "_sip._tcp.example.com"}},
    {"name": "https", "type": "HTTPS", "data": {"priority": 1, "target": ".", "value": "alpn=h2"}},
    {"name": "uri", "type": "URI", "priority": 1, "data": {"weight": 2, "target": "https://a.test"}},
    {"name": "sshfp", "type": "SSHFP", "data": {"algorithm": 1, "type": 1, "fingerprint": "ab" * 20}},
    {"name": "_443._tcp", "type": "TLSA", "data": {"usage": 3, "selector": 1, "matching_type": 1,
                                                   "certificate": "ab" * 32}},
    {"name": "ds", "type": "NS", "content": "ns1.ds.example.com"},
    {"name": "ns1.ds", "type": "A", "content": "203.0.113.53"},
    {"name": "ds", "type": "DS", "data": {"key_tag": 1, "algorithm": 13, "digest_type": 2,
                                          "digest": "ab" * 32}},
]


def form(file, **fields):
    """A form as browsers and clients send it: content type and body."""
    boundary = "brink-form"
    parts = [f'Content-Disposition: form-data; name="file"; filename="z"\r\n\r\n'.encode() + file]
    parts += [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
              for name, value in fields.items()]
    body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.content_type = self.headers.get("content-type", "")
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __getitem__(self, name):
        return self.json()[name]


class Api:
    """Calls by operation. Over the UNIX socket, or with headers over TCP, where `inside` leads."""

    def __init__(self, description, socket_path, port, inside=contextlib.nullcontext):
        self.description, self.socket_path, self.port = description, socket_path, port
        self.inside = inside
        self.called = {}  # statuses by operation

    def connect(self, is_local):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if is_local:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(60)
            connection.sock.connect(str(self.socket_path))
        else:
            with self.inside():
                connection.connect()
        return connection

    def begin(self, method, target, headers=None):
        """A connection on which the head of a request was sent. `headers`: over TCP; None: over the
        UNIX socket."""
        connection = self.connect(is_local=headers is None)
        connection.putrequest(method, target)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection

    def finish(self, connection):
        try:
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def send(self, method, target, body=None, headers=None, content_type=JSON):
        connection = self.connect(is_local=headers is None)
        typed = {"Content-Type": content_type} if body is not None else {}
        connection.request(method, target, body, {**typed, **(headers or {})})
        return self.finish(connection)

    def call(self, operation_id, *path, json_body=None, body=None, content_type=JSON, query="",
             headers=None):
        """The answer, which fits the description. `path`: what stands for its variable parts."""
        operation = self.description.operations[operation_id]
        target = operation.path
        for name, value in zip(operation.path_parameters(), path, strict=True):
            target = target.replace("{" + name + "}", value)
        if json_body is not None:
            body = json.dumps(json_body)
        answer = self.send(operation.method, target + query, body, headers, content_type)
        operation.check_answer(answer.status, answer.content_type, answer.body)
        self.called.setdefault(operation_id, []).append(answer.status)
        return answer

    def refused(self, *arguments, code, status=400, **options):
        """A call that is refused, with this code first."""
        answer = self.call(*arguments, **options)
        assert (answer.status, answer["errors"][0]["code"]) == (status, code), answer.body

    def ok(self, *arguments, **options):
        """The result of a call that succeeds."""
        answer = self.call(*arguments, **options)
        assert answer.status < 300, answer.body
        return answer.json()["result"] if answer.content_type == JSON else answer.body.decode()


def bearer(secret):
    return {"Authorization": "Bearer " + secret}


def policy(*groups, resource="com.cloudflare.api.account.zone.*"):
    return {"effect": "allow", "resources": {resource: "*"},
            "permission_groups": [{"name": name} for name in groups]}


def call_zones(api):
    zone = api.ok("createZone", json_body={"name": "example.com", "jump_start": True})["id"]
    api.ok("listZones", query="?per_page=1&order=name")
    api.ok("showZone", zone)
    for edit in ({"paused": True}, {"paused": False}, {"vanity_name_servers": ["ns1.example.com"]},
                 {"vanity_name_servers": []}, {"type": "full"}):
        api.ok("editZone", zone, json_body=edit)
    api.ok("checkActivation", zone)
    api.ok("activateZone", zone)
    api.ok("showActivation", zone)
    api.ok("listPlans", zone)
    api.refused("purgeCache", zone, json_body={"purge_everything": True}, status=501, code=12002)
    gone = api.ok("createZone", json_body={"name": "gone.example"})["id"]
    api.ok("deleteZone", gone)
    return zone


def call_settings(api, zone):
    settings = api.ok("listZoneSettings", zone)
    for setting in settings:
        api.ok("showZoneSetting", zone, setting["id"])
    api.ok("editZoneSetting", zone, "ipv6", json_body={"value": "off"})
    api.ok("editZoneSettings", zone, json_body={"items": [{"id": "ipv6", "value": "on"}]})
    api.ok("showDnsSettings", zone)
    api.ok("editDnsSettings", zone, json_body={"ns_ttl": 3600, "soa": {"refresh": 7200}})


def call_records(api, zone):
    ids = {}
    for record in RECORDS:
        made = api.ok("createRecord", zone, json_body=record)
        ids[record["name"], record["type"]] = made["id"]
        api.ok("showRecord", zone, made["id"], query="?include_shadow_metadata=true")
        api.ok("overwriteRecord", zone, made["id"], json_body=record)
    api.ok("listRecords", zone, query="?include_shadow_metadata=true&order=name&per_page=100")
    www = ids["www", "A"]
    api.ok("editRecord", zone, www, json_body={"comment": None, "tags": ["one", "two:2"]})
    api.ok("changeRecords", zone, json_body={
        "deletes": [{"id": ids["text", "TXT"]}], "patches": [{"id": www, "ttl": 1}],
        "puts": [{"id": ids["www", "AAAA"], "name": "www", "type": "AAAA",
                  "content": "2001:db8:f::11"}],
        "posts": [{"name": "api", "type": "A", "content": "203.0.113.12"}]})
    api.ok("exportRecords", zone)
    content_type, body = form(ZONE_FILE)
    api.ok("importRecords", zone, body=body, content_type=content_type)
    api.ok("showRecordUsage", zone)
    api.ok("scanRecords", zone)
    api.ok("triggerScan", zone)
    api.ok("listScanned", zone)
    api.ok("judgeScanned", zone, json_body={"accepts": [], "rejects": []})
    api.ok("deleteRecord", zone, ids["caa", "CAA"])


def call_custom_certificates(api, zone, made):
    name = "CustomCertificate"
    pair = made.leaf("example.com", "*.example.com")
    one = api.ok("create" + name, zone, json_body=pair | {"type": "sni_custom"})["id"]
    other = api.ok("create" + name, zone, json_body=made.leaf("www.example.com"))["id"]
    api.refused("create" + name, zone, json_body=pair, code=12024)
    api.refused("create" + name, zone, json_body=made.leaf("example.org"), code=12022)
    api.refused("create" + name, zone, json_body={"certificate": "x", "private_key": "x"}, code=12020)
    stolen = made.leaf("api.example.com") | {"private_key": pair["private_key"]}
    api.refused("create" + name, zone, json_body=stolen, code=12021)
    api.refused("create" + name, zone, json_body=pair | {"policy": "x"}, status=501, code=12002)
    for query in ("", "?per_page=1&page=2", "?status=active", "?status=pending"):
        api.ok(f"list{name}s", zone, query=query)
    api.refused(f"list{name}s", zone, query="?status=lost", code=12004)
    api.ok("show" + name, zone, one)
    api.ok("showStapling", zone)
    api.ok("edit" + name, zone, one, json_body={"bundle_method": "force"})
    api.ok("edit" + name, zone, one, json_body=made.leaf("example.com"))
    api.refused("edit" + name, zone, one, json_body={"certificate": pair["certificate"]}, code=12021)
    ordered = {"certificates": [{"id": one, "priority": 1}, {"id": other, "priority": 2}]}
    api.ok("prioritizeCustomCertificates", zone, json_body=ordered)
    ordered["certificates"][1]["id"] = "0" * 32
    api.refused("prioritizeCustomCertificates", zone, json_body=ordered, status=404, code=7003)
    api.ok("listCertificatePacks", zone, query="?status=all")
    api.ok("showCertificatePack", zone, one)
    for order in ("createCertificatePack", "orderCertificatePack"):
        api.refused(order, zone, json_body={"hosts": ["example.com"]}, status=501, code=12002)
    for enabled in (True, False):
        assert api.ok("editUniversalSsl", zone, json_body={"enabled": enabled})["enabled"] is enabled
    api.refused("editUniversalSsl", zone, json_body={"enabled": "on"}, code=9207)
    api.ok("showUniversalSsl", zone)
    api.ok("delete" + name, zone, other)
    api.refused("delete" + name, zone, other, status=404, code=7003)


def call_client_certificates(api, zone, made):
    name = "ClientCertificate"
    wanted = {"csr": made.request("/C=DE/ST=Berlin/L=Mitte/O=Shop/OU=Till/CN=till"), "validity_days": 30}
    one = api.ok("create" + name, zone, json_body=wanted)["id"]
    api.refused("create" + name, zone, json_body=wanted | {"csr": "x"}, code=12020)
    api.refused("create" + name, zone, json_body=wanted | {"validity_days": 5476}, code=9207)
    for query in ("", "?status=all&per_page=1", "?status=revoked", "?status=pending_revocation"):
        api.ok(f"list{name}s", zone, query=query)
    api.refused(f"list{name}s", zone, query="?limit=1", code=12004)
    api.ok("show" + name, zone, one)
    for _ in range(2):
        assert api.ok("revoke" + name, zone, one)["status"] == "revoked"
    assert api.ok("reactivate" + name, zone, one, json_body={"reactivate": True})["status"] == "active"
    api.refused("reactivate" + name, zone, one, json_body={"reactivate": False}, code=9207)


def call_mtls_certificates(api, zone, made):
    name = "MtlsCertificate"
    account = api.ok("showZone", zone)["account"]["id"]
    body = {"ca": True, "name": "Shops", "certificates": made.authority}
    one = api.ok("create" + name, account, json_body=body)["id"]
    api.refused("create" + name, account, json_body=body, code=12024)
    api.refused("create" + name, account, json_body={"certificates": made.authority}, code=9207)
    leaf = made.leaf("example.com")
    body = {"ca": False, "certificates": leaf["certificate"], "private_key": leaf["private_key"]}
    leaf = api.ok("create" + name, account, json_body=body)["id"]
    api.refused("create" + name, account, json_body=body | {"ca": True}, code=12020)
    for query in ("", "?per_page=1&page=2", "?type=custom", "?type=gateway_managed"):
        api.ok(f"list{name}s", account, query=query)
    api.ok("show" + name, account, one)
    assert api.ok("listMtlsAssociations", account, one) == []
    names = ["example.com", "www.example.com"]
    for authority in ({}, {"mtls_certificate_id": one}):
        api.ok("editHostAssociations", zone, json_body={"hostnames": names} | authority)
    api.ok("showHostAssociations", zone)
    assert api.ok("showHostAssociations", zone, query=f"?mtls_certificate_id={one}")["hostnames"] == names
    api.refused("showHostAssociations", zone, query=f"?mtls_certificate_id={leaf}", code=12020)
    api.refused("editHostAssociations", zone, json_body={"hostnames": ["example.org"]}, code=12022)
    assert api.ok("listMtlsAssociations", account, one)
    api.refused("delete" + name, account, one, code=12025)
    api.ok("editHostAssociations", zone, json_body={"hostnames": [], "mtls_certificate_id": one})
    api.ok("delete" + name, account, one)


def call_origin_pulls(api, zone, made):
    for enabled in (True, False):
        assert api.ok("editOriginPulls", zone, json_body={"enabled": enabled})["enabled"] is enabled
    api.refused("editOriginPulls", zone, json_body={}, code=9207)
    api.ok("showOriginPulls", zone)
    pair = made.leaf("example.com")
    ids = {}
    for name in ("OriginPullCertificate", "HostPullCertificate"):
        one = ids[name] = api.ok("create" + name, zone, json_body=pair)["id"]
        api.refused("create" + name, zone, json_body=pair, code=12024)
        api.refused("create" + name, zone, json_body=pair | {"private_key": "x"}, code=12021)
        api.ok(f"list{name}s", zone)
        api.ok("show" + name, zone, one)
    one = ids["HostPullCertificate"]
    host = {"hostname": "www.example.com", "cert_id": one, "enabled": True}
    api.ok("editHostPulls", zone, json_body={"config": [host]})
    api.refused("editHostPulls", zone, json_body={"config": []}, code=9207)
    for wrong, status, code in (({"hostname": "www.example.org"}, 400, 12022), ({"cert_id": "x"}, 400, 9207),
                                ({"cert_id": "0" * 32}, 404, 7003)):
        api.refused("editHostPulls", zone, json_body={"config": [host | wrong]}, status=status, code=code)
    api.ok("showHostPull", zone, "www.example.com")
    api.refused("deleteHostPullCertificate", zone, one, code=12025)
    gone = api.ok("editHostPulls", zone, json_body={"config": [host | {"enabled": None}]})
    assert gone[0]["status"] == "deleted"
    api.refused("showHostPull", zone, "www.example.com", status=404, code=7003)
    for name, one in ids.items():
        assert api.ok("delete" + name, zone, one)["status"] == "deleted"


def call_origin_trust(api, zone, made):
    body = {"certificate": made.authority}
    one = api.ok("createOriginTrust", zone, json_body=body)["id"]
    api.refused("createOriginTrust", zone, json_body=body, code=12024)
    api.refused("createOriginTrust", zone, json_body={"certificate": made.leaf("example.com")["certificate"]}, code=12020)
    for query in ("", "?per_page=1&page=2"):
        api.ok("listOriginTrust", zone, query=query)
    assert api.ok("showOriginTrust", zone, one)["certificate"] == made.authority
    assert api.ok("deleteOriginTrust", zone, one)["status"] == "deleted"
    api.refused("showOriginTrust", zone, one, status=404, code=7003)


def call_certificate_forwarding(api, zone):
    host = {"hostname": "www.example.com", "client_certificate_forwarding": True}
    for name in ("www.example.com", "*.example.com"):
        api.ok("editCertificateForwarding", zone, json_body={"settings": [host | {"hostname": name}]})
    api.refused("editCertificateForwarding", zone, json_body={"settings": []}, code=9207)
    api.refused("editCertificateForwarding", zone, json_body={"settings": [{"hostname": "a.example.com"}]}, code=9207)
    api.refused("editCertificateForwarding", zone, json_body={"settings": [host | {"china_network": True}]},
                status=501, code=12002)
    api.refused("editCertificateForwarding", zone, json_body={"settings": [host | {"hostname": "www.example.org"}]},
                code=12022)
    assert [each["hostname"] for each in api.ok("showCertificateForwarding", zone)] == ["*.example.com", "www.example.com"]


BLOCK = {"action": "block", "expression": 'http.request.uri.path contains "/admin"', "ref": "admin",
         "action_parameters": {"response": {"status_code": 404, "content_type": "text/plain", "content": "no"}}}
REWRITE = {"action": "rewrite", "expression": "true", "action_parameters": {"headers": {
    "X-A": {"operation": "set", "value": "a"}, "X-B": {"operation": "set", "expression": "http.host"},
    "X-C": {"operation": "remove"}}}}


def call_rulesets(api, zone):
    phase = "http_request_firewall_custom"
    api.refused("showEntrypoint", zone, phase, status=404, code=10003)
    body = {"phase": phase, "name": "shop", "description": "of the shop", "kind": "zone", "rules": [BLOCK]}
    made = api.ok("createRuleset", zone, json_body=body)
    path = zone, made["id"]
    api.refused("createRuleset", zone, json_body=body, code=20217)
    api.refused("createRuleset", zone, json_body=body | {"phase": "http_ratelimit"}, code=20120)
    api.ok("listRulesets", zone)
    api.ok("showRuleset", *path)
    assert api.ok("overwriteRuleset", *path, json_body=made)["rules"] == made["rules"]
    api.refused("overwriteRuleset", *path, json_body=body | {"kind": "root"}, status=501, code=12002)
    plain = {"action": "block", "expression": 'http.host eq "a.example.com"', "ref": "a"}
    rules = api.ok("createRule", *path, json_body=plain | {"position": {"index": 1}})["rules"]
    assert [rule["ref"] for rule in rules] == ["a", "admin"]
    for wrong, code in (({}, 20120), ({"ref": "b", "action": "rewrite"}, 20120),
                        ({"ref": "b", "expression": ""}, 20125),
                        ({"ref": "b", "expression": "http.nothing"}, 20127)):
        api.refused("createRule", *path, json_body=plain | wrong, code=code)
    api.ok("editRule", *path, rules[0]["id"], json_body=plain | {"enabled": False})
    moved = api.ok("editRule", *path, rules[0]["id"], json_body={"position": {"after": ""}})["rules"]
    assert [rule["ref"] for rule in moved] == ["admin", "a"]
    api.refused("editRule", *path, "0" * 32, json_body=plain, status=404, code=7003)
    api.ok("deleteRule", *path, rules[0]["id"])
    for phase in ("http_request_late_transform", "http_response_headers_transform"):
        api.ok("overwriteEntrypoint", zone, phase, json_body={"rules": [REWRITE]})
        api.ok("showEntrypoint", zone, phase)
    api.refused("showEntrypoint", zone, "nothing", code=20120)
    gone = api.call("deleteRuleset", *path)
    assert gone.status == 204 and "content-length" not in gone.headers
    api.refused("showRuleset", *path, status=404, code=7003)


def call_tokens(api, operations, path, headers):
    """CRUD of tokens; `operations`: what "Token" is called in their names. Leaves one behind."""
    body = {"name": "dns", "policies": [policy("DNS Write", "Zone Read")],
            "not_before": "2026-01-01T00:00:00Z", "expires_on": "2126-01-01T00:00:00Z",
            "condition": {"request_ip": {"in": ["127.0.0.0/8"], "not_in": ["192.0.2.1"]}}}
    made = api.ok(f"create{operations}", *path, json_body=body, headers=headers)
    api.ok(f"list{operations}s", *path, headers=headers)
    api.ok(f"verify{operations}", *path, headers=bearer(made["value"]))
    api.ok(f"list{operations.removesuffix('Token')}PermissionGroups", *path, headers=headers)
    shown = api.ok(f"show{operations}", *path, made["id"], headers=headers)
    assert "last_used_on" in shown
    api.ok(f"edit{operations}", *path, made["id"], json_body={"status": "disabled"}, headers=headers)
    api.ok(f"roll{operations}", *path, made["id"], headers=headers)
    api.ok(f"delete{operations}", *path, made["id"], headers=headers)
    api.ok(f"create{operations}", *path, json_body={"name": "kept", "policies": [policy("DNS Read")]},
           headers=headers)


def call_accounts(api):
    account = api.ok("createAccount", json_body={"name": "Shop"})["id"]
    api.ok("listAccounts")
    api.ok("showAccount", account)
    api.ok("renameAccount", account, json_body={"name": "Shop and Sons"})
    api.ok("showAccountDnsSettings", account)
    api.ok("editAccountDnsSettings", account, json_body={"zone_defaults": {"ns_ttl": 3600}})
    user = api.ok("createUser", account, json_body={"email": "keeper@shop.example"})
    api.ok("listUsers", account)
    user = api.ok("rollUserKey", user["id"])
    headers = {"X-Auth-Email": user["email"], "X-Auth-Key": user["api_key"]}
    api.ok("showSelf", headers=headers)
    zone = api.ok("createZone", json_body={"name": "shop.example"}, headers=headers)
    assert zone["account"]["id"] == account
    call_tokens(api, "UserToken", (), headers)
    call_tokens(api, "AccountToken", (account,), headers)
    api.ok("listAccountAuditLogs", account, headers=headers)
    own = api.ok("listUserAuditLogs", headers=headers)
    assert {entry["actor"]["email"] for entry in own} == {user["email"]}
    api.ok("deleteZone", zone["id"], headers=headers)
    api.ok("deleteUser", user["id"])
    api.ok("deleteAccount", account)


def call_node(api):
    api.ok("listAddresses")
    api.ok("showStatus")
    api.ok("showStatistics")
    api.ok("showZoneStatistics", query="?name=example.com")
    api.ok("showOriginStatistics")
    assert "brink_edge_up" in api.ok("showMetrics")
    api.ok("showResolver")
    api.ok("showSnapshot")
    for name in ("example.com", "www.example.com", "alias.example.com", "ds.example.com",
                 "nothing.example.com", "outside.test"):
        api.ok("showName", query="?name=" + name)
    api.ok("compactSnapshot")
    api.ok("verifySnapshot")
    api.ok("showCookieSecrets")
    api.ok("rollCookieSecrets", json_body={"step": "add", "secret": os.urandom(16).hex()})
    for step in ("activate", "drop", "reload"):
        api.ok("rollCookieSecrets", json_body={"step": step})
    api.refused("rollCookieSecrets", json_body={"step": "drop"}, code=12012, status=502)
    api.ok("listAuditLogs", query="?per_page=1000")
    versions = api.ok("listVersions", query="?limit=1000")
    oldest = versions["versions"][-1]["version"]
    api.ok("rollBack", json_body={"version": oldest, "dry_run": True})
    api.ok("rollBack", json_body={"version": versions["newest"], "zone": "example.com"})


PRIVATE_KEY = """Private-key-format: v1.3
Algorithm: 13 (ECDSAP256SHA256)
PrivateKey: {}
"""


def call_dnssec(api, zone):
    assert api.ok("showDnssec", zone)["status"] == "disabled"
    api.refused("editDnssec", zone, json_body={"status": "pending"}, code=9207)
    api.refused("editDnssec", zone, json_body={"dnssec_presigned": True}, code=12032)
    assert not api.ok("editDnssecKeys", zone, json_body={"opt_out": False})["opt_out"]
    empty = api.ok("createZone", json_body={"name": "presigned.example"})["id"]
    assert api.ok("editDnssec", empty, json_body={"dnssec_presigned": True})["dnssec_presigned"]
    api.refused("editDnssec", empty, json_body={"status": "active"}, code=12032)
    api.refused("createRecord", empty, code=12032,
                json_body={"name": "www", "type": "A", "content": "203.0.113.1"})
    api.refused("editSerial", empty, json_body={"policy": "keep"}, code=12032)
    assert api.ok("deleteDnssec", empty) == ""
    api.ok("deleteZone", empty)
    serial = api.ok("showSerial", zone)["serial"]
    assert api.ok("editSerial", zone, json_body={"policy": "keep"}) == {"policy": "keep", "serial": serial}
    api.refused("editSerial", zone, json_body={"serial": serial}, code=9207)
    assert api.ok("editSerial", zone, json_body={"policy": "increment"})["serial"] == serial + 1
    api.refused("rollDnssecKey", zone, json_body={}, code=12032)
    api.refused("seeDs", zone, code=12032)
    assert api.ok("editDnssecKeys", zone, json_body={"algorithm": "ED25519"})["algorithm"] == "15"
    # A key for both tasks makes the zone one of such keys.
    secret = PRIVATE_KEY.format(base64.b64encode(os.urandom(31).rjust(32, b"\x01")).decode())
    key = api.ok("importDnssecKey", zone, json_body={"private_key": secret})
    assert (key["state"], key["role"], key["algorithm"]) == ("spare", "csk", "13")
    api.refused("importDnssecKey", zone, json_body={"private_key": secret}, code=12031)
    api.refused("importDnssecKey", zone, json_body={"private_key": "x"}, code=12031)
    other = PRIVATE_KEY.format(base64.b64encode(os.urandom(31).rjust(32, b"\x02")).decode())
    spare = api.ok("importDnssecKey", zone, json_body={"private_key": other})
    enabled = api.ok("editDnssec", zone, json_body={"status": "active", "dnssec_use_nsec3": True})
    assert (enabled["status"], enabled["key_tag"]) == ("pending", key["key_tag"])
    assert enabled["ds"].endswith(f" {key['key_tag']} 13 2 {enabled['digest']}")
    keys = api.ok("listDnssecKeys", zone)
    assert [each["id"] for each in keys] == [key["id"], spare["id"]]
    assert keys[0]["signs_zone"] and keys[0]["public_key"] == enabled["public_key"]
    api.refused("deleteDnssecKey", zone, key["id"], code=12032)
    api.ok("deleteDnssecKey", zone, spare["id"])
    api.refused("deleteDnssecKey", zone, spare["id"], code=7003, status=404)
    api.refused("rollDnssecKey", zone, json_body={"role": "zsk"}, code=9207)
    api.ok("rollDnssecKey", zone, json_body={"role": "csk"})
    api.ok("checkDs", zone)
    assert api.ok("showDnssecDetails", zone)["denial"] == "nsec3"
    api.refused("deleteDnssec", zone, code=12032)
    assert api.ok("editDnssec", zone, json_body={"status": "disabled"})["status"] == "pending-disabled"
    assert api.ok("seeDs", zone)["wanted_ds"] == []
    unsigned = api.ok("createZone", json_body={"name": "unsigned.example"})["id"]
    api.ok("importDnssecKey", unsigned, json_body={"private_key": other})
    assert api.ok("deleteDnssec", unsigned) == ""
    assert api.ok("listDnssecKeys", unsigned) == []
    api.ok("deleteZone", unsigned)


def call_everything(api):
    zone = call_zones(api)
    call_settings(api, zone)
    call_records(api, zone)
    with tempfile.TemporaryDirectory() as folder:
        made = Certificates(pathlib.Path(folder))
        call_custom_certificates(api, zone, made)
        call_client_certificates(api, zone, made)
        call_mtls_certificates(api, zone, made)
        call_origin_pulls(api, zone, made)
        call_origin_trust(api, zone, made)
        call_certificate_forwarding(api, zone)
    call_rulesets(api, zone)
    call_dnssec(api, zone)
    call_accounts(api)
    call_node(api)
