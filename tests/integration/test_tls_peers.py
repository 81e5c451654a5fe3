"""Brink's TLS streams against OpenSSL's own programs and curl, over loopback sockets.

tls_peer puts a stream behind a socket; keys, certificates and OCSP responses are made by `openssl` for
each run. Run with: pytest tests/integration/test_tls_peers.py   (BRINK_BUILD names the build folder)
"""
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build"))
PEER = BUILD / "dataplane/tls/tls_peer"

pytestmark = pytest.mark.skipif(not PEER.exists(), reason="tls_peer is not built")


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, check=True, timeout=60,
                          capture_output=True)


class Authority:
    """Signs certificates in a folder of its own; every file as PEM and, where the peer reads it, DER."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}-key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.key, "-out", self.pem, "-days", "1", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def der(self, path):
        openssl("x509", "-in", self.pem, "-outform", "DER", "-out", path)

    def sign(self, file, names=(), kind="ec", usage="serverAuth", days=("-days", "1"),
             self_signed=False):
        """Makes `file`.pem, -key.pem, .crt and .key; returns the path of the PEM."""
        base = self.folder / file
        algorithm = ["-newkey", "rsa:2048"] if kind == "rsa" else \
            ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        request, pem, key = f"{base}.req", f"{base}.pem", f"{base}-key.pem"
        openssl("req", *algorithm, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={file}")
        extensions = pathlib.Path(f"{base}.ext")
        lines = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={usage}"]
        if names:
            lines.append("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        extensions.write_text("\n".join(lines) + "\n")
        signer = ["-signkey", key] if self_signed else \
            ["-CA", self.pem, "-CAkey", self.key, "-CAcreateserial"]
        openssl("x509", "-req", "-in", request, *signer, "-extfile", extensions, *days, "-out", pem)
        openssl("x509", "-in", pem, "-outform", "DER", "-out", f"{base}.crt")
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER", "-out", f"{base}.key")
        return pathlib.Path(pem)

    def staple(self, file):
        """An OCSP response that says that `file` is good."""
        base = self.folder / file
        serial = openssl("x509", "-in", f"{base}.pem", "-noout", "-serial").stdout.decode()
        serial = serial.strip().removeprefix("serial=")
        index = self.folder / f"{file}.index"
        index.write_text(f"V\t351231235959Z\t\t{serial}\tunknown\t/CN={file}\n")
        openssl("ocsp", "-issuer", self.pem, "-cert", f"{base}.pem", "-reqout", f"{base}.ocsp-request")
        openssl("ocsp", "-index", index, "-rsigner", self.pem, "-rkey", self.key, "-CA", self.pem,
                "-reqin", f"{base}.ocsp-request", "-respout", f"{base}.ocsp", "-ndays", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    root = Authority(folder, "root")
    clients = Authority(folder, "clients")
    root.sign("a.example", ["a.example"])
    root.staple("a.example")
    root.sign("a.example.rsa", ["a.example"], kind="rsa")
    root.sign("*.wild.example", ["*.wild.example"])
    root.sign("default", ["default.example"])
    root.sign("new.example", ["new.example"])
    (folder / "new.example.tls13").touch()
    for mode in ("ca", "ca-optional"):
        root.sign(f"{mode}.example", [f"{mode}.example"])
        clients.der(folder / f"{mode}.example.{mode}")
    clients.sign("visitor", usage="clientAuth")
    root.sign("stranger", usage="clientAuth")
    return folder


@pytest.fixture(scope="module")
def port(place):
    server = subprocess.Popen([PEER, "serve", place], stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline()
    assert line.startswith("port=")
    yield int(line.removeprefix("port="))
    assert server.poll() is None, "the server has died"
    server.kill()
    server.wait()


def visit(port, *arguments, text="hello\n"):
    """`openssl s_client`: what it printed, and fields of what the server answered."""
    ran = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet",
                          *map(str, arguments)], input=text, capture_output=True, text=True, timeout=30)
    return fields(ran.stdout), ran.stdout + ran.stderr


def fields(text):
    found = {}
    for line in text.splitlines():
        if line.startswith("established="):
            found = dict(part.split("=", 1) for part in line.split(" ") if "=" in part)
    return found


@pytest.mark.parametrize("flag,version", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_both_versions_carry_a_request(port, flag, version):
    answer, _ = visit(port, "-servername", "a.example", flag)
    assert answer["version"] == version
    assert answer["name"] == "a.example"


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(port, flag):
    answer, output = visit(port, "-servername", "a.example", flag, "-cipher", "ALL:@SECLEVEL=0")
    assert answer == {}
    assert "alert protocol version" in output


def test_a_host_may_want_tls13(port):
    assert visit(port, "-servername", "new.example", "-tls1_2")[0] == {}
    assert visit(port, "-servername", "new.example")[0]["version"] == "TLSv1.3"


@pytest.mark.parametrize("cipher,name", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
])
def test_tls12_ciphers_with_both_kinds_of_certificate(port, cipher, name):
    answer, output = visit(port, "-servername", "a.example", "-tls1_2", "-cipher", cipher)
    assert answer.get("cipher") == name, output


@pytest.mark.parametrize("suite", [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_tls13_ciphers(port, suite):
    assert visit(port, "-servername", "a.example", "-ciphersuites", suite)[0]["cipher"] == suite


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384"])
def test_groups(port, group):
    """The last ones cost a HelloRetryRequest when the client guesses another first."""
    for groups in (group, f"X448:{group}"):
        assert visit(port, "-servername", "a.example", "-groups", groups)[0]["established"] == "1"


@pytest.mark.parametrize("offered,agreed", [
    ("h2,http/1.1", "http/1.1"), ("dot", "dot"), ("dot,http/1.1", "http/1.1")])
def test_alpn(port, offered, agreed):
    assert visit(port, "-servername", "a.example", "-alpn", offered)[0]["alpn"] == agreed


def test_alpn_without_a_protocol_in_common(port):
    answer, output = visit(port, "-servername", "a.example", "-alpn", "h2")
    assert answer == {}
    assert "no application protocol" in output


@pytest.mark.parametrize("name,shown", [
    ("a.example", "a.example"), ("A.EXAMPLE", "a.example"), ("x.wild.example", "*.wild.example"),
    ("x.y.wild.example", "default"), ("other.example", "default"), (None, "default")])
def test_names(port, place, name, shown):
    arguments = ["-servername", name] if name else ["-noservername"]
    ran = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments,
                          "-CAfile", place / "root.pem"],
                         input="x\n", capture_output=True, text=True, timeout=30)
    assert f"subject=CN = {shown}\n" in ran.stdout
    assert "Verify return code: 0 (ok)" in ran.stdout


def test_a_stapled_response_verifies(port, place):
    ran = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-status",
                          "-servername", "a.example", "-CAfile", place / "root.pem"],
                         input="x\n", capture_output=True, text=True, timeout=30)
    assert "OCSP Response Status: successful" in ran.stdout
    assert "Cert Status: good" in ran.stdout


@pytest.mark.parametrize("flag", ["-tls1_2", "-tls1_3"])
def test_sessions_resume_on_the_other_worker(port, tmp_path, flag):
    """tls_peer serves connections by two engines in turn."""
    session = tmp_path / "session"
    first, _ = visit(port, "-servername", "a.example", flag, "-sess_out", session)
    second, _ = visit(port, "-servername", "a.example", flag, "-sess_in", session)
    elsewhere, _ = visit(port, "-servername", "default.example", flag, "-sess_in", session)
    assert [first["resumed"], second["resumed"], elsewhere["resumed"]] == ["0", "1", "0"]


def shown(place, name):
    return ["-cert", place / f"{name}.pem", "-key", place / f"{name}-key.pem"]


@pytest.mark.parametrize("flag", ["-tls1_2", "-tls1_3"])
def test_client_certificates_that_are_required(port, place, flag):
    def ask(*certificate):
        return visit(port, "-servername", "ca.example", flag, *certificate)
    good, _ = ask(*shown(place, "visitor"))
    assert (good["verification"], good["peer"]) == ("good", "CN=visitor")
    bad, output = ask(*shown(place, "stranger"))
    assert bad == {} and "unknown ca" in output
    none, output = ask()
    assert none == {} and re.search("certificate required|handshake failure", output)


@pytest.mark.parametrize("flag", ["-tls1_2", "-tls1_3"])
def test_client_certificates_that_are_optional(port, place, flag):
    def ask(*certificate):
        return visit(port, "-servername", "ca-optional.example", flag, *certificate)[0]
    assert ask(*shown(place, "visitor"))["verification"] == "good"
    assert ask(*shown(place, "stranger"))["verification"] == "untrusted"
    assert ask()["verification"] == "absent"


def test_curl_verifies_and_resumes_nothing_foreign(port, place):
    def curl(name, *arguments):
        return subprocess.run(
            ["curl", "-s", "-S", "--cacert", place / "root.pem", "--connect-to",
             f"{name}:443:127.0.0.1:{port}", *arguments, f"https://{name}/"],
            capture_output=True, text=True, timeout=30)
    for arguments in ([], ["--tls-max", "1.2"], ["--no-alpn"]):
        ran = curl("a.example", *arguments)
        assert ran.returncode == 0, ran.stderr
        assert fields(ran.stdout)["established"] == "1"
    assert curl("x.wild.example").returncode == 0
    assert curl("x.y.wild.example").returncode == 60
    ran = curl("ca.example", "--cert", place / "visitor.pem", "--key", place / "visitor-key.pem")
    assert fields(ran.stdout)["peer"] == "CN=visitor"


def test_what_is_no_tls_leaves_the_server_alive(port):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff", bytes(300), b""):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert visit(port, "-servername", "a.example")[0]["established"] == "1"


# ---- the client stream, against openssl s_server ----


@pytest.fixture(scope="module")
def origins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origins")
    root = Authority(folder, "root")
    foreign = Authority(folder, "foreign")
    pulls = Authority(folder, "pulls")
    root.der(folder / "trust")
    root.sign("good", ["origin.example"])
    root.sign("elsewhere", ["elsewhere.example"])
    root.sign("self-signed", ["origin.example"], self_signed=True)
    foreign.sign("untrusted", ["origin.example"])
    root.sign("expired", ["origin.example"], days=("-days", "-1"))
    edge = folder / "edge"
    edge.mkdir()
    root.der(edge / "trust")
    pulls.sign("edge", usage="clientAuth")
    for kind in ("crt", "key"):
        (edge / f"client.{kind}").write_bytes((folder / f"edge.{kind}").read_bytes())
    return folder


class Origin:
    def __init__(self, folder, certificate, *arguments):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-www", "-cert",
             f"{folder}/{certificate}.pem", "-key", f"{folder}/{certificate}-key.pem",
             *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(100):
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError("openssl s_server does not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def visited(self, mode, folder):
        """Both visits of tls_peer connect, as fields."""
        ran = subprocess.run([PEER, "connect", str(self.port), "origin.example", mode, folder],
                             capture_output=True, text=True, timeout=30)
        assert ran.returncode == 0, ran.stderr
        return [fields(line) for line in ran.stdout.splitlines() if line.startswith("established=")]


@pytest.mark.parametrize("flag,version", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_a_good_origin_is_verified_and_resumed(origins, flag, version):
    with Origin(origins, "good", flag, "-alpn", "http/1.1") as origin:
        first, second = origin.visited("strict", origins)
    for visit_ in (first, second):
        assert (visit_["established"], visit_["failure"]) == ("1", "none")
        assert (visit_["version"], visit_["verification"]) == (version, "good")
        assert visit_["alpn"] == "http/1.1"
    assert (first["resumed"], second["resumed"]) == ("0", "1")


@pytest.mark.parametrize("certificate,verification", [
    ("expired", "expired"), ("self-signed", "self_signed"), ("untrusted", "untrusted"),
    ("elsewhere", "name_mismatch")])
def test_a_bad_origin_is_refused_by_name_in_strict_and_taken_in_full(
        origins, certificate, verification):
    with Origin(origins, certificate) as origin:
        for visit_ in origin.visited("strict", origins):
            assert (visit_["established"], visit_["failure"]) == ("0", "certificate")
            assert visit_["verification"] == verification
        for visit_ in origin.visited("full", origins):
            assert (visit_["established"], visit_["failure"]) == ("1", "none")


def test_authenticated_origin_pulls(origins):
    with Origin(origins, "good", "-Verify", "2", "-verify_return_error", "-CAfile",
                origins / "pulls.pem") as origin:
        for visit_ in origin.visited("strict", origins / "edge"):
            assert (visit_["established"], visit_["failure"]) == ("1", "none")
        refused = origin.visited("strict", origins)
    assert {visit_["failure"] for visit_ in refused} == {"peer_rejected_us"}


def test_an_origin_without_a_cipher_in_common(origins):
    with Origin(origins, "good", "-tls1_2", "-cipher", "DHE-RSA-AES128-SHA") as origin:
        assert {visit_["failure"] for visit_ in origin.visited("full", origins)} == {"peer_alert"}


def test_an_origin_that_speaks_plain_http(origins):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = subprocess.Popen(
            [PEER, "connect", str(listener.getsockname()[1]), "origin.example", "full", origins],
            stdout=subprocess.PIPE, text=True)
        for _ in range(2):
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()
        output, _ = peer.communicate(timeout=30)
    assert [fields(line)["failure"] for line in output.splitlines()] == ["malformed"] * 2
