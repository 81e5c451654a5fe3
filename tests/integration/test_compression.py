"""Content codings of responses: curl on the client, over HTTP/1.1 and HTTP/2; nginx behind the edge, with and
without a gzip of its own, over HTTP/1.1 and HTTP/2. What curl has decoded is what the origin has."""
import ctypes
import hashlib
import os
import re
import socket
import subprocess
import zlib

import pytest

from certificates import Certificates
from lab import Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4 = "192.0.2.140"
LARGE = 16 << 20  # more than any window of HTTP/2 or of a coding here
# Origins speak HTTP/1.1 on port 80 to the first zone, HTTP/2 on port 443 to the second.
ZONES = {"example.com": "flexible", "example.net": "full"}
# Those of "plain" know no codings, those of "packed" have gzip.
ORIGINS = {"plain": ("203.0.113.75", "off"), "packed": ("203.0.113.76", "on")}
TOLD = 8880  # port of the origin that is the test itself
VERSIONS = ("--http1.1", "--http2")
CODINGS = ("gzip", "br", "zstd")
CONFIG = """daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  log_format seen '$host $request_uri $http_accept_encoding'; access_log {dir}/seen.log seen;
  default_type text/html; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/good.pem; ssl_certificate_key {dir}/good.key; root {dir}/html; gzip_proxied any;
  server {{ listen 9001; listen 9002 ssl http2; gzip off; location /br/ {{ add_header Content-Encoding br; }} }}
  server {{ listen 9003; listen 9004 ssl http2; gzip on; gzip_vary on; }}
}}
"""


def text(size):
    lines = (f"<p>Line {i} of a page, {i * 2654435761 % (1 << 32):08x}, is like others.</p>\n"
             for i in range(size // 50))
    return "".join(lines).encode()[:size]


def brotli(body):
    library = ctypes.CDLL("libbrotlienc.so.1")
    out = ctypes.create_string_buffer(len(body) + 1024)
    size = ctypes.c_size_t(len(out))
    assert library.BrotliEncoderCompress(5, 22, 0, ctypes.c_size_t(len(body)), body, ctypes.byref(size), out)
    return out.raw[:size.value]


def start_nginx(lab, made):
    folder = made.folder
    (folder / "html" / "br").mkdir(parents=True)
    (folder / "html" / "page.html").write_bytes(text(100_000))
    (folder / "html" / "big.html").write_bytes(text(LARGE))
    (folder / "html" / "br" / "page.html").write_bytes(brotli(text(100_000)))
    made.leaf(*(f"*.{zone}" for zone in ZONES), name="good")
    (folder / "nginx.conf").write_text(CONFIG.format(dir=folder))
    rules = "add table ip to_nginx; add chain ip to_nginx in { type nat hook prerouting priority -100; }; "
    for n, (address, _) in enumerate(ORIGINS.values()):
        lab.exec("origin-b", "ip", "address", "add", f"{address}/26", "dev", "eth0")
        for port, to in ((80, 9001 + 2 * n), (443, 9002 + 2 * n)):
            rules += f"add rule ip to_nginx in ip daddr {address} tcp dport {port} redirect to :{to}; "
    lab.exec("origin-b", "nft", rules)
    lab.spawn("origin-b", "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log")
    assert wait_until(lambda: (folder / "pid").exists()), (folder / "error.log").read_text()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        lab.origins = Certificates(tmp_path_factory.mktemp("origin"), "Origin CA")
        start_nginx(lab, lab.origins)
        lab.edge_start()
        lab.control_start()
        for zone, mode in ZONES.items():
            lab.brinkctl("zone", "create", zone)
            lab.brinkctl("zone", "activate", zone, "--force")
            lab.brinkctl("settings", "set", zone, "ssl", mode)
            for label, (address, _) in ORIGINS.items():
                lab.brinkctl("record", "add", f"{label}.{zone}", "A", address, "--proxied")
            lab.made.leaf(zone, f"*.{zone}", name=zone)
            lab.brinkctl("certificate", "add", zone, lab.made.folder / f"{zone}.pem", "--key",
                         lab.made.folder / f"{zone}.key")
        lab.brinkctl("record", "add", "told.example.com", "A", "203.0.113.74", "--proxied")
        yield lab
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


class Answer:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name:
                self.fields.setdefault(name.lower(), []).append(value.strip())
        self.body = body

    def field(self, name):
        return ", ".join(self.fields[name]) if name in self.fields else None


def curl(lab, version, url, accepts, *options, decode=True):
    """What curl gets, decoded, for that Accept-Encoding (None: without one)."""
    head, body = lab.state / "head", lab.state / "body"
    host = re.sub(r"^https://|/.*$", "", url)
    body.write_bytes(b"")
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", version, "-m", "120", "--cacert",
         str(lab.made.folder / "ca.pem"), "--resolve", f"{host}:443:{V4}", "-D", str(head), "-o", str(body),
         *(("--compressed",) if decode else ()), "-H", f"Accept-Encoding: {accepts}" if accepts else
         "Accept-Encoding:", *options, url], capture_output=True, timeout=130)
    assert done.returncode == 0, done.stderr
    return Answer(head.read_bytes(), body.read_bytes())


