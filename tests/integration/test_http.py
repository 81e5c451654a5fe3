"""The HTTP half of the main job with real programs: curl and raw sockets on the client, nginx and a
scripted origin behind the edge. Every test runs in two topologies. With "dns and l7 apart" each TCP
frame reaches the wrong worker first; with "both on each" flows and origins' replies go to either."""
import hashlib
import json
import os
import random
import re
import subprocess
import threading
import time

import pytest

from lab import BUILD, ROOT, Lab, wait_until
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4, V6 = "192.0.2.140", "2001:db8:a::141"
CLIENT_V4, CLIENT_V6 = "198.51.100.10", "2001:db8:c::10"
SCRIPTED = 8880
ORIGIN_ADDRESSES = re.compile(r"203\.0\.113\.|2001:db8:1[ab]:")
MEBIBYTE = 1 << 20
BIG = 256 * MEBIBYTE
SECRET_FIELDS = {"x-accel-redirect", "keep-alive", "x-hop", "connection"}
# Names of the zone and where they lead.
PROXIED = [
    ("www", "A", "203.0.113.10"),
    ("six", "AAAA", "2001:db8:1a::10"),
    # The second refuses on 8880. It is nobody else's: an address that just failed is passed over.
    ("pair", "A", "203.0.113.10"), ("pair", "A", "203.0.113.75"),
    ("shut", "A", "203.0.113.74"),      # refuses on 8880
    ("away", "A", "203.0.113.194"),     # the router has no way there
]
ZONE = """$TTL 300
@    IN SOA ns1 hostmaster 1 10000 2400 604800 1800
@    IN NS  ns1
ns1  IN A   192.0.2.129
open IN A   203.0.113.10
"""
TOPOLOGIES = {"dns and l7 apart": "0:dns,1:l7", "both on each": "0:dns+l7,1:dns+l7"}


def name(label):
    return f"{label}.example.com"


def start_scripted_origin(lab):
    origin = lab.spawn("origin-a", "/usr/bin/python3", ROOT / "tests/integration/scripted_origin.py",
                       SCRIPTED, lab.state / "scripted.log", stdout=subprocess.PIPE, text=True)
    assert origin.stdout.readline() == "ready\n"


@pytest.fixture(scope="module", params=TOPOLOGIES.values(), ids=TOPOLOGIES.keys())
def lab(request):
    with Lab() as lab:
        lab.exec("origin-b", "ip", "address", "add", "203.0.113.75/26", "dev", "eth0")
        lab.exec("router", "ip", "route", "add", "unreachable", "203.0.113.194/32")
        lab.exec("router", "ip", "route", "add", "blackhole", "203.0.113.195/32")
        start_scripted_origin(lab)
        lab.edge_start(workers=request.param)
        lab.control_start()
        (lab.state / "example.com.zone").write_text(ZONE)
        lab.brinkctl("zone", "import", lab.state / "example.com.zone", "--zone", "example.com",
                     "--create", "--activate")
        for label, rdtype, content in PROXIED:
            lab.brinkctl("record", "add", name(label), rdtype, content, "--proxied")
        yield lab


def curl(lab, url, *options, address=V4, check=True, timeout=30):
    """curl on the client, told where the edge is; returns its output as bytes."""
    host = re.sub(r"^http://|[/?].*$", "", url)
    host, _, port = host.partition(":")
    target = f"[{address}]" if ":" in address else address
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", "-m", str(timeout), "--resolve",
         f"{host}:{port or 80}:{target}", *map(str, options), url], capture_output=True)
    if check:
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return done


def scripted(lab, path, *options, label="www", **more):
    return curl(lab, f"http://{name(label)}:{SCRIPTED}{path}", *options, **more)


def wire(lab, port=80, address=V4, **options):
    return Wire(lab.connect(address, port, **options))


def log_lines(lab):
    path = lab.state / "scripted.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def assert_edge_page(response, status, error_type, origin=None):
    assert response.status == status
    assert response.field("cf-error-type") == str(error_type)
    assert response.field("cf-error-origin") in ([origin] if origin else ["edge", "origin"])
    assert re.fullmatch(r"[0-9a-f]{16}-LAB", response.field("cf-ray"))
    assert response.field("cf-ray").encode() in response.body
    assert not ORIGIN_ADDRESSES.search(response.body.decode())


