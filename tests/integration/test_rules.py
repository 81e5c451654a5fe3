"""Rules put through the API, as clients and the origin see them: who is blocked, and what becomes of
headers both ways, from the moment that the command returns."""
import json
import os
import sqlite3
import subprocess
import time

import pytest

from lab import ROOT, Lab
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

EDGE, CLIENT = "192.0.2.140", "198.51.100.10"
PORT = 8880
HOST = "www.example.com"
FIREWALL = "http_request_firewall_custom"
REQUEST = "http_request_late_transform"
RESPONSE = "http_response_headers_transform"
ZONE = """$TTL 300
@    IN SOA ns1 hostmaster 1 10000 2400 604800 1800
@    IN NS  ns1
ns1  IN A   192.0.2.129
"""


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        origin = lab.spawn("origin-a", "/usr/bin/python3", ROOT / "tests/integration/scripted_origin.py",
                           PORT, lab.state / "scripted.log", stdout=subprocess.PIPE, text=True)
        assert origin.stdout.readline() == "ready\n"
        lab.edge_start(workers="0:dns,1:l7")
        lab.control_start()
        for zone, host in (("example.com", HOST), ("example.net", "www.example.net")):
            (lab.state / f"{zone}.zone").write_text(ZONE)
            lab.brinkctl("zone", "import", lab.state / f"{zone}.zone", "--zone", zone, "--create",
                         "--activate")
            lab.brinkctl("record", "add", host, "A", "203.0.113.10", "--proxied")
        yield lab


@pytest.fixture(autouse=True)
def without_rules(lab):
    yield
    for ruleset in lab.brinkctl("ruleset", "list", "example.com"):
        lab.brinkctl("ruleset", "delete", "example.com", ruleset["phase"])


def put(lab, phase, *rules, check=True):
    path = lab.state / "rules.json"
    path.write_text(json.dumps(rules))
    return lab.brinkctl("ruleset", "set", "example.com", phase, path, check=check)


def block(expression, **response):
    return {"action": "block", "expression": expression,
            "action_parameters": {"response": response} if response else {}}


def rewrite(expression, **headers):
    return {"action": "rewrite", "expression": expression, "action_parameters": {
        "headers": {name.replace("_", "-"): change for name, change in headers.items()}}}


def value(text, operation="set"):
    return {"operation": operation, "value": text}


def expression(text, operation="set"):
    return {"operation": operation, "expression": text}


REMOVE = {"operation": "remove"}


def ask(lab, path="/echo", *fields, host=HOST, method="GET"):
    with Wire(lab.connect(EDGE, PORT)) as http:
        return http.get(host, path, *fields, method=method).response()