def asked(lab):
    """Host, target and Accept-Encoding of the last request that nginx saw."""
    return (lab.origins.folder / "seen.log").read_text().splitlines()[-1].split(" ", 2)


def sha(body):
    return hashlib.sha256(body).hexdigest()


def assert_is_page(answer, coding):
    assert answer.status == 200 and answer.field("content-encoding") == coding
    assert answer.body == text(100_000)
    assert answer.field("vary") == "Accept-Encoding"
    assert answer.field("etag").startswith("W/\"")
    assert answer.field("content-length") is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("coding", CODINGS)
def test_what_the_origin_does_not_encode_the_edge_does(lab, zone, version, coding):
    url = f"https://plain.{zone}/page.html"
    with lab.counted(http_encoded=1, http_decoded=0, http_no_encoder=0):
        assert_is_page(curl(lab, version, url, coding), coding)
    assert asked(lab) == [f"plain.{zone}", "/page.html", "br, gzip"]
    coded = curl(lab, version, url, coding, decode=False).body
    assert len(coded) < 40_000
    with lab.counted(http_encoded=0):
        plain = curl(lab, version, url, None)
    assert plain.body == text(100_000) and plain.field("content-length") == "100000"
    assert plain.field("etag").startswith("\"") and plain.field("vary") == "Accept-Encoding"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_origin_encodes(lab, zone, version):
    url = f"https://packed.{zone}/page.html"
    with lab.counted(http_encoded=0, http_decoded=0):
        assert_is_page(curl(lab, version, url, "gzip, br"), "gzip")
    with lab.counted(http_encoded=0, http_decoded=1):
        assert_is_page(curl(lab, version, url, None), None)
    with lab.counted(http_encoded=1, http_decoded=1):
        assert_is_page(curl(lab, version, url, "zstd"), "zstd")
    brotli_url = f"https://plain.{zone}/br/page.html"
    with lab.counted(http_encoded=0, http_decoded=1):
        assert_is_page(curl(lab, version, brotli_url, None), None)
    with lab.counted(http_encoded=1, http_decoded=1):
        assert_is_page(curl(lab, version, brotli_url, "gzip"), "gzip")