# ---- requests and responses ----


@pytest.mark.parametrize("address", [V4, V6])
@pytest.mark.parametrize("label", ["www", "six"])
def test_get_head_post_put(lab, address, label):
    url = f"http://{name(label)}"
    assert curl(lab, f"{url}/", address=address) == b"this is origin-a\n"
    head = curl(lab, f"{url}/big", "--head", address=address).decode()
    assert "200 OK" in head and "Content-Length: 8388608" in head
    echo = json.loads(curl(lab, f"{url}:{SCRIPTED}/echo", "--data", "a=1&b=2", address=address))
    assert echo["size"] == 7 and echo["head"].startswith("POST /echo HTTP/1.1")
    body = os.urandom(100_000)
    put = f"{url}/upload/{label}-{len(address)}"
    sent = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", "-m", "20", "-o", "/dev/null", "-w",
         "%{http_code}", "-X", "PUT", "--data-binary", "@-", "--connect-to",
         f"::[{address}]:" if ":" in address else f"::{address}:", put],
        input=body, capture_output=True)
    assert sent.stdout in (b"201", b"204"), sent
    assert curl(lab, put, address=address) == body


@pytest.mark.parametrize("address, client", [(V4, CLIENT_V4), (V6, CLIENT_V6)])
def test_what_the_origin_is_told(lab, address, client):
    fields = {"X-Forwarded-For": "192.0.2.77", "X-Forwarded-Proto": "gopher", "X-Own": "kept",
              "Proxy-Connection": "x", "TE": "trailers", "Connection": "X-Private", "X-Private": "1"}
    options = [word for key, value in fields.items() for word in ("-H", f"{key}: {value}")]
    seen = json.loads(scripted(lab, "/echo?q=1", *options, address=address))
    lines = dict(line.split(": ", 1) for line in seen["head"].split("\r\n")[1:])
    assert seen["peer"] == "192.0.2.2"
    assert seen["head"].startswith("GET /echo?q=1 HTTP/1.1\r\n")
    assert lines["Host"] == f"{name('www')}:{SCRIPTED}"
    assert lines["CF-Connecting-IP"] == client
    assert lines["X-Forwarded-For"].replace(" ", "") == f"192.0.2.77,{client}"
    assert lines["X-Forwarded-Proto"] == "http"
    assert json.loads(lines["CF-Visitor"]) == {"scheme": "http"}
    assert lines["CDN-Loop"].startswith("brink")
    assert re.fullmatch(r"[0-9a-f]{16}-LAB", lines["CF-Ray"])
    assert lines["X-Own"] == "kept"
    names = {key.lower() for key in lines}
    assert not names & {"x-private", "te", "proxy-connection", "transfer-encoding"}


def test_the_ipv6_origin_sees_the_edges_ipv6_address(lab):
    assert json.loads(scripted(lab, "/echo", label="six"))["peer"] == "2001:db8:e::2"


def test_without_forwarded_for_there_is_one_address(lab):
    seen = json.loads(scripted(lab, "/echo"))
    assert f"\r\nX-Forwarded-For: {CLIENT_V4}\r\n" in seen["head"] + "\r\n"


def test_what_the_client_is_told(lab):
    with wire(lab, SCRIPTED) as http:
        response = http.get(name("www"), "/fields").response()
        assert response.status == 200 and response.body == b"f"
        assert response.field("server") == "brink" and response.field("x-kept") == "yes"
        assert [v for k, v in response.fields if k == "set-cookie"] == ["a=1", "b=2"]
        assert re.fullmatch(r"[0-9a-f]{16}-LAB", response.field("cf-ray"))
        assert response.field("cf-cache-status") == "DYNAMIC" and response.field("date")
        assert not response.names() & SECRET_FIELDS
        assert log_lines(lab)[-1]["head"].find(response.field("cf-ray")) > 0


def test_the_client_never_learns_the_origins_address(lab):
    for label, path in (("www", "/"), ("www", "/headers-not-there"), ("shut", "/"), ("away", "/")):
        for port in (80, SCRIPTED):
            url = f"http://{name(label)}:{port}{path}"
            assert not ORIGIN_ADDRESSES.search(curl(lab, url, "-i").decode("latin-1"))
    assert "203.0.113.10" not in lab.exec("client", "kdig", "+short", "@192.0.2.129", name("www"), "ANY")


