"""brinkctl can do what the API can: every operation of openapi.yaml is called by some command, or it
stands in LEFT_OUT with the reason. Every command is run here, through a recorder of what it calls."""
import base64
import json
import os
import re
import subprocess

import pytest

from api_description import Description
from certificates import Certificates
from control_process import BRINKCTL, Control
from request_recorder import RequestRecorder

BY_NAME = "records are named by name, type and content, and changed as one batch"
PHASES = "a phase is one file: ruleset show, set and delete"
LISTED = "the list has all of it"
OWN = "of whoever calls: brinkctl is the operator's; users have the API"
NOTHING = "does nothing on this node, and says so"
LEFT_OUT = {
    "showRecord": BY_NAME, "overwriteRecord": BY_NAME, "editRecord": BY_NAME, "deleteRecord": BY_NAME,
    "createRuleset": PHASES, "showRuleset": PHASES, "overwriteRuleset": PHASES, "createRule": PHASES,
    "editRule": PHASES, "deleteRule": PHASES,
    "showZone": LISTED, "showAccount": LISTED, "showCustomCertificate": LISTED,
    "showOriginPullCertificate": LISTED, "showHostPullCertificate": LISTED,
    "listCertificatePacks": "certificate list shows the same", "showCertificatePack": "certificate show does",
    "createCertificatePack": NOTHING, "orderCertificatePack": NOTHING,
    "showUniversalSsl": NOTHING, "editUniversalSsl": NOTHING,
    "deleteDnssec": "dnssec disable is enough: keys of a zone that is not signed do no harm",
    "purgeCache": NOTHING, "listPlans": "there is one plan",
    "scanRecords": NOTHING, "triggerScan": NOTHING, "listScanned": NOTHING, "judgeScanned": NOTHING,
    "showRecordUsage": "there is no quota",
    "showActivation": "zone activate asks anew and says what was found",
    "editZoneSettings": "settings set changes one, and shows what became of it",
    "showSelf": OWN, "listUserAuditLogs": OWN, "listUserTokens": OWN, "createUserToken": OWN,
    "showUserToken": OWN, "editUserToken": OWN, "deleteUserToken": OWN, "rollUserToken": OWN,
    "listUserPermissionGroups": OWN, "verifyAccountToken": "token verify asks for tokens of both kinds",
}
# Local, without the server.
LOCAL = {"version", "check", "completion bash", "completion zsh", "completion words"}
ZONE = "example.com"
FIREWALL = "http_request_firewall_custom"


class Operator:
    """Runs commands and remembers which."""

    def __init__(self, control, recorder):
        self.control, self.recorder, self.commands = control, recorder, set()

    def run(self, *words, codes=(0,)):
        folder = self.control.folder
        more = {"XDG_STATE_HOME": str(folder / "state"), "TMPDIR": str(folder), "EDITOR": "true"}
        done = subprocess.run([BRINKCTL, "--socket", self.recorder.socket, *words], text=True,
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                              env={**os.environ, **more, "VISUAL": ""})
        assert done.returncode in codes, f"{words}: {done.returncode} {done.stderr}"
        self.commands.add(" ".join(words))
        return done.stdout

    def result(self, *words):
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def operator(tmp_path):
    control = Control(tmp_path)
    recorder = RequestRecorder(Description(), tmp_path, control.socket)
    yield Operator(control, recorder)
    recorder.close()
    assert control.stop() == 0, "did not stop cleanly"


def all_commands():
    """As "record set", from the help."""
    printed = subprocess.run([BRINKCTL, "--help"], capture_output=True, text=True, check=True,
                             timeout=20).stdout
    return {re.sub(r" \[?[A-Z].*", "", line[2:].split("  ")[0]) for line in printed.splitlines()
            if re.match(r"  [a-z]", line)}


def run_zones(operator, folder):
    file = folder / "example.com.zone"
    file.write_text("www A 203.0.113.1\n")
    operator.run("zone", "create", ZONE)
    operator.run("zone", "activate", ZONE, codes=(0, 1))
    operator.run("zone", "activate", ZONE, "--force")
    for verb in ("show", "pause", "resume", "export"):
        operator.run("zone", verb, ZONE)
    operator.run("zone", "list")
    operator.run("zone", "import", str(file))
    operator.run("zone", "edit", ZONE)
    operator.run("record", "add", "a." + ZONE, "A", "203.0.113.2")
    operator.run("record", "set", "a." + ZONE, "A", "--ttl", "300")
    operator.run("record", "show", "a." + ZONE)
    operator.run("record", "list", ZONE)
    operator.run("record", "delete", "a." + ZONE, "A")
    for verb in ("begin", "diff", "commit", "begin", "abort"):
        operator.run("zone", verb, ZONE)
    operator.run("settings", "list", ZONE)
    operator.run("settings", "show", ZONE, "ipv6")
    operator.run("settings", "set", ZONE, "ipv6", "off")
    operator.run("settings", "set", ZONE, "dns.ns_ttl", "3600")