def logged(lab, ray, seconds=5):
    """The lines of the access log with this ray, once there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        path = lab.state / "access.log"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        found = [line for line in lines if line["ray"] == ray]
        if found:
            return found
        time.sleep(0.05)
    return []


def asked(lab, path="/echo", *fields):
    """The header lines that the origin got."""
    head = json.loads(ask(lab, path, *fields).body)["head"]
    return [line.split(": ", 1) for line in head.split("\r\n")[1:]]


def values(lines, name):
    return [value for key, value in lines if key.lower() == name.lower()]


def test_who_is_blocked_is_blocked_at_once_and_until_the_rule_goes(lab):
    assert ask(lab, "/echo").status == 200
    before = lab.counter("http_blocked")
    put(lab, FIREWALL, block(f'ip.src in {{{CLIENT}/32 2001:db8:ffff::/48}} and http.request.uri.path eq "/echo"'))
    page = ask(lab, "/echo?x=1")
    assert page.status == 403 and page.field("cf-error-type") == "1020"
    assert lab.counter("http_blocked") == before + 1
    assert [(line["status"], line["error_type"]) for line in logged(lab, page.field("cf-ray"))] == [(403, 1020)]
    assert ask(lab, "/fields").status == 200, "another path"
    assert ask(lab, "/echo", host="www.example.net").status == 200, "another zone"
    assert ask(lab, "/cdn-cgi/trace").status == 200
    lab.brinkctl("ruleset", "delete", "example.com", FIREWALL)
    assert ask(lab, "/echo?x=1").status == 200


def test_a_rule_answers_in_its_own_words(lab):
    put(lab, FIREWALL, block('http.user_agent contains "bad" or http.request.method eq "DELETE"', status_code=429,
                             content_type="application/json", content='{"go":"away"}'))
    answer = ask(lab, "/echo", "User-Agent: a bad one")
    assert (answer.status, answer.reason) == (429, "Too Many Requests")
    assert answer.field("content-type") == "application/json" and answer.body == b'{"go":"away"}'
    assert answer.field("cf-ray") and not answer.field("cf-error-type")
    assert ask(lab, "/echo", method="DELETE").status == 429
    assert ask(lab, "/echo", "User-Agent: a good one").status == 200


def test_a_rule_that_is_off_does_nothing(lab):
    put(lab, FIREWALL, {**block("true"), "enabled": False})
    assert ask(lab).status == 200


def test_who_shows_no_certificate_is_told_from_who_does(lab):
    put(lab, FIREWALL, block("not cf.tls_client_auth.cert_verified"))
    assert ask(lab).status == 403
    put(lab, FIREWALL, block("cf.tls_client_auth.cert_presented"))
    assert ask(lab).status == 200


def test_the_first_rule_that_holds_decides(lab):
    rules = [block(f'starts_with(http.request.uri.path, "{path}")', status_code=status, content_type="text/plain",
                   content=path) for path, status in (("/a", 401), ("/a/b", 410), ("/", 451))]
    put(lab, FIREWALL, *rules)
    assert [ask(lab, path).status for path in ("/a/b", "/a", "/c")] == [401, 401, 451]
    put(lab, FIREWALL, *reversed(rules))
    assert ask(lab, "/a/b").status == 451


def test_the_origin_sees_changed_headers(lab):
    put(lab, REQUEST,
        rewrite("true", X_Set=value("new"), X_Add=value("one", "add"), X_Gone=REMOVE,
                CF_Connecting_IP=REMOVE, X_Forwarded_For=REMOVE),
        rewrite('http.request.uri.query eq "more"', X_Add=expression("to_string(ip.src)", "add"),
                X_Uri=expression('concat(lower(http.host), "|", http.request.full_uri)')))
    fields = ("X-Set: old", "x-set: older", "X-Add: old", "X-Gone: here", "X-Own: kept")
    lines = asked(lab, "/echo", *fields)
    assert values(lines, "x-set") == ["new"] and values(lines, "x-add") == ["old", "one"]
    assert values(lines, "x-gone") == [] and values(lines, "x-own") == ["kept"] and values(lines, "x-uri") == []
    assert values(lines, "cf-connecting-ip") == [] and values(lines, "x-forwarded-for") == []
    assert values(lines, "host") == [HOST]
    lines = asked(lab, "/echo?more", *fields)
    assert values(lines, "x-add") == ["old", "one", CLIENT]
    assert values(lines, "x-uri") == [f"{HOST}|http://{HOST}/echo?more"]


def test_the_client_sees_changed_headers(lab):
    put(lab, RESPONSE,
        rewrite("true", X_Kept=REMOVE, X_Frame_Options=value("DENY"), Set_Cookie=value("c=3", "add")),
        rewrite('http.response.code in {200..299} and http.user_agent wildcard "ASKER/*"',
                X_Asked=expression('concat(http.request.method, " ", http.request.uri)')),
        rewrite("http.response.code ge 500", X_Fault=value("yes")))
    response = ask(lab, "/fields?a=b", "User-Agent: asker/7")
    assert response.status == 200 and response.body == b"f"
    assert response.field("x-kept") is None and response.field("x-frame-options") == "DENY"
    assert [v for k, v in response.fields if k == "set-cookie"] == ["a=1", "b=2", "c=3"]
    assert response.field("x-asked") == "GET /fields?a=b" and response.field("x-fault") is None
    assert response.field("server") == "brink"
    fault = ask(lab, "/fault", "User-Agent: asker/7")
    assert fault.status == 503 and fault.field("x-fault") == "yes" and fault.field("x-asked") is None


def test_curl_reads_it_too(lab):
    put(lab, RESPONSE, rewrite("true", X_Rule=expression("http.request.version")))
    out = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", "-i", "-m", "10", "--resolve",
         f"{HOST}:{PORT}:{EDGE}", f"http://{HOST}:{PORT}/nothing"], capture_output=True, text=True, check=True).stdout
    assert "HTTP/1.1 204" in out and "X-Rule: HTTP/1.1" in out


def test_many_requests_on_one_connection_keep_their_own_facts(lab):
    put(lab, RESPONSE, rewrite('ends_with(http.request.uri, "7")', X_Uri=expression("http.request.uri")))
    with Wire(lab.connect(EDGE, PORT)) as http:
        for number in range(30):
            http.get(HOST, f"/fields?{number}")
        for number in range(30):
            wanted = f"/fields?{number}" if number % 10 == 7 else None
            assert http.response().field("x-uri") == wanted


@pytest.mark.parametrize("phase, rule, message", [
    (REQUEST, rewrite("true", Host=value("other")), "the proxy's own"),
    (REQUEST, rewrite("true", Transfer_Encoding=REMOVE), "the proxy's own"),
    (REQUEST, rewrite("true", X_Forwarded_For=value("192.0.2.1")), "can be removed, but not changed"),
    (RESPONSE, rewrite("true", Server=value("other")), "the proxy's own"),
    (REQUEST, rewrite("true", X=expression(r'concat("a\x0d\x0aHost: b", http.host)')), "a control character"),
    (FIREWALL, block('http.host matches "a.*"'), "regular expressions are not supported"),
    (FIREWALL, {"action": "skip", "expression": "true"}, 'The action in phase'),
])
def test_what_cannot_be_run_is_refused_by_name(lab, phase, rule, message):
    refused = put(lab, phase, rule, check=False)
    assert refused.returncode != 0 and message in refused.stderr
    assert lab.brinkctl("ruleset", "list", "example.com") == []


def test_rules_outlive_both_programs(lab):
    put(lab, FIREWALL, block('http.request.uri.path eq "/echo"'))
    lab.control_stop()
    lab.edge_stop()
    lab.edge_start(workers="0:dns,1:l7")
    assert ask(lab, "/echo").status == 403, "from its disk, without control"
    lab.control_start()
    assert ask(lab, "/echo").status == 403


def test_a_rule_that_is_no_longer_understood_is_never_silently_absent(lab):
    """As after an upgrade that takes a field away."""
    put(lab, FIREWALL, block('http.request.uri.path eq "/secret"') | {"ref": "secret"})
    assert ask(lab, "/secret").status == 403
    lab.control_stop()
    with sqlite3.connect(lab.state / "control.db") as database:
        database.execute("UPDATE rulesets SET rules = replace(rules, 'http.request.uri.path', 'http.request.gone')")
    lab.control_start()
    put(lab, REQUEST, rewrite("true", X_Any=value("x")))
    log = (lab.state / "control.log").read_text()
    assert f"zone example.com: rule secret of {FIREWALL} has no effect, mend or delete it: " in log
    done = lab.brinkctl("zone", "check", "example.com", check=False)
    [finding] = [each for each in json.loads(done.stdout)["findings"] if "has no effect any more" in each["what"]]
    assert done.returncode == 1 and finding["severity"] == "error" and FIREWALL in finding["what"]
    put(lab, FIREWALL, block('http.request.uri.path eq "/secret"'))
    assert "has no effect" not in lab.brinkctl("zone", "check", "example.com", check=False).stdout