# ---- the access log ----


def access_lines(lab, ray):
    path = lab.state / "access.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in map(json.loads, lines) if line["ray"] == ray]


def logged(lab, response):
    ray = response.field("cf-ray")
    assert wait_until(lambda: access_lines(lab, ray)), ray
    (line,) = access_lines(lab, ray)
    return line


def test_a_request_has_a_line_in_the_access_log(lab):
    with wire(lab, SCRIPTED) as http:
        http.send(f"POST /echo?log HTTP/1.1\r\nHost: {name('www')}\r\nUser-Agent: a \"b\"\r\n"
                  "Content-Length: 3\r\n\r\nabc")
        response = http.response()
        line = logged(lab, response)
        client_port = http.connection.getsockname()[1]
    assert {key: line[key] for key in ("method", "target", "host", "zone", "status", "protocol")} == {
        "method": "POST", "target": "/echo?log", "host": name("www"), "zone": "example.com",
        "status": 200, "protocol": "HTTP/1.1"}
    assert line["client_ip"] == CLIENT_V4 and line["client_port"] == client_port
    assert line["edge_port"] == line["origin_port"] == SCRIPTED
    assert line["origin_ip"] == "203.0.113.10" and line["origin_status"] == 200
    assert line["user_agent"] == 'a "b"'
    assert line["response_bytes"] >= len(response.body)
    assert 0 < line["origin_first_byte_ms"] <= line["duration_ms"] < 5000


def test_what_the_edge_answers_itself_is_logged_too(lab):
    with wire(lab, SCRIPTED) as http:
        line = logged(lab, http.get(name("shut"), "/").response())
        assert (line["status"], line["error_type"]) == (521, 521) and "origin_status" not in line
    with wire(lab) as http:
        line = logged(lab, http.get("nobody.example.net", "/x").response())
        assert line["error_type"] == 1001 and "origin_ip" not in line
    with wire(lab) as http:
        http.send("GET / HTTP/1.1\r\nHost : x\r\n\r\n")
        line = logged(lab, http.response())
        assert line["status"] == 400 and "target" not in line


def test_the_access_log_goes_on_in_a_new_file_when_it_was_moved(lab):
    path = lab.state / "access.log"
    with wire(lab) as http:
        first = logged(lab, http.get(name("www"), "/").response())
        path.rename(lab.state / "access.log.1")
        assert wait_until(path.exists)
        assert logged(lab, http.get(name("www"), "/").response())["ray"] != first["ray"]


# ---- connections ----


def test_connections_are_kept_and_requests_pipelined(lab):
    with wire(lab, SCRIPTED) as http:
        for i in range(20):
            assert f"GET /echo?{i} " in json.loads(
                http.get(name("www"), f"/echo?{i}").response().body)["head"]
        http.send("".join(f"GET /echo?p{i} HTTP/1.1\r\nHost: {name('www')}\r\n\r\n" for i in range(30)))
        for i in range(30):
            assert f"GET /echo?p{i} " in json.loads(http.response().body)["head"]
        post = f"POST /echo?b HTTP/1.1\r\nHost: {name('www')}\r\nContent-Length: 5\r\n\r\nhello"
        http.send(post + post + f"GET /cdn-cgi/trace HTTP/1.1\r\nHost: {name('www')}\r\n\r\n")
        for _ in range(2):
            assert json.loads(http.response().body)["size"] == 5
        assert b"colo=LAB" in http.response().body


def test_bytes_that_trickle_in_make_a_request(lab):
    with wire(lab) as http:
        for byte in f"GET / HTTP/1.1\r\nHost: {name('www')}\r\n\r\n":
            http.send(byte)
        assert http.response().body == b"this is origin-a\n"


def test_origin_connections_are_pooled(lab):
    before = lab.counter("http_origin_reused")
    with wire(lab, SCRIPTED) as http:
        used = {json.loads(http.get(name("www"), "/echo").response().body)["connection"]
                for _ in range(10)}
    assert len(used) == 1
    assert lab.counter("http_origin_reused") - before >= 9


