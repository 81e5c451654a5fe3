"""HTTPS with real programs: curl, openssl s_client and Python's ssl on the client, nginx behind the
edge with good and bad certificates. Certificates of the edge come through the API. In both topologies
flows reach their worker by a ring."""
import contextlib
import hashlib
import os
import re
import ssl
import subprocess

import pytest

from certificates import Certificates
from lab import Lab, wait_until
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4, V6 = "192.0.2.140", "2001:db8:a::141"
ZONE, OTHER = "example.com", "example.net"
HOST = f"www.{ZONE}"
TOPOLOGIES = {"dns and l7 apart": "0:dns,1:l7", "both on each": "0:dns+l7,1:dns+l7"}
MEBIBYTE = 1 << 20
UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 112, 120

# What the origin shows on a port: the edge comes to it by the client's port.
GOOD, EXPIRED, SELF_SIGNED, WRONG_NAME, NO_TLS, REFUSING = 443, 2053, 2083, 2087, 2096, 8443
BAD_CERTIFICATES = [EXPIRED, SELF_SIGNED, WRONG_NAME]
BAD_HANDSHAKES = [NO_TLS, REFUSING]
NAMES = {EXPIRED: "expired", SELF_SIGNED: "self-signed", WRONG_NAME: "wrong name", NO_TLS: "no TLS",
         REFUSING: "refuses"}
ORIGIN = """daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type text/plain; client_max_body_size 0; keepalive_requests 100000;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/good.pem; ssl_certificate_key {dir}/good.key;
{servers}
}}
"""
SERVER = """  server {{
    listen {listen}; listen [::]:{listen};
    {more}
    root {dir}/html;
    location = / {{ return 200 "proto=$http_x_forwarded_proto sni=$ssl_server_name port=$server_port\\n"; }}
    location = /shown {{ return 200 "verified=$ssl_client_verify subject=$ssl_client_s_dn\\n"; }}
    location = /hsts {{ add_header Strict-Transport-Security max-age=1; return 200 "own\\n"; }}
    location /upload/ {{ root {dir}/html; dav_methods PUT DELETE; create_full_put_path on; }}
  }}
"""


def signed(made, name, hosts, *validity):
    """A certificate of the origins' authority, as NAME.pem and NAME.key in its folder."""
    made.leaf(*hosts, name=name)
    if validity:
        made.openssl("x509", "-req", "-in", made.folder / f"{name}.csr", "-CA", made.folder / "ca.pem",
                     "-CAkey", made.folder / "ca.key", "-set_serial", "99", *validity, "-extfile",
                     made.folder / "leaf.cnf", "-out", made.folder / f"{name}.pem")


def start_origin(lab, made):
    folder = made.folder
    (folder / "html").mkdir()
    signed(made, "good", [f"*.{ZONE}", f"*.{OTHER}"])
    signed(made, "wrong", ["www.example.org"])
    signed(made, "expired", [f"*.{ZONE}"], "-days", "-1")
    made.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch",
                 "-days", "30", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout",
                 folder / "own.key", "-out", folder / "own.pem")

    def with_certificate(name):
        return f"ssl_certificate {folder}/{name}.pem; ssl_certificate_key {folder}/{name}.key;"
    ports = {GOOD: f"ssl_verify_client optional; ssl_client_certificate {folder}/ca.pem;", EXPIRED: with_certificate("expired"), SELF_SIGNED: with_certificate("own"),
             WRONG_NAME: with_certificate("wrong"), REFUSING: "ssl_reject_handshake on;"}
    servers = "".join(SERVER.format(listen=f"{port} ssl", more=more, dir=folder)
                      for port, more in ports.items())
    servers += SERVER.format(listen=NO_TLS, more="", dir=folder)
    (folder / "nginx.conf").write_text(ORIGIN.format(dir=folder, servers=servers))
    lab.spawn("origin-b", "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log")
    wait_until(lambda: (folder / "pid").exists())


