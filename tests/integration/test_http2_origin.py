"""Origins over HTTP/2: nginx and a gRPC server behind the edge, both under TLS; curl, h2load and a gRPC
client in front."""
import contextlib
import hashlib
import os
import re
import ssl
import subprocess

import pytest

from certificates import Certificates
from http2_client import Http2
from lab import ROOT, Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4, ZONE = "192.0.2.140", "example.com"
HOST = f"www.{ZONE}"
MEBIBYTE = 1 << 20
# The edge comes to the port that its client came to.
NGINX, GRPC = 443, 8443
CONFIG = """daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  log_format seen '$connection $server_protocol $request_method $request_uri $status';
  access_log {dir}/seen.log seen; client_max_body_size 0; keepalive_requests {requests};
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{
    listen {address}:{port} ssl http2; ssl_certificate {dir}/good.pem; ssl_certificate_key {dir}/good.key;
    root {dir}/html;
    location = / {{ return 200 "$server_protocol $http_host $http_x_forwarded_proto $http_connection.\\n"; }}
    location = /204 {{ return 204; }}
    location /upload/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
  }}
}}
"""


def start_nginx(lab, made):
    folder = made.folder
    (folder / "html" / "upload").mkdir(parents=True)
    made.leaf(f"*.{ZONE}", name="good")
    (folder / "nginx.conf").write_text(
        CONFIG.format(dir=folder, address="203.0.113.74", port=NGINX, requests=1000))
    lab.spawn("origin-b", "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log")
    assert wait_until(lambda: (folder / "pid").exists())


def start_grpc(lab, made):
    server = lab.spawn("origin-b", "/usr/bin/python3", ROOT / "tests/integration/grpc_echo.py", "server",
                       GRPC, made.folder / "good.pem", made.folder / "good.key", stdout=subprocess.PIPE,
                       text=True)
    assert server.stdout.readline() == "ready\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        lab.origins = Certificates(tmp_path_factory.mktemp("origin"), "Origin CA")
        start_nginx(lab, lab.origins)
        start_grpc(lab, lab.origins)
        lab.edge_start()
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        lab.brinkctl("settings", "set", ZONE, "ssl", "full")
        lab.brinkctl("record", "add", HOST, "A", "203.0.113.74", "--proxied")
        lab.made.leaf(ZONE, f"*.{ZONE}", name=ZONE)
        lab.brinkctl("certificate", "add", ZONE, lab.made.folder / f"{ZONE}.pem", "--key",
                     lab.made.folder / f"{ZONE}.key")
        yield lab
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


def curl(lab, version, path, *options, timeout=60):
    return lab.run("client", "curl", "-sS", version, "-m", timeout, "--cacert", lab.made.folder / "ca.pem",
                  "--resolve", f"{HOST}:443:{V4}", *options, f"https://{HOST}{path}",
                  timeout=timeout + 10).stdout.decode()


def seen(lab):
    return [line.split() for line in (lab.origins.folder / "seen.log").read_text().splitlines()]


BOTH = pytest.mark.parametrize("version", ["--http1.1", "--http2"])


@BOTH
def test_origins_that_offer_it_get_it(lab, version):
    said = curl(lab, version, "/", "-w", "%{http_version}")
    assert said == f"HTTP/2.0 {HOST} https .\n" + ("2" if version == "--http2" else "1.1")


@BOTH
def test_requests_share_a_connection(lab, version):
    curl(lab, version, "/")
    with lab.counted(tls_origin_handshakes=0, http2_origin_sessions=0):
        for _ in range(5):
            curl(lab, version, "/")
    assert len({line[0] for line in seen(lab)[-5:]}) == 1


@BOTH
def test_responses_without_a_body(lab, version):
    assert curl(lab, version, "/204", "-w", "%{http_code}") == "204"
    assert curl(lab, version, "/", "-I", "-w", "%{http_code}").endswith("200")
    assert curl(lab, version, "/nothing", "-o", "/dev/null", "-w", "%{http_code}") == "404"


