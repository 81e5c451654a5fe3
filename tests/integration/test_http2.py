"""HTTP/2 between clients and the edge: curl, nghttp, h2load and python3-h2 on the client; nginx and a
scripted origin behind, which speak HTTP/1.1. The zone's SSL mode is flexible, so that origins need no
certificate."""
import contextlib
import hashlib
import json
import os
import re
import ssl
import subprocess
import time

import pytest

from certificates import Certificates
from http2_client import Http2
from lab import ROOT, Lab, wait_until
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4 = "192.0.2.140"
ZONE = "example.com"
HOST, SCRIPTED = f"www.{ZONE}", f"scripted.{ZONE}"
MEBIBYTE = 1 << 20
REFUSED_STREAM, INTERNAL_ERROR, NO_ERROR, CANCEL, ENHANCE_YOUR_CALM = 7, 2, 0, 8, 11


def start_scripted_origin(lab):
    """At 203.0.113.75, port 80: where flexible requests go."""
    lab.exec("origin-b", "ip", "address", "add", "203.0.113.75/26", "dev", "eth0")
    lab.exec("origin-b", "nft", "add table ip to_script; "
             "add chain ip to_script in { type nat hook prerouting priority -100; }; "
             "add rule ip to_script in ip daddr 203.0.113.75 tcp dport 80 redirect to :8880")
    origin = lab.spawn("origin-b", "/usr/bin/python3", ROOT / "tests/integration/scripted_origin.py",
                       8880, lab.state / "scripted.log", stdout=subprocess.PIPE, text=True)
    assert origin.stdout.readline() == "ready\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        start_scripted_origin(lab)
        lab.edge_start()
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        lab.brinkctl("settings", "set", ZONE, "ssl", "flexible")
        for host, address in ((HOST, "203.0.113.10"), (SCRIPTED, "203.0.113.75"),
                              (f"shut.{ZONE}", "203.0.113.76")):
            lab.brinkctl("record", "add", host, "A", address, "--proxied")
        lab.made.leaf(ZONE, f"*.{ZONE}", name=ZONE)
        lab.brinkctl("certificate", "add", ZONE, lab.made.folder / f"{ZONE}.pem", "--key",
                     lab.made.folder / f"{ZONE}.key")
        yield lab
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


def curl(lab, path, *options, host=HOST, check=True, timeout=60):
    """curl over HTTP/2; its output as text, or all of it with check=False."""
    done = lab.run("client", "curl", "-sS", "--http2", "-m", timeout, "--cacert", lab.made.folder / "ca.pem",
                  "--resolve", f"{host}:443:{V4}", *options, f"https://{host}{path}", timeout=timeout + 10,
                  check=check)
    return done.stdout.decode() if check else done


def connect(lab, protocols=("h2",), host=HOST, **more):
    context = ssl.create_default_context(cafile=lab.made.folder / "ca.pem")
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(lab.connect(V4, 443, **more), server_hostname=host)


def counters(lab, *names):
    return {name: lab.counter(name) for name in names}


def scripted_requests(lab):
    return [json.loads(line) for line in (lab.state / "scripted.log").read_text().splitlines()]


# ---- ordinary requests ----


def test_clients_that_offer_it_get_it(lab):
    with lab.counted(http2_sessions=1, http_requests=1):
        trace = curl(lab, "/cdn-cgi/trace", "-w", "%{http_version}")
    assert "\nhttp=http/2\n" in trace and trace.endswith("\n2")
    with lab.counted(http2_sessions=0, http_requests=1):
        assert curl(lab, "/cdn-cgi/trace", "--http1.1", "-w", "%{http_version}").endswith("\n1.1")
    with connect(lab, ("http/1.1", "h2")) as connection:
        assert connection.selected_alpn_protocol() == "h2", "the edge's order counts"


