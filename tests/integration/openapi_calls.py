"""Calls of every endpoint of openapi.yaml on a real node, in an order in which they succeed. Whoever
adds an endpoint adds its call here: test_openapi.py says which are missing."""
import contextlib
import http.client
import json
import socket

from api_description import JSON

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
    refused = api.call("purgeCache", zone, json_body={"purge_everything": True})
    assert refused.status == 501 and refused["errors"][0]["code"] == 12002
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
    api.ok("showResolver")
    api.ok("showSnapshot")
    for name in ("example.com", "www.example.com", "alias.example.com", "ds.example.com",
                 "nothing.example.com", "outside.test"):
        api.ok("showName", query="?name=" + name)
    api.ok("compactSnapshot")
    api.ok("verifySnapshot")
    api.ok("listAuditLogs", query="?per_page=1000")
    versions = api.ok("listVersions", query="?limit=1000")
    oldest = versions["versions"][-1]["version"]
    api.ok("rollBack", json_body={"version": oldest, "dry_run": True})
    api.ok("rollBack", json_body={"version": versions["newest"], "zone": "example.com"})


def call_everything(api):
    zone = call_zones(api)
    call_settings(api, zone)
    call_records(api, zone)
    call_accounts(api)
    call_node(api)
