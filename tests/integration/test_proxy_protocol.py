"""PROXY headers with real programs: HAProxy and curl before the edge, nginx behind it."""
import os
import subprocess
import time

import pytest

from certificates import Certificates
from lab import Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

EDGE, RELAY, VISITOR = "192.0.2.140", "198.51.100.70", "198.51.100.10"
ZONE = "example.com"
HOST = f"www.{ZONE}"
# HAProxy's port and the edge's, where nginx listens, too.
PLAIN_V1, PLAIN_V2, SECURE = (8001, 2082), (8002, 2082), (8003, 2083)
NGINX = """daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type text/plain; keepalive_requests 100000;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/good.pem; ssl_certificate_key {dir}/good.key;
  server {{
    listen 2082 proxy_protocol; listen 2083 ssl http2 proxy_protocol; listen 2052;
    return 200 "announced=$proxy_protocol_addr to=$proxy_protocol_server_addr:$proxy_protocol_server_port connecting=$http_cf_connecting_ip connection=$connection $server_protocol\\n";
  }}
}}
"""
HAPROXY = f"""global
  pidfile {{dir}}/haproxy.pid
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen v1
  bind {RELAY}:{PLAIN_V1[0]}
  source {RELAY}
  server edge {EDGE}:{PLAIN_V1[1]} send-proxy check check-send-proxy inter 500
listen v2
  bind {RELAY}:{PLAIN_V2[0]}
  source {RELAY}
  server edge {EDGE}:{PLAIN_V2[1]} send-proxy-v2 proxy-v2-options crc32c,unique-id check check-send-proxy inter 500
listen secure
  bind {RELAY}:{SECURE[0]}
  source {RELAY}
  server edge {EDGE}:{SECURE[1]} send-proxy-v2
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        made = Certificates(tmp_path_factory.mktemp("made"), "Lab CA")
        made.leaf(f"*.{ZONE}", name="good")
        (made.folder / "nginx.conf").write_text(NGINX.format(dir=made.folder))
        (made.folder / "haproxy.cfg").write_text(HAPROXY.format(dir=made.folder))
        lab.spawn("origin-a", "nginx", "-c", made.folder / "nginx.conf", "-e", made.folder / "error.log")
        lab.exec("client", "ip", "address", "add", f"{RELAY}/24", "dev", "eth0")
        lab.edge_start(workers="0:dns,1:l7", arguments=(f"--service.proxy-protocol-from={RELAY}",))
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        lab.brinkctl("record", "add", HOST, "A", "203.0.113.10", "--proxied")
        lab.brinkctl("certificate", "add", ZONE, made.folder / "good.pem", "--key",
                     made.folder / "good.key")
        lab.spawn("client", "haproxy", "-db", "-f", made.folder / "haproxy.cfg",
                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_until(lambda: lab.counter("proxy_headers") >= 2), "HAProxy checks the edge"
        yield lab


def curl(lab, url, *options, source=VISITOR, check=True):
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sSk", "-m", "10", "--interface", source,
         *options, url], capture_output=True, text=True)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout if check else done


def by_relay(lab, ports, path="/", scheme="http", *options):
    relay, edge = ports
    return curl(lab, f"{scheme}://{HOST}:{edge}{path}", "--connect-to", f"::{RELAY}:{relay}", *options)


def fields(text):
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


def announce(lab, how):
    lab.brinkctl("settings", "set", ZONE, "origin_proxy_protocol", how)
    time.sleep(0.2)


# ---- in front of the edge ----


@pytest.mark.parametrize("ports, scheme", [(PLAIN_V1, "http"), (PLAIN_V2, "http"), (SECURE, "https")])
def test_haproxy_names_the_visitor(lab, ports, scheme):
    before = lab.counter("proxy_headers")
    trace = by_relay(lab, ports, "/cdn-cgi/trace", scheme)
    assert f"\nip={VISITOR}\n" in trace and f"visit_scheme={scheme}\n" in trace
    assert lab.counter("proxy_headers") > before


def test_haproxys_checks_and_tlvs_are_taken(lab):
    before = lab.counter("proxy_headers")
    assert wait_until(lambda: lab.counter("proxy_headers") >= before + 4)
    assert lab.counter("drop_proxy_header") == 0


def test_curl_names_a_visitor(lab):
    trace = curl(lab, f"http://{HOST}/cdn-cgi/trace", "--haproxy-protocol", "--connect-to", f"::{EDGE}:",
                 source=RELAY)
    assert f"\nip={RELAY}\n" in trace


def test_a_relay_without_a_header_is_reset(lab):
    before = lab.counter("drop_proxy_header")
    done = curl(lab, f"http://{HOST}/cdn-cgi/trace", "--connect-to", f"::{EDGE}:", source=RELAY, check=False)
    assert done.returncode == 56, done
    assert lab.counter("drop_proxy_header") == before + 1


def test_nobody_else_may_name_a_visitor(lab):
    before = lab.counter("proxy_headers")
    done = curl(lab, f"http://{HOST}/cdn-cgi/trace", "--haproxy-protocol", "--connect-to", f"::{EDGE}:",
                "-w", "%{http_code}", "-o", "/dev/null", source="198.51.100.10")
    assert done == "400"
    assert f"\nip={VISITOR}\n" in curl(lab, f"http://{HOST}/cdn-cgi/trace", "--connect-to", f"::{EDGE}:")
    # HAProxy goes on checking.
    assert lab.counter("proxy_headers") - before < 10


# ---- behind it ----


@pytest.mark.parametrize("how", ["v1", "v2"])
@pytest.mark.parametrize("scheme, port", [("http", 2082), ("https", 2083)])
def test_nginx_is_told_of_the_visitor(lab, how, scheme, port):
    announce(lab, how)
    url = f"{scheme}://{HOST}:{port}/"
    told = curl(lab, url, url, "--connect-to", f"::{EDGE}:").splitlines()
    assert len(told) == 2
    for line in told:
        seen = fields(line)
        assert seen["announced"] == VISITOR and seen["connecting"] == VISITOR
        assert seen["to"] == f"{EDGE}:{port}"
    assert fields(told[0])["connection"] == fields(told[1])["connection"], "one client, one connection"
    other = fields(curl(lab, url, "--connect-to", f"::{EDGE}:"))
    assert other["connection"] != fields(told[0])["connection"], "another client, another connection"


def test_the_whole_chain(lab):
    announce(lab, "v2")
    seen = fields(by_relay(lab, SECURE, "/", "https", "--http2"))
    assert seen["announced"] == VISITOR and seen["to"] == f"{RELAY}:{SECURE[0]}"


def test_switching_it_off_and_bad_values(lab):
    announce(lab, "off")
    url = f"http://{HOST}:2052/"
    one = fields(curl(lab, url, "--connect-to", f"::{EDGE}:"))
    two = fields(curl(lab, url, "--connect-to", f"::{EDGE}:"))
    assert one["connection"] == two["connection"], "clients share connections again"
    done = lab.brinkctl("settings", "set", ZONE, "origin_proxy_protocol", "v3", check=False)
    assert done.returncode != 0 and "off v1 v2" in done.stdout + done.stderr