def upload(lab, made, zone, *hosts, name="edge"):
    made.leaf(*hosts, name=name)
    return lab.brinkctl("certificate", "add", zone, made.folder / f"{name}.pem", "--key",
                        made.folder / f"{name}.key")


@pytest.fixture(scope="module", params=TOPOLOGIES.values(), ids=TOPOLOGIES.keys())
def world(request, tmp_path_factory):
    """A lab with an edge that has certificates for two zones, and an origin under TLS."""
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        lab.origins = Certificates(tmp_path_factory.mktemp("origin"), "Origin CA")
        lab.workers = request.param
        lab.tickets = lab.state / "ticket-key"
        lab.tickets.touch(0o600)
        lab.tickets.write_text(os.urandom(32).hex() + "\n")
        start_origin(lab, lab.origins)
        start_edge(lab)
        lab.control_start()
        # The key file has come after the edge.
        assert wait_until(lambda: "private keys can be opened" in (lab.state / "edge.log").read_text())
        for zone in (ZONE, OTHER):
            lab.brinkctl("zone", "create", zone)
            lab.brinkctl("zone", "activate", zone, "--force")
            lab.brinkctl("record", "add", f"www.{zone}", "A", "203.0.113.74", "--proxied")
            upload(lab, lab.made, zone, zone, f"*.{zone}", name=zone)
        lab.brinkctl("zone", "create", "example.org")
        lab.brinkctl("zone", "activate", "example.org", "--force")
        lab.brinkctl("record", "add", "www.example.org", "A", "203.0.113.74", "--proxied")
        yield lab
        # Whatever happened, the edge ends in good order.
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


@pytest.fixture
def lab(world):
    for zone in (ZONE, OTHER):
        world.brinkctl("settings", "set", zone, "ssl", "full")
    return world


def start_edge(lab, *more):
    lab.edge_start(workers=lab.workers, arguments=(
        f"--tls.origin-trust-file={lab.origins.folder / 'ca.pem'}",
        f"--tls.ticket-key-file={lab.tickets}", "--tls.handshake-s=3", *more))


def curl(lab, url, *options, address=V4, check=True, timeout=30):
    """curl on the client, told where the edge is; its output as text."""
    host, _, port = re.sub(r"^https?://|[/?].*$", "", url).partition(":")
    port = port or ("443" if url.startswith("https") else "80")
    target = f"[{address}]" if ":" in address else address
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", "--http1.1", "-m", str(timeout), "--cacert",
         str(lab.made.folder / "ca.pem"), "--resolve", f"{host}:{port}:{target}", *map(str, options), url],
        capture_output=True, text=True, timeout=timeout + 10)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout if check else done


def status(lab, url, *options, **more):
    return int(curl(lab, url, "-o", "/dev/null", "-w", "%{http_code}", *options, **more))


def s_client(lab, *options, host=HOST, request=None, address=V4):
    """openssl s_client on the client, with one request; what it prints."""
    text = request or f"GET /cdn-cgi/trace HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    where = f"[{address}]:443" if ":" in address else f"{address}:443"
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "openssl", "s_client", "-connect", where,
         *(("-servername", host) if host else ("-noservername",)), "-CAfile", str(lab.made.folder / "ca.pem"),
         "-ign_eof", *map(str, options)], input=text.encode(), capture_output=True, timeout=30)
    return (done.stdout + done.stderr).decode(errors="replace")


def connect(lab, host=HOST, address=V4, port=443):
    """A connection of Python's own TLS, verified."""
    context = ssl.create_default_context(cafile=lab.made.folder / "ca.pem")
    return context.wrap_socket(lab.connect(address, port), server_hostname=host)


# ---- clients ----