def test_connection_that_died_in_the_pool_is_replaced_unseen(lab):
    before = lab.counter("http_origin_retries")
    with wire(lab, SCRIPTED) as http:
        for _ in range(6):  # /once resets a connection that it is asked on twice
            assert http.get(name("www"), "/once").response().status == 200
    assert lab.counter("http_origin_retries") - before >= 5


def test_an_origin_restarts_between_two_requests(lab):
    with wire(lab) as http:
        assert http.get(name("www")).response().status == 200
        pid = int((lab.state / "origin-a/pid").read_text())
        os.kill(pid, 15)
        assert wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
        assert_edge_page(http.get(name("www")).response(), 521, 521, "origin")
        lab.script("up")
        # A refused address is not tried while another is left; the only one always is.
        assert http.get(name("www")).response().body == b"this is origin-a\n"


def test_http_1_0(lab):
    with wire(lab, SCRIPTED) as http:
        http.send(f"GET /chunked HTTP/1.0\r\nHost: {name('www')}\r\n\r\n")
        response = http.response()
        assert response.status == 200 and response.field("transfer-encoding") is None
        assert len(response.body) == 66542 and http.closed()
    with wire(lab, SCRIPTED) as http:
        for _ in range(2):
            http.send(f"GET /echo HTTP/1.0\r\nHost: {name('www')}\r\nConnection: keep-alive\r\n\r\n")
            response = http.response()
            assert response.field("connection").lower() == "keep-alive"
            assert "GET /echo HTTP/1.1" in json.loads(response.body)["head"]


def test_connection_close_is_honoured(lab):
    with wire(lab) as http:
        response = http.get(name("www"), "/", "Connection: close").response()
        assert response.field("connection") == "close" and http.closed()


# ---- bodies ----


def test_chunked_both_ways(lab):
    body = os.urandom(300_000)
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/echo", "Transfer-Encoding: chunked", method="POST")
        at = 0
        while at < len(body):
            size = random.randint(1, 40_000)
            piece = body[at:at + size]
            http.send(f"{len(piece):x};name=value\r\n".encode() + piece + b"\r\n")
            at += size
        http.send("0\r\nX-Trailer: 1\r\n\r\n")
        seen = json.loads(http.response().body)
        assert seen["chunked"] and seen["sha256"] == hashlib.sha256(body).hexdigest()
        response = http.get(name("www"), "/chunked").response()
        assert response.field("transfer-encoding") == "chunked"
        assert len(response.body) == 66542
        assert http.get(name("www"), "/echo").response().status == 200


def test_head_and_bodiless_responses(lab):
    with wire(lab, SCRIPTED) as http:
        response = http.get(name("www"), "/echo", method="HEAD").response("HEAD")
        assert response.field("content-length") == "1234"
        assert http.get(name("www"), "/nothing").response().status == 204
        response = http.get(name("www"), "/unchanged").response()
        assert response.status == 304 and response.field("etag") == '"a"'
        assert http.get(name("www"), "/echo").response().status == 200


def test_expect_100_continue(lab):
    body = os.urandom(2_000_000)
    (lab.state / "body").write_bytes(body)
    out = scripted(lab, "/echo", "-H", "Expect: 100-continue", "-v", "--expect100-timeout", "20",
                   "--data-binary", f"@{lab.state}/body", check=False)
    assert b"100 Continue" in out.stderr, out.stderr
    assert json.loads(out.stdout)["sha256"] == hashlib.sha256(body).hexdigest()
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/echo", "Expect: 100-continue", "Content-Length: 3", method="PUT")
        assert http.response().status == 100
        assert json.loads(http.send("abc").response().body)["size"] == 3
    with wire(lab) as http:
        http.get(name("www"), "/", "Expect: miracles")
        assert http.response().status == 417


def test_early_hints_pass(lab):
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/hints")
        assert http.response().field("link") == "</a.css>"
        assert http.response().body == b"x"


def test_response_that_ends_with_its_connection(lab):
    assert len(scripted(lab, "/until-close")) == 3 * 65536
    assert scripted(lab, "/until-close-1.0") == b"old and whole"
    with wire(lab, SCRIPTED) as http:  # to HTTP/1.1 it goes chunked and keeps the client's
        assert http.get(name("www"), "/until-close").response().field("transfer-encoding") == "chunked"
        assert http.get(name("www"), "/echo").response().status == 200


