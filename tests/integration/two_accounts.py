"""A brink-control with two accounts that have one of everything each, and a state to go back to."""
import base64
import json
import re
import secrets
import shutil
import sqlite3
import subprocess

from control_process import CONTROL, Control
from openapi_calls import Api, form, policy

RECORD = {"name": "www", "type": "A", "content": "203.0.113.10"}
PHASE = "http_request_firewall_custom"
RULE = {"action": "block", "expression": "ssl"}
# What every name and text of the other account has in it, and nothing else.
MARK = "t7q4w"


def private_key():
    """A DNSSEC key as BIND writes it."""
    secret = base64.b64encode(b"\x01" + secrets.token_bytes(31)).decode()
    return f"Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {secret}\n"


def make_certificate(folder, name, is_authority=False):
    """A certificate that signs itself, and its key, as PEM."""
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", pem, "-days", "30", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}", "-config", "/dev/null",
         "-addext", f"basicConstraints=critical,CA:{'TRUE' if is_authority else 'FALSE'}",
         "-addext", f"keyUsage={'keyCertSign,cRLSign' if is_authority else 'digitalSignature'}"],
        check=True, capture_output=True, timeout=60)
    return pem.read_text(), key.read_text()


def make_request(folder, name):
    done = subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", folder / f"{name}.request.key", "-subj", f"/CN={name}"],
        check=True, capture_output=True, timeout=60)
    return done.stdout.decode()


def served_routes():
    """(method, path, permission) of every route."""
    printed = subprocess.run([CONTROL, "--routes"], capture_output=True, text=True, timeout=30,
                             check=True).stdout
    return [tuple(line.split(" ", 2)) for line in printed.splitlines()]


def parts_of(path):
    return re.findall(r"{(\w+)}", path)


class Party:
    """One account: its identifiers, by what stands for them in paths, and its credentials."""

    def __init__(self, name, ids, headers):
        self.name, self.ids, self.headers = name, ids, headers