@pytest.mark.parametrize("address", [V4, V6])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_request_under_each_version(lab, version, address):
    with lab.counted(tls_handshakes=1, tls_failed=0, http_requests=1):
        body = curl(lab, f"https://{HOST}/", f"--tlsv{version}", "--tls-max", version, address=address)
    assert body == f"proto=https sni={HOST} port=443\n"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_older_versions_are_refused(lab, version):
    with lab.counted(tls_handshakes=0, tls_failed=1):
        done = curl(lab, f"https://{HOST}/", f"--tlsv{version}", "--tls-max", version, "--ciphers",
                    "DEFAULT@SECLEVEL=0", check=False)
    assert done.returncode != 0 and "protocol version" in done.stderr


def test_the_trace_says_how_the_client_came(lab):
    trace = curl(lab, f"https://{HOST}/cdn-cgi/trace")
    for line in (f"h={HOST}", "tls=TLSv1.3", "sni=plaintext", "visit_scheme=https", "http=http/1.1"):
        assert f"\n{line}\n" in trace
    trace = curl(lab, f"http://{HOST}/cdn-cgi/trace")
    for line in (f"h={HOST}", "tls=off", "sni=off", "visit_scheme=http"):
        assert f"\n{line}\n" in trace
    assert "\ntls=TLSv1.2\n" in curl(lab, f"https://{HOST}/cdn-cgi/trace", "--tls-max", "1.2")


def test_alpn(lab):
    assert "ALPN protocol: http/1.1" in s_client(lab, "-alpn", "http/1.1")
    assert "No ALPN negotiated" in s_client(lab)
    with lab.counted(tls_handshakes=0, tls_failed=1):
        assert f"SSL alert number {NO_APPLICATION_PROTOCOL}" in s_client(lab, "-alpn", "gopher")


def test_the_chain_that_was_uploaded_is_shown_and_verifies(lab):
    said = s_client(lab, "-verify_return_error", "-verify_hostname", HOST)
    assert "Verify return code: 0 (ok)" in said and f"subject=CN = {ZONE}" in said


@pytest.mark.parametrize("host", ["www.example.org", "www.nobody.test", None],
                         ids=["a zone without a certificate", "no zone", "no name"])
def test_a_name_without_a_certificate(lab, host):
    with lab.counted(tls_handshakes=0, tls_unknown_name=1, tls_failed=1):
        assert f"SSL alert number {UNRECOGNIZED_NAME}" in s_client(lab, host=host, request="x")


def test_a_host_of_another_zone_is_misdirected(lab):
    with Wire(connect(lab)) as http:
        answer = http.get(f"www.{OTHER}", "/").response()
        assert (answer.status, answer.field("cf-error-type")) == (421, "1013")
        assert http.get(f"{HOST}", "/").response().status == 200


def test_http_on_an_https_port(lab):
    with lab.counted(tls_failed=1, http_requests=0), lab.connect(V4, 443) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass


def test_a_client_that_says_nothing_is_closed(lab):
    with lab.counted(tls_failed=1), lab.connect(V4, 443, timeout=30) as connection:
        assert connection.recv(1) == b""


def test_connections_are_kept_alive_on_both_sides(lab):
    with lab.counted(tls_handshakes=1, http_requests=6), Wire(connect(lab)) as http:
        before = lab.counter("tls_origin_handshakes")
        for _ in range(6):
            assert http.get(HOST, "/").response().status == 200
    assert lab.counter("tls_origin_handshakes") - before <= 1


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_64_mib_each_way(lab, version, tmp_path):
    data = os.urandom(MEBIBYTE) * 64
    (tmp_path / "sent").write_bytes(data)
    url = f"https://{HOST}/upload/{version}"
    limits = ("--tls-max", version)
    assert status(lab, url, *limits, "-T", tmp_path / "sent", "-H", "Expect:", timeout=120) in (201, 204)
    curl(lab, url, *limits, "-o", tmp_path / "received", timeout=120)
    received = (tmp_path / "received").read_bytes()
    assert hashlib.sha256(received).hexdigest() == hashlib.sha256(data).hexdigest()
    stored = lab.origins.folder / "html" / "upload" / version
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == hashlib.sha256(data).hexdigest()