def run_certificates(operator, made):
    made.leaf("www." + ZONE)
    made.request("/CN=client", "client")
    pair = str(made.folder / "leaf.pem"), "--key", str(made.folder / "leaf.key")
    authority, csr = str(made.folder / "ca.pem"), str(made.folder / "client.csr")
    one = operator.result("certificate", "add", ZONE, *pair)["id"]
    operator.run("certificate", "list", ZONE)
    assert "stapling  -\n" in operator.run("certificate", "show", ZONE, one)
    operator.run("certificate", "replace", ZONE, one, pair[0])
    assert operator.result("certificate", "prioritize", ZONE, one, "7")["priority"] == 7
    operator.run("certificate", "prioritize", ZONE, one, "much", codes=(2,))
    operator.run("certificate", "delete", ZONE, one)

    operator.run("ca", "add", "Shops", authority)
    operator.run("ca", "list")
    operator.run("ca", "hosts", ZONE)
    operator.run("ca", "hosts", ZONE, "www." + ZONE, "--authority", "Shops")
    assert "used by   hostname_associations\n" in operator.run("ca", "show", "Shops")
    assert operator.run("ca", "show", "Shops", "--pem") == made.authority
    operator.run("ca", "forward", ZONE, "www." + ZONE)
    operator.run("ca", "forward", ZONE, "www." + ZONE, "--off")
    assert operator.result("ca", "forward", ZONE) == [
        {"hostname": "www." + ZONE, "china_network": False, "client_certificate_forwarding": False}]
    operator.run("ca", "forward", ZONE, "--off", codes=(2,))
    operator.run("ca", "hosts", ZONE, "--none", "--authority", "Shops")
    operator.run("ca", "delete", "Shops")

    trusted = operator.result("origin-trust", "add", ZONE, authority)["id"]
    operator.run("origin-trust", "list", ZONE)
    assert operator.run("origin-trust", "show", ZONE, trusted, "--pem") == made.authority
    operator.run("origin-trust", "delete", ZONE, trusted)
    assert "none of its own" in operator.run("origin-trust", "list", ZONE)

    pem = operator.run("client-certificate", "issue", ZONE, csr, "--days", "30")
    assert pem.startswith("-----BEGIN CERTIFICATE-----\n")
    [client] = operator.result("client-certificate", "list", ZONE)
    shown = "client-certificate", "show", ZONE, client["id"]
    assert operator.run(*shown, "--pem") == pem and client["validity_days"] == 30
    operator.run("client-certificate", "revoke", ZONE, client["id"])
    assert "status    revoked\n" in operator.run(*shown)
    assert operator.result("client-certificate", "list", ZONE, "--status", "active") == []
    operator.run("client-certificate", "reactivate", ZONE, client["id"])
    assert "status    active\n" in operator.run(*shown)
    operator.run("client-certificate", "issue", ZONE, csr, "--days", "soon", codes=(2,))


def run_origin_pulls(operator, made):
    host = "api." + ZONE
    pair = str(made.folder / "leaf.pem"), "--key", str(made.folder / "leaf.key")
    one = operator.result("origin-pull", "add", ZONE, *pair)["id"]
    operator.run("origin-pull", "on", ZONE)
    assert operator.result("origin-pull", "list", ZONE)["enabled"]
    operator.run("origin-pull", "off", ZONE)
    operator.run("origin-pull", "delete", ZONE, one)

    one = operator.result("origin-pull", "add", ZONE, *pair, "--hosts")["id"]
    assert [each["id"] for each in operator.result("origin-pull", "list", ZONE, "--hosts")] == [one]
    operator.run("origin-pull", "show", ZONE, host, codes=(4,))
    operator.run("origin-pull", "on", ZONE, host, codes=(1,))
    operator.run("origin-pull", "on", ZONE, "--certificate", one, codes=(2,))
    operator.run("origin-pull", "on", ZONE, host, "--certificate", one)
    assert "pulls     on\n" in operator.run("origin-pull", "show", ZONE, host)
    operator.run("origin-pull", "delete", ZONE, one, "--hosts", codes=(1,))
    operator.run("origin-pull", "off", ZONE, host)
    assert "pulls     off\n" in operator.run("origin-pull", "show", ZONE, host)
    operator.run("origin-pull", "follow", ZONE, host)
    operator.run("origin-pull", "show", ZONE, host, codes=(4,))
    operator.run("origin-pull", "delete", ZONE, one, "--hosts")


def run_dnssec(operator, folder):
    operator.run("dnssec", "enable", ZONE, "--algorithm", "ECDSAP256SHA256")
    for verb in ("status", "ds", "keys"):
        operator.run("dnssec", verb, ZONE)
    operator.run("dnssec", "rollover", ZONE, codes=(0, 1))
    operator.run("dnssec", "presigned", ZONE, "off")
    operator.run("zone", "serial", ZONE)
    operator.run("zone", "serial", ZONE, "--policy", "unixtime")
    operator.run("zone", "check", ZONE, codes=(0, 1))
    operator.run("zone", "export", ZONE, "--signed")
    operator.run("dnssec", "ds-seen", ZONE, codes=(0, 1))
    operator.run("dnssec", "check", ZONE, codes=(0, 1))
    file = folder / "key.private"
    secret = base64.b64encode(os.urandom(31).rjust(32, b"\x01")).decode()
    file.write_text("Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
                    f"PrivateKey: {secret}\n")
    file.chmod(0o600)
    operator.run("dnssec", "import-key", ZONE, str(file))
    spare = [key["id"] for key in operator.result("dnssec", "keys", ZONE) if "spare" in str(key)]
    operator.run("dnssec", "delete-key", ZONE, *spare)
    operator.run("dnssec", "disable", ZONE)