@pytest.mark.parametrize("path", ["/until-reset", "/short", "/short-chunked", "/bad-chunk"])
@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_cut_response_is_seen_to_be_cut(lab, path, version):
    before = lab.counter("http_truncated")
    done = scripted(lab, path, version, check=False)
    assert done.returncode in (18, 56), done
    assert lab.counter("http_truncated") == before + 1


def test_response_before_the_request_ends(lab):
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/early", "Content-Length: 1000000", method="POST").send(b"x" * 1000)
        response = http.response()
        assert response.status == 413 and response.body == b"enough\n"
        assert response.field("connection") == "close"


def test_bytes_after_a_response_never_reach_a_client(lab):
    with wire(lab, SCRIPTED) as http:
        assert http.get(name("www"), "/extra").response().body == b"asked"
        assert json.loads(http.get(name("www"), "/echo").response().body)
    assert b"smuggled" not in scripted(lab, "/echo")


def test_client_that_leaves_in_the_middle_of_its_body(lab):
    before = lab.counter("http_client_aborts")
    connections = []
    for _ in range(5):
        http = wire(lab, SCRIPTED)
        http.get(name("www"), "/echo?abort", "Content-Length: 5000000", method="POST")
        http.send(b"y" * 500_000)
        connections.append(http)
    for i, http in enumerate(connections):
        http.reset() if i % 2 else http.connection.close()
    assert wait_until(lambda: lab.counter("http_client_aborts") - before == 5)
    assert not [line for line in log_lines(lab) if "/echo?abort" in line["head"]]
    assert scripted(lab, "/echo")


def test_client_that_leaves_in_the_middle_of_a_response(lab):
    before = lab.counter("http_client_aborts")
    http = wire(lab, SCRIPTED)
    http.get(name("www"), f"/big?{200 * MEBIBYTE}")
    http.connection.recv(100_000)
    http.reset()
    assert wait_until(lambda: lab.counter("http_client_aborts") == before + 1)


def test_slow_reader_holds_back_its_origin_alone(lab):
    size = 24 * MEBIBYTE
    resident = lab.edge_rss()
    with wire(lab, SCRIPTED, receive_buffer=32768, timeout=30) as slow:
        slow.get(name("www"), f"/big?{size}")
        slow.connection.recv(1)
        time.sleep(1)  # the edge could have fetched all of it by now
        started = time.monotonic()
        for _ in range(20):
            scripted(lab, "/echo")
        assert time.monotonic() - started < 5
        assert lab.edge_rss() - resident < 16 * MEBIBYTE
        left = size
        while left > size // 2:
            left -= len(slow.connection.recv(200_000))
    assert scripted(lab, "/echo")