def test_a_zone_may_go_without(lab):
    lab.brinkctl("settings", "set", ZONE, "http2", "off")
    try:
        with connect(lab, ("h2", "http/1.1")) as connection:
            assert connection.selected_alpn_protocol() == "http/1.1"
    finally:
        lab.brinkctl("settings", "set", ZONE, "http2", "on")
    with connect(lab, ("h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "h2"


def test_what_the_origin_sees(lab):
    with Http2(connect(lab)) as http:
        stream = http.get(SCRIPTED, "/seen?x=1", ("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers"),
                          ("x-mine", "yes"))
        assert stream.status == 200 and stream.ended
    seen = scripted_requests(lab)[-1]["head"]
    assert seen.startswith("GET /seen?x=1 HTTP/1.1\r\nHost: " + SCRIPTED + "\r\n")
    assert "\r\ncookie: a=1; b=2\r\n" in seen and "\r\nx-mine: yes\r\n" in seen
    assert "\r\nX-Forwarded-Proto: https\r\n" in seen and "\r\nConnection: Keep-Alive\r\n" in seen
    assert "\r\nte:" not in seen.lower()


def test_what_the_client_sees(lab):
    with Http2(connect(lab)) as http:
        stream = http.get(HOST, "/headers")
        assert stream.status == 200
        assert stream.fields["server"] == "brink"
        assert re.fullmatch(r"[0-9a-f]{16}-[A-Z]{3}", stream.fields["cf-ray"])
        assert not {"connection", "transfer-encoding", "keep-alive"} & set(stream.fields)


def test_head_has_no_body_and_errors_have_pages(lab):
    with Http2(connect(lab)) as http:
        head = http.get(HOST, "/", method="HEAD")
        assert (head.status, bytes(head.body)) == (200, b"") and int(head.fields["content-length"]) > 0
        missing = http.get(HOST, "/cdn-cgi/nothing")
        assert missing.status == 404 and missing.fields["cf-error-type"] == "404"
        assert len(missing.body) == int(missing.fields["content-length"]) > 0
        unknown = http.get("www.nobody.test", "/")
        assert unknown.status == 409 and unknown.fields["cf-error-type"] == "1001"
        refused = http.get(f"shut.{ZONE}", "/")
        assert refused.status in (521, 522, 523)
        assert http.get(HOST, "/").status == 200, "the connection goes on"


@pytest.mark.parametrize("path, status", [("/empty", 520), ("/reset", 520), ("/garbage", 520),
                                          ("/two-lengths", 520), ("/huge-head", 520)])
def test_faults_of_the_origin(lab, path, status):
    with Http2(connect(lab)) as http:
        stream = http.get(SCRIPTED, path)
        assert stream.status == status and stream.fields["cf-error-type"] == str(status)
        assert stream.fields["cf-error-origin"] == "origin"


def test_refusals(lab):
    with Http2(connect(lab)) as http:
        assert http.get(HOST, "/", ("expect", "a miracle")).status == 417
        assert http.get(HOST, "/" + "p" * 20_000).status == 414
        assert http.get(HOST, "/", ("x-long", "v" * 20_000)).status == 431
        assert http.get(HOST, "/", ("x-real", "1"), method="TRACE").status == 405
        assert http.get(HOST, "/").status == 200


# ---- bodies ----


@pytest.fixture(scope="module")
def big(lab):
    """64 MiB in a file, its hash, and the origin's copy of it."""
    path = lab.state / "big"
    path.write_bytes(os.urandom(MEBIBYTE) * 64)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("length", ["known", "unknown"])
def test_64_mib_each_way(lab, big, length, tmp_path):
    path, digest = big
    source = ("-T", path) if length == "known" else ("-T", "-", "-H", "Content-Length:")
    with open(path, "rb") as body:
        done = lab.run("client", "curl", "-sS", "--http2", "--cacert", lab.made.folder / "ca.pem", "--resolve",
                      f"{HOST}:443:{V4}", *source, "-w", "%{http_code} %{http_version}",
                      f"https://{HOST}/upload/{length}", timeout=120, stdin=body)
    assert done.stdout.split()[-2:] in ([b"201", b"2"], [b"204", b"2"])
    curl(lab, f"/upload/{length}", "-o", tmp_path / "received", timeout=120)
    assert hashlib.sha256((tmp_path / "received").read_bytes()).hexdigest() == digest


def test_many_streams_at_once_each_get_their_own(lab):
    with Http2(connect(lab)) as http:
        streams = {http.request(SCRIPTED, f"/seen?n={n}", ("x-n", str(n))): n for n in range(60)}
        for number in streams:
            assert http.response(number).status == 200
    heads = [request["head"] for request in scripted_requests(lab)[-60:]]
    assert {int(re.search(r"x-n: (\d+)", head).group(1)) for head in heads} == set(range(60))


def test_h2load(lab):
    with lab.counted(http_requests=20_000, http2_sessions=8, http2_faults=0, http2_floods=0):
        said = lab.run("client", "h2load", "-n", 20_000, "-c", 8, "-m", 32, "--connect-to", f"{V4}:443",
                      f"https://{HOST}/", timeout=120).stdout.decode()
    assert "20000 succeeded, 0 failed, 0 errored, 0 timeout" in said


def test_a_stream_that_is_not_read_does_not_hold_up_others(lab, big):
    with Http2(connect(lab), acknowledge=False) as http:
        stuck = http.request(HOST, "/upload/known")
        http.until(lambda: len(http.streams[stuck].body) >= 65_535)
        # The connection's window is closed too, until the other stream gets some.
        http.h2.increment_flow_control_window(MEBIBYTE)
        http.flush()
        other = http.get(HOST, "/cdn-cgi/trace")
        assert other.status == 200 and other.ended and not http.streams[stuck].ended
        with lab.counted(http_client_aborts=1):
            http.h2.reset_stream(stuck, CANCEL)
            http.flush()
            assert http.get(HOST, "/cdn-cgi/trace").status == 200


def test_a_cancelled_request_frees_its_origin(lab):
    with Http2(connect(lab)) as http, lab.counted(http_client_aborts=1):
        slow = http.request(SCRIPTED, "/silent")
        time.sleep(0.3)
        http.h2.reset_stream(slow, CANCEL)
        http.flush()
        assert http.get(HOST, "/").status == 200


def test_a_cut_response_resets_its_stream_alone(lab):
    with Http2(connect(lab)) as http, lab.counted(http_truncated=1):
        stream = http.get(SCRIPTED, "/short")
        assert stream.status == 200 and not stream.ended and stream.reset == INTERNAL_ERROR
        assert http.get(HOST, "/").status == 200


def test_an_answer_before_the_end_of_the_request(lab):
    with Http2(connect(lab)) as http:
        early = http.request(HOST, "/cdn-cgi/nothing", method="POST", end=False, body=b"x" * 1000)
        stream = http.response(early)
        assert stream.status == 404 and stream.ended
        http.until(lambda: stream.reset is not None)
        assert stream.reset == NO_ERROR
        assert http.get(HOST, "/").status == 200


def test_interim_responses(lab):
    with Http2(connect(lab)) as http:
        stream = http.get(SCRIPTED, "/hints")
        assert stream.status == 200 and 103 in stream.interim


# ---- limits and ends ----


def test_rapid_resets_end_the_connection(lab):
    with Http2(connect(lab)) as http, lab.counted(http2_floods=1):
        with contextlib.suppress(OSError):
            for _ in range(1000):
                number = http.request(SCRIPTED, "/silent")
                http.h2.reset_stream(number, CANCEL)
                http.flush()
        with contextlib.suppress(OSError):
            while http.receive():
                pass
        assert http.goaway == ENHANCE_YOUR_CALM
    assert curl(lab, "/cdn-cgi/trace").startswith("fl=")


def test_nonsense_ends_the_connection(lab):
    with connect(lab) as connection, lab.counted(http2_faults=1):
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64)
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass


def test_an_end_of_the_client_ends_everything_for_it(lab):
    with lab.counted(http_client_aborts=3):
        with Http2(connect(lab)) as http:
            for _ in range(3):
                http.request(SCRIPTED, "/silent")
            time.sleep(0.3)


# ---- WebSockets ----


@pytest.fixture(scope="module")
def echo(lab):
    """A WebSocket server that says what it hears, at 203.0.113.77."""
    lab.exec("origin-b", "ip", "address", "add", "203.0.113.77/26", "dev", "eth0")
    lab.exec("origin-b", "nft", "add rule ip to_script in ip daddr 203.0.113.77 tcp dport 80 redirect to :8881")
    server = lab.spawn("origin-b", "/usr/bin/python3", ROOT / "tests/integration/websocket_echo.py", 8881,
                       stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"
    lab.brinkctl("record", "add", f"ws.{ZONE}", "A", "203.0.113.77", "--proxied")
    return f"ws.{ZONE}"


WEBSOCKET_CLIENT = """
import asyncio, os, ssl, sys, websockets
host, secure, authority, address = sys.argv[1:]
async def main():
    context = ssl.create_default_context(cafile=authority) if secure == "wss" else None
    async with websockets.connect(f"{secure}://{host}/", host=address, ssl=context,
                                  server_hostname=host if context else None, max_size=None,
                                  compression=None, ping_interval=None) as socket:
        for size in (0, 1, 125, 126, 65535, 65536, 3_000_000):
            sent = os.urandom(size)
            await socket.send(sent)
            assert await socket.recv() == sent, size
        await socket.send("text")
        assert await socket.recv() == "text"
asyncio.run(main())
print("all came back")
"""


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_websocket_over_http_1(lab, echo, scheme):
    with lab.counted(http_tunnels=1):
        said = lab.run("client", "/usr/bin/python3", "-c", WEBSOCKET_CLIENT, echo, scheme,
                      lab.made.folder / "ca.pem", V4)
    assert said.stdout == b"all came back\n"


def test_a_zone_may_go_without_websockets(lab, echo):
    lab.brinkctl("settings", "set", ZONE, "websockets", "off")
    try:
        with Wire(connect(lab, ("http/1.1",), host=echo)) as http:
            answer = http.get(echo, "/", "Connection: Upgrade", "Upgrade: websocket",
                              "Sec-WebSocket-Version: 13",
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==").response()
            assert answer.status == 426, "the origin sees no upgrade"
        with Http2(connect(lab, host=echo)) as http:
            assert http.get(echo, "/", (":protocol", "websocket"), method="CONNECT", end=False).status == 501
    finally:
        lab.brinkctl("settings", "set", ZONE, "websockets", "on")


def frame(payload):
    """A short binary frame of a client, masked with zeros (RFC 6455 5.2)."""
    return bytes([0x82, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def test_a_websocket_over_a_stream(lab, echo):
    """RFC 8441."""
    with Http2(connect(lab, host=echo)) as http, lab.counted(http_tunnels=1):
        number = http.request(echo, "/", (":protocol", "websocket"), ("sec-websocket-version", "13"),
                              method="CONNECT", end=False)
        stream = http.streams[number]
        http.until(lambda: stream.status is not None)
        assert stream.status == 200 and "sec-websocket-accept" not in stream.fields
        for payload in (b"one", b"two", b"x" * 125):
            seen = len(stream.body)
            http.send(number, frame(payload))
            http.until(lambda: len(stream.body) >= seen + 2 + len(payload))
            assert bytes(stream.body[seen:]) == bytes([0x82, len(payload)]) + payload
        assert http.get(HOST, "/").status == 200, "beside it"
        http.send(number, bytes([0x88, 0x80, 0, 0, 0, 0]), end=True)
        http.response(number)
        assert stream.ended


# ---- redirects ----


def test_a_redirect_that_leads_back_is_explained(lab):
    with lab.counted(http_redirect_loops=1):
        said = curl(lab, "/to-https", "-i", host=SCRIPTED)
    assert said.startswith("HTTP/2 508") and "cf-error-type: 508" in said
    assert "SSL mode to full" in said


# ---- the edge's own end ----


def test_a_drain_lets_streams_end(lab):
    slow = lab.spawn("client", "curl", "-sS", "--http2", "-m", "20", "--cacert", lab.made.folder / "ca.pem",
                     "--resolve", f"{SCRIPTED}:443:{V4}", f"https://{SCRIPTED}/slow",
                     stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    lab.edge_stop()
    assert (slow.stdout.read(), slow.wait(20)) == ("slow", 0), "what was begun is finished"
    lab.edge_start()
    assert wait_until(lambda: b"fl=" in curl(lab, "/cdn-cgi/trace", check=False).stdout)