def run_rulesets(operator, folder):
    file = folder / "rules.json"
    rules = [{"ref": "admin", "action": "block", "expression": 'http.request.uri.path eq "/admin"'}]
    file.write_text(json.dumps(rules))
    made = operator.result("ruleset", "set", ZONE, FIREWALL, str(file))
    assert made["rules"][0]["ref"] == "admin"
    file.write_text(json.dumps(made))
    again = operator.result("ruleset", "set", ZONE, FIREWALL, str(file))
    assert again["rules"] == made["rules"], "what show --json prints can be set again"
    assert 'admin  on     block   http.request.uri.path eq "/admin"' in operator.run(
        "ruleset", "show", ZONE, FIREWALL)
    assert [each["phase"] for each in operator.result("ruleset", "list", ZONE)] == [FIREWALL]
    for wrong, code in (("{}", 6), ("nonsense", 6), ('[{"action": "skip"}]', 1)):
        file.write_text(wrong)
        operator.run("ruleset", "set", ZONE, FIREWALL, str(file), codes=(code,))
    operator.run("ruleset", "delete", ZONE, FIREWALL)
    operator.run("ruleset", "show", ZONE, FIREWALL, codes=(4,))


def run_accounts(operator):
    operator.run("account", "list")
    operator.run("account", "create", "Shop")
    operator.run("account", "rename", "Shop", "Store")
    assert operator.result("account", "settings", "Store")["enforce_dns_only"] is False
    assert operator.result("account", "set", "Store", "enforce_dns_only", "true") == {
        "enforce_dns_only": True}
    operator.run("account", "set", "Store", "nonesuch", "1", codes=(4,))
    of = "--account", "Store"
    operator.run("user", "create", "a@example.com", *of)
    operator.run("user", "list", *of)
    operator.run("user", "key", "a@example.com", *of)
    operator.run("user", "delete", "a@example.com", *of)
    operator.run("token", "permissions", *of)
    operator.run("token", "create", "deploy", "--permissions", "DNS Write", *of)
    operator.run("token", "list", *of)
    operator.run("token", "show", "deploy", *of)
    assert operator.result("token", "disable", "deploy", *of)["status"] == "disabled"
    enabled = operator.result("token", "enable", "deploy", *of)
    assert enabled["status"] == "active" and enabled["policies"]
    operator.run("token", "roll", "deploy", *of)
    operator.run("token", "verify", codes=(0, 1))
    operator.run("token", "delete", "deploy", *of)
    operator.run("log", *of)
    operator.run("log")
    operator.run("account", "delete", "Store")


def run_node(operator, folder):
    (folder / "secret").write_text("00" * 16 + "\n")
    operator.run("status")
    operator.run("addresses")
    operator.run("resolver", "show")
    history = operator.result("snapshot", "history")
    assert history
    operator.run("snapshot", "rollback", "1", "--dry-run", codes=(0, 1, 4))
    # Without an edge these are refused, and still asked.
    for words in (["stats"], ["stats", "--zones"], ["stats", "--origins"], ["stats", "--prometheus"], ["top", "--once"], ["snapshot", "show"], ["snapshot", "show", ZONE],
                  ["snapshot", "compact"], ["snapshot", "verify"], ["cookie-secret", "show"],
                  ["cookie-secret", "add", str(folder / "secret")], ["cookie-secret", "activate"],
                  ["cookie-secret", "drop"], ["cookie-secret", "reload"]):
        operator.run(*words, codes=(0, 1, 4))
    operator.run("zone", "delete", ZONE)


def test_every_operation_is_reached_or_left_out_for_a_reason(operator, tmp_path):
    made = Certificates(tmp_path)
    run_zones(operator, tmp_path)
    run_certificates(operator, made)
    run_origin_pulls(operator, made)
    run_rulesets(operator, tmp_path)
    run_dnssec(operator, tmp_path)
    run_accounts(operator)
    run_node(operator, tmp_path)

    commands = all_commands()
    assert "record set" in commands and LOCAL < commands, commands
    untried = {command for command in commands - LOCAL
               if not any(line.startswith(command) for line in operator.commands)}
    assert not untried, "commands that this test does not run"

    called, operations = operator.recorder.called, set(Description().operations)
    assert called <= operations, "brinkctl calls what openapi.yaml does not have"
    assert not called & set(LEFT_OUT), "reached, so it needs no reason"
    assert set(LEFT_OUT) <= operations, "there is no such operation any more"
    missing = operations - called - set(LEFT_OUT)
    assert not missing, f"no command reaches {sorted(missing)}; give it one, or a reason in LEFT_OUT"