@pytest.fixture(scope="session")
def big_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("http") / "body"
    digest = hashlib.sha256()
    generator = random.Random(7)
    with open(path, "wb") as file:
        for _ in range(BIG // MEBIBYTE):
            block = generator.randbytes(MEBIBYTE)
            digest.update(block)
            file.write(block)
    yield path, digest.hexdigest()
    path.unlink()


def test_quarter_gibibyte_each_way(lab, big_file):
    path, digest = big_file
    resident = lab.edge_rss()
    lab.brinkctl("settings", "set", "example.com", "max_upload", BIG // MEBIBYTE)
    url = f"http://{name('www')}/upload/quarter"
    curl(lab, url, "-T", path, "-o", "/dev/null", timeout=60)
    stored = lab.state / "origin-a/tmp/upload/quarter"
    sha = lambda file: subprocess.run(["sha256sum", file], capture_output=True, text=True).stdout[:64]
    assert sha(stored) == digest
    got = lab.state / "got"
    curl(lab, url, "-o", got, timeout=60)
    assert sha(got) == digest
    stored.unlink()
    got.unlink()
    assert lab.edge_rss() - resident < 32 * MEBIBYTE


# ---- failures of origins ----


def test_failover_to_the_address_that_answers(lab):
    before = lab.counter("http_origin_retries")
    for _ in range(12):
        assert json.loads(scripted(lab, "/echo", "--data", "x", label="pair"))["size"] == 1
    assert lab.counter("http_origin_retries") > before


@pytest.mark.parametrize("path", ["/empty", "/reset", "/garbage", "/no-status", "/half-head",
                                  "/huge-head", "/two-lengths", "/bad-field", "/switch"])
def test_520_for_what_is_no_response(lab, path):
    before = lab.counter("http_origin_malformed")
    with wire(lab, SCRIPTED) as http:
        assert_edge_page(http.get(name("www"), path).response(), 520, 520, "origin")
        assert http.get(name("www"), "/echo").response().status == 200
    assert lab.counter("http_origin_malformed") == before + 1


def test_521_523_when_there_is_nobody(lab):
    with wire(lab, SCRIPTED) as http:
        assert_edge_page(http.get(name("shut")).response(), 521, 521, "origin")
        assert_edge_page(http.get(name("away")).response(), 523, 523, "origin")
        assert http.get(name("www"), "/echo").response().status == 200


def test_origins_own_errors_are_not_the_edges(lab):
    with wire(lab, SCRIPTED) as http:
        response = http.get(name("www"), "/fault").response()
        assert response.status == 503 and response.body == b"the origin's own words\n"
        assert response.field("cf-error-type") is None


# ---- what the edge refuses ----


@pytest.mark.parametrize("host, path, fields, status, error_type", [
    ("192.0.2.140", "/", [], 403, 1003),
    ("[2001:db8:a::140]", "/", [], 403, 1003),
    ("nowhere.example.com", "/", [], 409, 1001),
    ("www.example.net", "/", [], 409, 1001),
    ("open.example.com", "/", [], 409, 1001),  # DNS-only
    ("www.example.com", "/", ["CF-Connecting-IP: 192.0.2.9"], 403, 1000),
    ("www.example.com", "/", ["CDN-Loop: brink; zone=example.com"], 403, 1000),
    ("www.example.com", "/cdn-cgi/else", [], 404, 404),
])
def test_pages_of_the_edge(lab, host, path, fields, status, error_type):
    with wire(lab) as http:
        assert_edge_page(http.get(host, path, *fields).response(), status, error_type, "edge")
        assert http.get(name("www")).response().status == 200


def test_method_trace_is_not_served(lab):
    with wire(lab) as http:
        assert_edge_page(http.get(name("www"), method="TRACE").response(), 405, 405, "edge")
        assert http.get(name("www")).response().status == 200


def test_trace(lab):
    for address, client in ((V4, CLIENT_V4), (V6, CLIENT_V6)):
        text = curl(lab, f"http://{name('www')}/cdn-cgi/trace", "-A", "probe/1", address=address).decode()
        values = dict(line.split("=", 1) for line in text.splitlines())
        assert values["h"] == name("www") and values["ip"] == client and values["colo"] == "LAB"
        assert values["uag"] == "probe/1" and values["http"] == "http/1.1" and values["tls"] == "off"
        assert values["visit_scheme"] == "http" and abs(float(values["ts"]) - time.time()) < 5


HOST = "Host: www.example.com\r\n"
REFUSED = {
    "no host": ("GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (f"GET / HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    "bad host": ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "no version": (f"GET /\r\n{HOST}\r\n", 400),
    "version 2.0": (f"GET / HTTP/2.0\r\n{HOST}\r\n", 505),
    "space in target": (f"GET /a b HTTP/1.1\r\n{HOST}\r\n", 400),
    "long target": (f"GET /{'a' * 20000} HTTP/1.1\r\n{HOST}\r\n", 414),
    "long field": (f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 20000}\r\n\r\n", 431),
    "long head": (f"GET / HTTP/1.1\r\n{HOST}" + "X-A: bcdefghij\r\n" * 4000 + "\r\n", 431),
    "coding": (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "length and chunked": (
        f"POST / HTTP/1.1\r\n{HOST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 400),
    "two lengths": (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "list of lengths": (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1, 2\r\n\r\nab", 400),
    "signed length": (f"POST / HTTP/1.1\r\n{HOST}Content-Length: +1\r\n\r\na", 400),
    "huge length": (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 99999999999999999999\r\n\r\n", 400),
    "chunked twice": (
        f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "hidden chunked": (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "chunked in 1.0": (f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "bare LF": ("GET / HTTP/1.1\nHost: www.example.com\n\n", 400),
    "bare LF in fields": (f"GET / HTTP/1.1\r\n{HOST}A: b\nContent-Length: 5\r\n\r\nhello", 400),
    "bare CR": (f"GET / HTTP/1.1\r\n{HOST}A: b\rC: d\r\n\r\n", 400),
    "NUL": (f"GET / HTTP/1.1\r\n{HOST}A: b\0c\r\n\r\n", 400),
    "space before colon": (f"POST / HTTP/1.1\r\n{HOST}Content-Length : 5\r\n\r\nhello", 400),
    "folded field": (f"GET / HTTP/1.1\r\n{HOST}A: b\r\n c\r\n\r\n", 400),
    "bad name": (f"GET / HTTP/1.1\r\n{HOST}A(b: c\r\n\r\n", 400),
    "no colon": (f"GET / HTTP/1.1\r\n{HOST}abc\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_malformed_request_is_refused_and_ends_its_connection(lab, case):
    text, status = REFUSED[case]
    before, seen = lab.counter("http_responses"), len(log_lines(lab))
    with wire(lab, SCRIPTED) as http:
        # What follows must never be taken for a request.
        http.send(text + f"GET /smuggled HTTP/1.1\r\n{HOST}\r\n")
        response = http.response()
        assert response.status == status, response.body
        assert response.field("connection") == "close"
        http.finish()
        assert http.closed()
    assert lab.counter("http_responses") == before + 1
    assert len(log_lines(lab)) == seen


@pytest.mark.parametrize("chunk", ["zz\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n",
                                   "5\r\nhelloX\r\n0\r\n\r\n", "fffffffffffffffff\r\n"])
def test_malformed_chunk_never_completes_a_request(lab, chunk):
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/echo?chunk", "Transfer-Encoding: chunked", method="POST").send(chunk)
        http.send(f"GET /smuggled HTTP/1.1\r\n{HOST}\r\n")
        response = http.response()
        assert response.status == 400 and response.field("connection") == "close"
    assert not [line for line in log_lines(lab)
                if "/echo?chunk" in line["head"] or "/smuggled" in line["head"]]


# ---- the topologies, and the end ----


def test_many_connections_at_once_use_every_l7_worker(lab):
    before = lab.stats()["workers"]
    failures = []

    def visit():
        try:
            with wire(lab, SCRIPTED) as http:
                for _ in range(20):
                    assert http.get(name("www"), "/echo").response().status == 200
        except Exception as error:  # noqa: BLE001: reported by the test
            failures.append(error)

    threads = [threading.Thread(target=visit) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for old, new in zip(before, lab.stats()["workers"]):
        requests = new["counters"]["http_requests"] - old["counters"]["http_requests"]
        assert (requests > 0) == ("l7" in new["roles"])
        if new["worker"] == 1:  # the port has one queue, which is worker 0's
            # A request and its answer are two segments of either peer at least: with fewer than that
            # many steered, origins' would have come some other way.
            assert new["counters"]["steered_in"] - old["counters"]["steered_in"] > 2 * requests
        for counter in ("drop_steer_full", "drop_tx_full", "drop_tcp_no_memory"):
            assert new["counters"][counter] == old["counters"][counter]


def test_522_524_when_time_runs_out(lab):
    """Last: the route's timeouts are no setting yet, so an image with short ones is published by hand,
    after the control process is gone."""
    lab.control_stop()
    zone = lab.state / "short.zone"
    zone.write_text(ZONE + "www IN A 203.0.113.10\nhole IN A 203.0.113.195\n")
    done = subprocess.run(
        [BUILD / "tests/lab_image", "publish", lab.state / "edge.sock", "1000000", "example.com",
         zone, "--timeouts-ms", "700,700,900",
         "www.example.com=203.0.113.10", "hole.example.com=203.0.113.195"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with wire(lab, SCRIPTED) as http:
        assert_edge_page(http.get(name("hole")).response(), 522, 522, "origin")
        assert_edge_page(http.get(name("www"), "/silent").response(), 524, 524, "origin")
        assert http.get(name("www"), "/echo").response().status == 200
    assert lab.counter("http_origin_timeout") == 1 and lab.counter("http_origin_silent") == 1