@pytest.mark.parametrize("host", [f"{label}.{zone}" for label in ORIGINS for zone in ZONES])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("accepts", [*CODINGS, None])
def test_large_bodies_are_whole(lab, host, version, accepts):
    answer = curl(lab, version, f"https://{host}/big.html", accepts)
    assert answer.status == 200 and answer.field("content-encoding") == accepts
    assert sha(answer.body) == sha((lab.origins.folder / "html" / "big.html").read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
def test_many_bodies_at_once(lab, version):
    urls = []
    for n in range(48):
        urls += ["-o", lab.state / f"many-{n}", f"https://{'packed' if n % 3 else 'plain'}.example.com/page.html?{n}"]
    before = [lab.counter(name) for name in ("http_encoded", "http_no_encoder", "http_no_decoder")]
    lab.exec("client", "curl", "-sS", version, "-Z", "--parallel-max", "48", "--compressed", "-m", "60", "--cacert",
             lab.made.folder / "ca.pem", *(word for label in ORIGINS for word in
                                           ("--resolve", f"{label}.example.com:443:{V4}")),
             "-H", "Accept-Encoding: br", *urls)
    for n in range(48):
        assert (lab.state / f"many-{n}").read_bytes() == text(100_000), n
    encoded, unencoded, undecoded = (
        lab.counter(name) - was
        for name, was in zip(("http_encoded", "http_no_encoder", "http_no_decoder"), before))
    assert encoded + unencoded == 48 and undecoded == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_heads_without_bodies(lab, version):
    url = "https://plain.example.com/page.html"
    got = curl(lab, version, url, "br")
    head = curl(lab, version, url, "br", "-I")
    for name in ("content-encoding", "etag", "vary", "content-length", "content-type"):
        assert head.field(name) == got.field(name), name
    unchanged = curl(lab, version, url, "br", "-H", f"If-None-Match: {got.field('etag')}")
    assert unchanged.status == 304 and unchanged.field("etag") == got.field("etag")


def test_old_clients_get_plain_bytes(lab):
    for path, host in (("/page.html", "plain"), ("/br/page.html", "plain"), ("/page.html", "packed")):
        answer = curl(lab, "--http1.0", f"https://{host}.example.com{path}", None, "--no-alpn")
        assert answer.body == text(100_000) and answer.field("transfer-encoding") is None
    answer = curl(lab, "--http1.0", "https://plain.example.com/page.html", "gzip", "--no-alpn", decode=False)
    assert answer.body == text(100_000), "not encoded: nothing would mark its end"


def test_a_zone_may_go_without_brotli(lab):
    url = "https://plain.example.com/page.html"
    lab.brinkctl("settings", "set", "example.com", "brotli", "off")
    try:
        assert wait_until(lambda: curl(lab, "--http2", url, "br, gzip").field("content-encoding") == "gzip")
        assert asked(lab)[2] == "gzip"
    finally:
        lab.brinkctl("settings", "set", "example.com", "brotli", "on")
    assert wait_until(lambda: curl(lab, "--http2", url, "br, gzip").field("content-encoding") == "br")


def test_an_origin_that_pauses_is_heard(lab):
    """Each line must be readable before the next one is sent."""
    with lab.inside("origin-b"):
        listener = socket.create_server(("203.0.113.74", TOLD))
    listener.settimeout(10)
    client = lab.connect(V4, TOLD)
    client.sendall(b"GET /lines HTTP/1.1\r\nHost: told.example.com\r\nAccept-Encoding: gzip\r\n\r\n")
    origin, _ = listener.accept()
    with listener, client, origin:
        origin.settimeout(10)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += origin.recv(4096)
        origin.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        received, said = b"", b""
        for n in range(5):
            line = f"line {n} of an answer that takes its time\n".encode()
            said += line
            origin.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            while decoded(received) != said:
                data = client.recv(4096)
                assert data
                received += data
        origin.sendall(b"0\r\n\r\n")
        while not received.endswith(b"\r\n0\r\n\r\n"):
            data = client.recv(4096)
            assert data
            received += data
        assert b"\r\nContent-Encoding: gzip\r\n" in received and decoded(received) == said


def decoded(message):
    """What can be read of a chunked body in gzip, as far as it came."""
    _, _, wire = message.partition(b"\r\n\r\n")
    coded = b""
    while b"\r\n" in wire:
        size, _, rest = wire.partition(b"\r\n")
        coded += rest[:int(size, 16)]
        wire = rest[int(size, 16) + 2:]
    return zlib.decompressobj(31).decompress(coded) if coded else b""