@BOTH
@pytest.mark.parametrize("length", ["known", "unknown"])
def test_64_mib_each_way(lab, version, length, tmp_path):
    data = os.urandom(MEBIBYTE) * 64
    (tmp_path / "sent").write_bytes(data)
    source = ("-T", tmp_path / "sent") if length == "known" else ("-T", "-")
    path = f"/upload/{length}{version}"
    with open(tmp_path / "sent", "rb") as body:
        done = lab.run("client", "curl", "-sS", version, "--cacert", lab.made.folder / "ca.pem", "--resolve",
                      f"{HOST}:443:{V4}", *source, "-H", "Expect:", "-w", "%{http_code}",
                      f"https://{HOST}{path}", timeout=120, stdin=body)
    assert done.stdout[-3:] in (b"201", b"204")
    curl(lab, version, path, "-o", tmp_path / "received", timeout=120)
    received = (tmp_path / "received").read_bytes()
    assert hashlib.sha256(received).hexdigest() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("option", ["--h1", "--npn-list=h2"])
def test_no_request_fails_when_connections_end(lab, option):
    """nginx ends a connection after 1,000 requests, by a GOAWAY while others are on their way."""
    with lab.counted(http_requests=20_000, http_edge_errors=0):
        said = lab.run("client", "h2load", "-n", 20_000, "-c", 8, "-m", 1 if option == "--h1" else 16, option,
                      "--connect-to", f"{V4}:443", f"https://{HOST}/", timeout=120).stdout.decode()
    assert "20000 succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert lab.counter("http2_origin_sessions") >= 20


def test_a_zone_may_keep_to_http_1(lab):
    lab.brinkctl("settings", "set", ZONE, "origin_max_http_version", "1")
    try:
        assert curl(lab, "--http2", "/").startswith("HTTP/1.1 ")
    finally:
        lab.brinkctl("settings", "set", ZONE, "origin_max_http_version", "2")
    assert curl(lab, "--http2", "/").startswith("HTTP/2.0 ")


def test_a_body_that_breaks_its_framing_is_refused(lab):
    said = lab.run("client", "openssl", "s_client", "-quiet", "-connect", f"{V4}:443", "-servername", HOST,
                  input=f"PUT /upload/bad HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "5\r\nhello\r\nzz\r\n".encode(), check=False).stdout.decode()
    assert re.match(r"HTTP/1.1 400 ", said), said
    assert not (lab.origins.folder / "html/upload/bad").exists()


def test_grpc_unary_and_streaming(lab):
    with lab.counted(http_edge_errors=0, http2_faults=0):
        said = lab.run("client", "/usr/bin/python3", ROOT / "tests/integration/grpc_echo.py", "client",
                      f"{V4}:{GRPC}", HOST, lab.made.folder / "ca.pem").stdout.decode()
    assert said.split() == ["unary", "fail", "unimplemented", "down", "up", "both", "many"]


def test_responses_that_nobody_reads_hold_up_no_other(lab):
    """Each of these 300 streams leaves the edge with a full window of its origin's bytes,
    but for those 65,535 that its client's window lets through."""
    (lab.origins.folder / "html" / "large").write_bytes(bytes(MEBIBYTE))
    context = ssl.create_default_context(cafile=lab.made.folder / "ca.pem")
    context.set_alpn_protocols(["h2"])
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = context.wrap_socket(lab.connect(V4, 443), server_hostname=HOST)
            http = stack.enter_context(Http2(connection, acknowledge=False))
            streams = [http.request(HOST, "/large") for _ in range(100)]
            http.until(lambda: sum(len(http.streams[stream].body) for stream in streams) == 65535)
        for _ in range(20):
            assert curl(lab, "--http2", "/", timeout=5).startswith("HTTP/2.0 ")
            assert len(curl(lab, "--http2", "/large", timeout=5)) == MEBIBYTE