def test_the_access_log_has_the_port(lab):
    ray = re.search(r"CF-Ray: (\S+)", curl(lab, f"https://{HOST}/", "-i")).group(1)
    path = lab.state / "access.log"
    assert wait_until(lambda: path.exists() and ray in path.read_text())
    line = next(line for line in path.read_text().splitlines() if ray in line)
    assert '"edge_port":443' in line and '"origin_port":443' in line


# ---- sessions ----


def session(lab, folder, *options):
    """Makes a session and keeps it in a file."""
    said = s_client(lab, "-sess_out", folder / "session", *options)
    assert "200 OK" in said and "New, TLSv" in said
    return folder / "session"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed(lab, version, tmp_path):
    kept = session(lab, tmp_path, version)
    with lab.counted(tls_handshakes=1, tls_resumed=1):
        assert "Reused, TLSv" in s_client(lab, version, "-sess_in", kept)


def test_a_session_is_resumed_by_an_edge_that_was_started_again(lab, tmp_path):
    kept = session(lab, tmp_path)
    lab.edge_stop()
    start_edge(lab)
    assert "Reused, TLSv" in s_client(lab, "-sess_in", kept)
    lab.edge_stop()
    lab.tickets.write_text(os.urandom(32).hex() + "\n")
    start_edge(lab)
    assert "New, TLSv" in s_client(lab, "-sess_in", kept), "under another secret"
    assert lab.counter("tls_resumed") == 0


def test_a_session_is_not_resumed_for_another_host(lab, tmp_path):
    kept = session(lab, tmp_path)
    assert "New, TLSv" in s_client(lab, "-sess_in", kept, host=f"www.{OTHER}")


# ---- certificates ----


def serial(connection):
    return connection.getpeercert()["serialNumber"]


def test_a_certificate_is_replaced_while_connections_live(lab):
    with connect(lab) as old:
        http = Wire(old)
        assert http.get(HOST, "/").response().status == 200
        lab.made.leaf(ZONE, f"*.{ZONE}", name="renewed")
        lab.brinkctl("certificate", "replace", ZONE, ZONE, lab.made.folder / "renewed.pem", "--key",
                     lab.made.folder / "renewed.key")
        with connect(lab) as new:
            assert serial(new) != serial(old)
            assert Wire(new).get(HOST, "/").response().status == 200
        assert http.get(HOST, "/").response().status == 200, "goes on with what it began with"


def test_a_certificate_that_is_deleted_is_not_shown(lab):
    upload(lab, lab.made, "example.org", "www.example.org", name="short-lived")
    assert status(lab, "https://www.example.org/cdn-cgi/trace") == 200
    lab.brinkctl("certificate", "delete", "example.org", "www.example.org")
    with lab.counted(tls_unknown_name=1):
        assert curl(lab, "https://www.example.org/", check=False).returncode == 35


def test_an_edge_serves_its_certificates_with_nobody_to_ask(lab):
    lab.control_stop()
    lab.edge_stop()
    start_edge(lab)
    try:
        assert status(lab, f"https://{HOST}/") == 200
    finally:
        lab.control_start()


def test_a_key_file_that_opens_nothing_is_counted_and_said(lab):
    foreign = lab.state / "foreign.key"
    foreign.touch(0o600)
    foreign.write_text("5" * 64 + "\n")
    lab.edge_stop()
    start_edge(lab, f"--tls.key-file={foreign}")
    try:
        with lab.counted(tls_keys_refused=1, tls_handshakes=0):
            assert curl(lab, f"https://{HOST}/", check=False).returncode == 35
        log = lab.state / "edge.log"
        assert wait_until(lambda: "does not open with tls.key-file" in log.read_text())
        assert status(lab, f"http://{HOST}/cdn-cgi/trace") == 200
    finally:
        lab.edge_stop()
        start_edge(lab)
    assert status(lab, f"https://{HOST}/") == 200


# ---- origins ----