class TwoAccounts:
    def __init__(self, folder, description):
        self.folder, self.description = folder, description
        self.control = Control(folder, "resolver = 127.0.0.1:1", "login-failures-max = 1000000",
                               "resolve-wait-ms = 100")
        self.api = Api(description, self.control.socket, self.control.port)
        self.described = {(each.method, each.path): each
                          for each in description.operations.values()}
        self.request = make_request(folder, "another-client")
        self.mine, self.theirs = self.fill("mine"), self.fill(MARK)
        self.save()

    def save(self):
        """Makes what is stored now the state to go back to."""
        self.control.stop()
        self.saved = self.folder / "saved"
        shutil.rmtree(self.saved, ignore_errors=True)
        self.saved.mkdir()
        for file in self.folder.glob("control.db*"):
            shutil.copy(file, self.saved)
        self.control.start()
        self.state = self.dump()

    def restore(self):
        """As if nothing had happened since the accounts were filled."""
        if self.dump() == self.state:
            return
        self.control.stop()
        for file in self.folder.glob("control.db*"):
            file.unlink()
        for file in self.saved.iterdir():
            shutil.copy(file, self.folder)
        self.control.start()
        assert self.dump() == self.state

    def send(self, method, path, body=None, headers=None, query="", **options):
        """An answer; it fits the description where there is one. `path` as the table of routes has
        it, with values put in already."""
        return self.api.send(method, path + query, body, headers, **options)

    def make(self, path, body, headers=None, method="POST"):
        answer = self.api.send(method, path, json.dumps(body), headers)
        assert answer.status == 200, f"{method} {path}: {answer.body}"
        return answer["result"]

    def fill(self, name):
        zone_name = f"{name}.example"
        account = self.make("/client/v4/accounts", {"name": f"{name} account"})["id"]
        user = self.make(f"/brink/v1/accounts/{account}/users", {"email": f"{name}@example.com"})
        headers = {"X-Auth-Email": user["email"], "X-Auth-Key": user["api_key"]}
        zone = self.make("/client/v4/zones", {"name": zone_name}, headers)["id"]
        ids = {"account": account, "user": user["id"], "zone": zone, "setting": "ipv6"}
        ids["record"] = self.make(f"/client/v4/zones/{zone}/dns_records",
                                  {**RECORD, "comment": f"{name} comment", "tags": [f"{name}:tag"]})["id"]
        ids["user_token"] = self.make("/client/v4/user/tokens", {
            "name": f"{name} token", "policies": [policy("DNS Write")]}, headers)["id"]
        ids["account_token"] = self.make(f"/client/v4/accounts/{account}/tokens", {
            "name": f"{name} account token", "policies": [policy("DNS Write")]}, headers)["id"]
        self.add_certificates(ids, zone_name)
        self.add_rules(ids)
        ids["key"] = self.make(f"/brink/v1/zones/{ids['zone']}/dnssec/keys",
                               {"private_key": private_key()})["id"]
        return Party(name, ids, headers)

    def add_certificates(self, ids, zone_name):
        zone = f"/client/v4/zones/{ids['zone']}"
        pem, key = make_certificate(self.folder, zone_name)
        pair = {"certificate": pem, "private_key": key}
        ids["custom"] = self.make(zone + "/custom_certificates", pair)["id"]
        ids["pull"] = self.make(zone + "/origin_tls_client_auth", pair)["id"]
        ids["host_pull"] = self.make(zone + "/origin_tls_client_auth/hostnames/certificates", pair)["id"]
        ids["hostname"] = "www." + zone_name
        self.make(zone + "/origin_tls_client_auth/hostnames", method="PUT", body={"config": [
            {"hostname": ids["hostname"], "cert_id": ids["host_pull"], "enabled": True}]})
        pem, _ = make_certificate(self.folder, "ca." + zone_name, is_authority=True)
        ids["trust"] = self.make(zone + "/acm/custom_trust_store", {"certificate": pem})["id"]
        self.make(zone + "/access/certificates/settings", method="PUT", body={"settings": [
            {"hostname": ids["hostname"], "client_certificate_forwarding": True}]})
        ids["ca"] = self.make(f"/client/v4/accounts/{ids['account']}/mtls_certificates",
                              {"ca": True, "certificates": pem})["id"]
        request = make_request(self.folder, "client." + zone_name)
        ids["client"] = self.make(zone + "/client_certificates",
                                  {"csr": request, "validity_days": 30})["id"]

    def add_rules(self, ids):
        ids["phase"] = PHASE
        made = self.make(f"/client/v4/zones/{ids['zone']}/rulesets/phases/{PHASE}/entrypoint",
                         {"rules": [RULE]}, method="PUT")
        ids["ruleset"], ids["rule"] = made["id"], made["rules"][0]["id"]

    def target(self, path, ids):
        """The path with identifiers in it; None: there is none for one of its parts."""
        ids = {**ids, "token": ids["user_token" if path.startswith("/client/v4/user") else
                                   "account_token"]}
        for part in parts_of(path):
            if part not in ids:
                return None
            path = path.replace("{" + part + "}", ids[part])
        return path

    def body(self, method, path, ids):
        """A body that is taken; None: the endpoint takes none, or none is known."""
        short = f"{method} {path}".replace("/client/v4", "").replace("/zones/{zone}", "~")
        known = self.bodies(ids).get(short)
        if known is not None:
            return known
        operation = self.described.get((method, path))
        content = operation and operation.request_content()
        return content[1] if content else None

    def bodies(self, ids):
        """Where no example of the description will do, above all bodies with identifiers in them.
        "~": of the zone."""
        record = {**RECORD, "settings": {"ipv4_only": False}, "tags": ["a:b"], "comment": "c"}
        another = {**record, "name": "other"}
        reference = {"id": ids["record"]}
        extra = {"id": ids["rule"], **RULE}
        token = {"name": "made", "policies": [
            policy("DNS Write", resource="com.cloudflare.api.account.zone." + ids["zone"]),
            policy("Account Settings Read", resource="com.cloudflare.api.account." + ids["account"])]}
        of_user = {**token, "policies": token["policies"] + [
            policy("User Details Read", resource="com.cloudflare.api.user." + ids["user"])]}
        return {
            "POST /zones": {"name": "new.example", "type": "full", "jump_start": False,
                            "account": {"id": ids["account"]}},
            "PATCH ~": {"plan": {"id": "brink"}},
            "POST ~/dns_records": another,
            "PUT ~/dns_records/{record}": record,
            "POST ~/dns_records/batch": {"deletes": [], "patches": [reference | {"ttl": 300}],
                                         "puts": [reference | record], "posts": [another]},
            "POST /user/tokens": of_user, "PUT /user/tokens/{token}": of_user,
            "POST /accounts/{account}/tokens": token, "PUT /accounts/{account}/tokens/{token}": token,
            "PUT ~/custom_certificates/prioritize": {
                "certificates": [{"id": ids["custom"], "priority": 1}]},
            "PUT ~/origin_tls_client_auth/hostnames": {
                "config": [{"hostname": ids["hostname"], "cert_id": ids["host_pull"],
                            "enabled": True}]},
            "PUT ~/certificate_authorities/hostname_associations": {
                "hostnames": [ids["hostname"]], "mtls_certificate_id": ids["ca"]},
            "PUT ~/access/certificates/settings": {
                "settings": [{"hostname": ids["hostname"], "client_certificate_forwarding": False}]},
            "PATCH ~/client_certificates/{client}": {"reactivate": True},
            "POST ~/client_certificates": {"csr": self.request, "validity_days": 30},
            "PUT ~/origin_tls_client_auth/settings": {"enabled": True},
            "POST /brink/v1~/dnssec/keys": {"private_key": private_key(), "role": "csk"},
            "PATCH ~/ssl/universal/settings": {"enabled": True},
            "POST ~/rulesets": {"name": "r", "kind": "zone", "phase": "http_request_late_transform",
                                "rules": []},
            "PUT ~/rulesets/phases/{phase}/entrypoint": {"rules": [extra]},
            "PUT ~/rulesets/{ruleset}": {"rules": [extra]},
            "POST ~/rulesets/{ruleset}/rules": {**RULE, "position": {"before": ids["rule"]}},
            "PATCH ~/rulesets/{ruleset}/rules/{rule}": RULE,
        }

    def form_of(self, path):
        """Content type and body of what takes a form; None: it takes none."""
        return form(b"made A 203.0.113.9\n") if path.endswith("/import") else None

    def dump(self):
        """All that is stored, but the times at which tokens were used."""
        with sqlite3.connect(f"file:{self.folder}/control.db?mode=ro", uri=True) as database:
            tables = [name for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            content = {}
            for table in tables:
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")
                           if row[1] != "last_used_on"]
                content[table] = sorted(map(repr, database.execute(
                    f"SELECT {', '.join(columns)} FROM {table}")))
        # Checks of delegations go on by themselves, and so do looks for signatures that end.
        content.pop("activations", None)
        content.pop("ocsp_responses", None)
        content["meta"] = [row for row in content["meta"] if "dnssec_sweep" not in row]
        return content


def nobodys(ids):
    """Identifiers of the same forms, of nothing."""
    return {part: secrets.token_hex(len(value) // 2) if re.fullmatch("[0-9a-f]+", value) else value
            for part, value in ids.items()}
