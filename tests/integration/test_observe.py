"""What an operator sees of zones and origins, and what visitors see of errors: statistics by name, Prometheus,
pages of one's own, countries, redirect loops explained."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from country_file import country_file
from lab import BRINKCTL, ROOT, Lab, wait_until
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

EDGE, PORT = "192.0.2.140", 8880
ZONE, HOST = "example.com", "www.example.com"
METRICS = "127.0.0.1:9153"
CLIENTS = "198.51.100.0/24"
ZONE_TEXT = """$TTL 300
@    IN SOA ns1 hostmaster 1 10000 2400 604800 1800
@    IN NS  ns1
ns1  IN A   192.0.2.129
"""
PAGE = "<h1>ours {{code}}</h1>{{host}} {{address}} {{ray}}"


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        origin = lab.spawn("origin-a", "/usr/bin/python3", ROOT / "tests/integration/scripted_origin.py",
                           PORT, lab.state / "scripted.log", stdout=subprocess.PIPE, text=True)
        assert origin.stdout.readline() == "ready\n"
        (lab.state / "countries.mmdb").write_bytes(country_file({CLIENTS: "DE", "2001:db8::/32": "JP"}))
        (lab.state / "page.html").write_text(PAGE)
        lab.edge_start(workers="0:dns,1:l7", arguments=(
            f"--l7.country-database={lab.state}/countries.mmdb", f"--l7.error-page={lab.state}/page.html"))
        lab.control_start(f"--metrics-listen={METRICS}")
        for zone, host in ((ZONE, HOST), ("example.net", "www.example.net")):
            (lab.state / f"{zone}.zone").write_text(ZONE_TEXT)
            lab.brinkctl("zone", "import", lab.state / f"{zone}.zone", "--zone", zone, "--create", "--activate")
            lab.brinkctl("record", "add", host, "A", "203.0.113.10", "--proxied")
        lab.brinkctl("record", "add", "away.example.com", "A", "203.0.113.10", "--proxied")
        yield lab


def ask(lab, path="/echo", *fields, host=HOST, port=PORT):
    with Wire(lab.connect(EDGE, port)) as http:
        return http.get(host, path, *fields).response()


def row(lab, which, name):
    rows = lab.brinkctl("stats", f"--{which}")
    return next((r["counters"] for r in rows if r["name"] == name), None)


def text(lab, *arguments):
    return lab.exec("edge", BRINKCTL, "--socket", lab.state / "control.sock", *arguments)


# ---- statistics ----


def test_requests_count_for_their_zone_and_their_origin(lab):
    zone = row(lab, "zones", ZONE) or {}
    origin = row(lab, "origins", f"203.0.113.10:{PORT}") or {}
    for _ in range(3):
        assert ask(lab).status == 200
    assert ask(lab, "/garbage").status == 520
    after = row(lab, "zones", ZONE)
    gain = {name: value - zone.get(name, 0) for name, value in after.items()}
    assert (gain["requests"], gain["responses_2xx"], gain["responses_5xx"], gain["edge_errors"]) == (4, 3, 1, 1)
    assert gain["bytes_in"] > 4 * 40 and gain["bytes_out"] > 4 * 40
    after = row(lab, "origins", f"203.0.113.10:{PORT}")
    gain = {name: value - origin.get(name, 0) for name, value in after.items()}
    assert (gain["requests"], gain["responses_2xx"], gain["no_response"]) == (4, 3, 1)
    assert gain["connects"] + gain["reused"] == 4


def test_an_origin_that_refuses_is_seen(lab):
    assert ask(lab, host="away.example.com", port=2052).status == 521
    counters = row(lab, "origins", "203.0.113.10:2052")
    assert counters["connect_failures"] == 1 and counters["requests"] == 0


def test_people_see_tables_with_the_busiest_first(lab):
    assert ask(lab, host="www.example.net").status == 200
    lines = text(lab, "stats", "--zones").splitlines()
    assert lines[0].split()[:3] == ["ZONE", "REQUESTS", "2XX"]
    assert [line.split()[0] for line in lines[1:]] == [ZONE, "example.net"]
    assert re.search(r" \d+(\.\d)? (us|ms|s)$", lines[1]), lines[1]
    assert f"203.0.113.10:{PORT}" in text(lab, "stats", "--origins").splitlines()[1]
    both = lab.brinkctl("stats", "--zones", "--origins", check=False)
    assert both.returncode == 2 and "exclude each other" in both.stderr


def fetched(lab, *options):
    return lab.exec("edge", "curl", "-sS", "--max-time", "20", *options, f"http://{METRICS}/metrics")


def test_prometheus_can_read_it(lab):
    ask(lab)
    for text_format in (fetched(lab), text(lab, "stats", "--prometheus")):
        families = {family.name: family for family in parse_prometheus(text_format)}
        requests = {s.labels["zone"]: s.value for s in families["brink_zone_requests"].samples}
        assert requests[ZONE] == row(lab, "zones", ZONE)["requests"]
        times = families["brink_zone_request_seconds"]
        assert times.type == "histogram"
        mine = [s for s in times.samples if s.labels["zone"] == ZONE]
        buckets = [s.value for s in mine if s.name.endswith("_bucket")]
        assert buckets == sorted(buckets)
        assert buckets[-1] == next(s.value for s in mine if s.name.endswith("_count"))
        assert families["brink_edge_up"].samples[0].value == 1
        assert all(family.documentation for family in families.values())


def test_openmetrics_is_spoken_to_who_asks(lab):
    answer = fetched(lab, "-H", "Accept: application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in parse_openmetrics(answer)}
    assert families["brink_http_requests"].type == "counter"
    assert families["brink_origin_response_seconds"].type == "histogram"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say(lab):
    done = subprocess.run(["promtool", "check", "metrics"], input=fetched(lab), text=True, capture_output=True)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr


def test_nobody_else_is_served_there(lab):
    assert "404" in lab.exec("edge", "curl", "-sSi", f"http://{METRICS}/client/v4/zones").splitlines()[0]


# ---- pages ----


def test_the_operators_page_is_shown(lab):
    page = ask(lab, "/garbage")
    assert page.status == 520 and page.field("cf-error-type") == "520"
    assert page.field("content-type") == "text/html; charset=utf-8"
    assert page.body.decode() == f"<h1>ours 520</h1>{HOST} 198.51.100.10 {page.field('cf-ray')}"


def test_a_zones_own_page_comes_first(lab):
    path = lab.state / "zone.html"
    path.write_text("<title>{{status}}</title>\nzone: {{code}} {{ray}}\n")
    lab.brinkctl("settings", "set", ZONE, "error_page_5xx", f"@{path}")
    page = ask(lab, "/garbage")
    assert page.body.decode() == f"<title>520</title>\nzone: 520 {page.field('cf-ray')}\n"
    assert page.status == 520 and page.field("cf-error-type") == "520"
    assert ask(lab, "/garbage", host="www.example.net").body.startswith(b"<h1>ours 520")
    assert f"({path.stat().st_size} octets)" in text(lab, "settings", "list", ZONE)
    lab.brinkctl("settings", "set", ZONE, "error_page_5xx", "")
    assert ask(lab, "/garbage").body.startswith(b"<h1>ours 520")


def test_a_bad_page_is_refused_with_its_line(lab):
    refused = lab.brinkctl("settings", "set", ZONE, "error_page_1xxx", "a\n{{nonsense}}", check=False)
    assert refused.returncode == 1
    for part in ("error_page_1xxx", "line 2", "{{nonsense}} is not known", "{{ray}}"):
        assert part in refused.stderr, refused.stderr


def reload(lab):
    os.kill(lab.edge_pid(), signal.SIGHUP)


def test_the_operators_page_is_replaced_while_it_runs_if_it_is_good(lab):
    (lab.state / "page.html").write_text("without a ray")
    reload(lab)
    assert wait_until(lambda: "the error page stays as it is" in (lab.state / "edge.log").read_text())
    assert ask(lab, "/garbage").body.startswith(b"<h1>ours 520")
    (lab.state / "page.html").write_text("<i>newer</i> {{ray}}")
    reload(lab)
    assert wait_until(lambda: ask(lab, "/garbage").body.startswith(b"<i>newer</i> "))


# ---- countries ----


def location(lab):
    return re.search(rb"\nloc=(..)\n", ask(lab, "/cdn-cgi/trace").body).group(1).decode()


def told(lab):
    head = json.loads(ask(lab, "/echo", "CF-IPCountry: SE").body)["head"]
    return re.findall(r"(?i)\ncf-ipcountry: (.*?)\r", head)


def test_the_country_of_a_client_is_told(lab):
    assert location(lab) == "DE"
    assert told(lab) == ["DE"]
    lab.brinkctl("settings", "set", ZONE, "ip_geolocation", "off")
    assert told(lab) == []
    lab.brinkctl("settings", "set", ZONE, "ip_geolocation", "on")


def test_rules_ask_for_it(lab):
    rules = lab.state / "rules.json"
    rules.write_text(json.dumps([{"action": "block", "expression": 'ip.src.country in {"DE" "AT"}'}]))
    lab.brinkctl("ruleset", "set", ZONE, "http_request_firewall_custom", rules)
    try:
        assert ask(lab).status == 403
    finally:
        lab.brinkctl("ruleset", "delete", ZONE, "http_request_firewall_custom")
    assert ask(lab).status == 200


def test_the_database_is_replaced_while_it_runs_if_it_is_good(lab):
    path = lab.state / "countries.mmdb"
    good = path.read_bytes()
    path.write_bytes(good[:len(good) // 2])
    reload(lab)
    assert wait_until(lambda: "countries stay as they are" in (lab.state / "edge.log").read_text())
    assert location(lab) == "DE"
    path.write_bytes(country_file({CLIENTS: "BR"}))
    reload(lab)
    assert wait_until(lambda: location(lab) == "BR")
    path.write_bytes(country_file({"192.0.2.0/24": "BR"}))
    reload(lab)
    assert wait_until(lambda: location(lab) == "XX")
    assert told(lab) == ["XX"]


# ---- redirect loops ----


def test_zone_check_explains_redirect_loops(lab):
    assert "circles" not in text(lab, "zone", "check", ZONE)
    assert ask(lab, "/to-https").status == 301, "ssl is full: no loop"
    lab.brinkctl("settings", "set", ZONE, "ssl", "flexible")
    assert ask(lab, "/to-https").status == 508
    assert row(lab, "zones", ZONE)["redirect_loops"] == 1
    line = next(line for line in text(lab, "zone", "check", ZONE).splitlines() if "circles" in line)
    assert line.startswith("warning") and "ssl is flexible" in line and f"settings set {ZONE} ssl full" in line
    assert lab.brinkctl("zone", "check", ZONE)["findings"][-1]["severity"] == "warning"
    lab.brinkctl("settings", "set", ZONE, "ssl", "full")
    assert "circles" not in text(lab, "zone", "check", ZONE), "it is mended"