@pytest.mark.parametrize("mode", ["full", "strict"])
def test_an_origin_with_a_good_certificate(lab, mode):
    lab.brinkctl("settings", "set", ZONE, "ssl", mode)
    assert curl(lab, f"https://{HOST}/") == f"proto=https sni={HOST} port=443\n"


@pytest.mark.parametrize("port", BAD_CERTIFICATES, ids=NAMES.get)
def test_an_origin_with_a_bad_certificate(lab, port):
    assert status(lab, f"https://{HOST}:{port}/") == 200, "full looks at none"
    lab.brinkctl("settings", "set", ZONE, "ssl", "strict")
    with lab.counted(tls_origin_failed=1, tls_origin_handshakes=0, http_edge_errors=1):
        page = curl(lab, f"https://{HOST}:{port}/", "-i")
    assert page.startswith("HTTP/1.1 526 ") and "cf-error-type: 526" in page
    assert "203.0.113." not in page


def test_an_origin_is_shown_the_zones_own_certificate(lab):
    assert curl(lab, f"https://{HOST}/shown") == "verified=NONE subject=\n"
    lab.origins.leaf("edge.example.org", name="pull")
    folder = lab.origins.folder
    lab.brinkctl("origin-pull", "add", ZONE, folder / "pull.pem", "--key", folder / "pull.key")
    lab.brinkctl("origin-pull", "on", ZONE)
    try:
        # The connection of the request above is idle, and not used for this one.
        assert curl(lab, f"https://{HOST}/shown") == "verified=SUCCESS subject=CN=edge.example.org\n"
    finally:
        lab.brinkctl("origin-pull", "off", ZONE)
    assert curl(lab, f"https://{HOST}/shown") == "verified=NONE subject=\n"


@pytest.mark.parametrize("port", BAD_HANDSHAKES, ids=NAMES.get)
@pytest.mark.parametrize("mode", ["full", "strict"])
def test_an_origin_without_a_handshake(lab, mode, port):
    lab.brinkctl("settings", "set", ZONE, "ssl", mode)
    with lab.counted(tls_origin_failed=1, tls_origin_handshakes=0, http_edge_errors=1):
        page = curl(lab, f"https://{HOST}:{port}/", "-i")
    assert page.startswith("HTTP/1.1 525 ") and "cf-error-type: 525" in page


def test_the_modes_without_tls_towards_origins(lab):
    lab.brinkctl("settings", "set", ZONE, "ssl", "flexible")
    assert curl(lab, f"https://{HOST}/") == "this is origin-b\n", "port 80 of the origin"
    lab.brinkctl("settings", "set", ZONE, "ssl", "off")
    head = curl(lab, f"https://{HOST}/a?b", "-i")
    assert head.startswith("HTTP/1.1 301 ") and f"\nLocation: http://{HOST}/a?b" in head.replace("\r", "")


def test_always_https(lab):
    lab.brinkctl("settings", "set", ZONE, "always_use_https", "on")
    try:
        with lab.counted(https_redirects=1):
            head = curl(lab, f"http://{HOST}/a?b", "-i")
        assert head.startswith("HTTP/1.1 301 ") and f"Location: https://{HOST}/a?b" in head
        assert status(lab, f"https://{HOST}/") == 200
    finally:
        lab.brinkctl("settings", "set", ZONE, "always_use_https", "off")


def test_strict_transport_security(lab):
    assert "Strict-Transport-Security: max-age=1" in curl(lab, f"https://{HOST}/hsts", "-i")
    header = ('{"strict_transport_security":{"enabled":true,"max_age":86400,"include_subdomains":true,'
              '"preload":false,"nosniff":true}}')
    lab.brinkctl("settings", "set", ZONE, "security_header", header)
    head = curl(lab, f"https://{HOST}/hsts", "-i")
    assert re.findall(r"Strict-Transport-Security: (.*?)\r?\n", head) == ["max-age=86400; includeSubDomains"]
    assert "X-Content-Type-Options: nosniff" in head
    assert "Strict-Transport-Security" not in curl(lab, f"http://{HOST}/", "-i")
