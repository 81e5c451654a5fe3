"""Client certificates with real programs: authorities are uploaded and hosts ask for them through
brinkctl, a rule blocks who shows none that is good, and curl and openssl show good and bad ones. The
origin says what it was told."""
import base64
import hashlib
import json
import os
import re
import ssl
import subprocess

import pytest

from certificates import NEW_KEY, Certificates
from http2_client import Http2
from lab import ROOT, Lab
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4 = "192.0.2.140"
ZONE = "example.com"
HOST, OWN, OPEN = f"api.{ZONE}", f"own.{ZONE}", f"www.{ZONE}"  # OWN asks for the account's own authority
FIREWALL, REQUEST = "http_request_firewall_custom", "http_request_late_transform"
VERSIONS = ["--http1.1", "--http2"]
TOLD = {"X-Subject": "cert_subject_dn", "X-Issuer": "cert_issuer_dn", "X-Serial": "cert_serial",
        "X-Sha1": "cert_fingerprint_sha1", "X-Sha256": "cert_fingerprint_sha256",
        "X-Not-Before": "cert_not_before", "X-Not-After": "cert_not_after", "X-Ski": "cert_ski",
        "X-Issuer-Ski": "cert_issuer_ski", "Client-Cert": "cert_rfc9440"}


class Clients(Certificates):
    """An authority of client certificates."""

    def certificate(self, name, *validity):
        """NAME.pem with NAME.key."""
        self.request(f"/O=Tests/CN={name}", name)
        extensions = self.folder / "client.cnf"
        extensions.write_text("basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"
                              "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self.count += 1
        self.openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.folder / "ca.pem", "-CAkey",
                     self.folder / "ca.key", "-set_serial", str(7000 + self.count), *(validity or ("-days", "30")),
                     "-extfile", extensions, "-out", self.folder / f"{name}.pem")
        return self.folder / name


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        lab.shops = Clients(tmp_path_factory.mktemp("shops"), "Shops")
        lab.strangers = Clients(tmp_path_factory.mktemp("strangers"), "Strangers")
        lab.tickets = lab.state / "ticket-key"
        lab.exec("origin-b", "ip", "address", "add", "203.0.113.75/26", "dev", "eth0")
        lab.exec("origin-b", "nft", "add table ip to_script; "
                 "add chain ip to_script in { type nat hook prerouting priority -100; }; "
                 "add rule ip to_script in ip daddr 203.0.113.75 tcp dport 80 redirect to :8880")
        origin = lab.spawn("origin-b", "/usr/bin/python3", ROOT / "tests/integration/scripted_origin.py",
                           8880, lab.state / "scripted.log", stdout=subprocess.PIPE, text=True)
        assert origin.stdout.readline() == "ready\n"
        lab.edge_start(workers="0:dns,1:l7")
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        lab.brinkctl("settings", "set", ZONE, "ssl", "flexible")
        for host in (HOST, OWN, OPEN):
            lab.brinkctl("record", "add", host, "A", "203.0.113.75", "--proxied")
        lab.made.leaf(ZONE, f"*.{ZONE}", name=ZONE)
        lab.brinkctl("certificate", "add", ZONE, lab.made.folder / f"{ZONE}.pem", "--key",
                     lab.made.folder / f"{ZONE}.key")
        lab.brinkctl("ca", "add", "Shops", lab.shops.folder / "ca.pem")
        lab.brinkctl("ca", "hosts", ZONE, HOST, "--authority", "Shops")
        yield lab
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


@pytest.fixture(autouse=True)
def rules(lab):
    """Who has no good certificate is blocked at two hosts; the origin is told what it says."""
    asking = f'http.host in {{"{HOST}" "{OWN}"}}'
    put(lab, FIREWALL, {"action": "block", "expression": f"{asking} and not cf.tls_client_auth.cert_verified"},
        {"action": "block", "expression": "cf.tls_client_auth.cert_revoked", "action_parameters": {
            "response": {"status_code": 410, "content_type": "text/plain", "content": "revoked"}}})
    put(lab, REQUEST, {"action": "rewrite", "expression": "cf.tls_client_auth.cert_presented", "action_parameters": {
        "headers": {name: {"operation": "set", "expression": f"cf.tls_client_auth.{field}"}
                    for name, field in TOLD.items()}}})


def put(lab, phase, *rules):
    path = lab.state / "rules.json"
    path.write_text(json.dumps(rules))
    lab.brinkctl("ruleset", "set", ZONE, phase, path)


def shown(identity):
    return ("--cert", f"{identity}.pem", "--key", f"{identity}.key") if identity else ()


def curl(lab, *options, identity=None, host=HOST, path="/echo"):
    """Status and body of an answer over TLS."""
    done = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", "-m", "20", "--cacert",
         str(lab.made.folder / "ca.pem"), "--resolve", f"{host}:443:{V4}", "-w", "\n%{http_code}",
         *map(str, (*options, *shown(identity))), f"https://{host}{path}"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def status(lab, *options, **more):
    return curl(lab, *options, **more)[0]


def told(body):
    """The fields that the origin got."""
    return {name.lower(): value for name, _, value in
            (line.partition(": ") for line in json.loads(body)["head"].split("\r\n")[1:])}


def context(lab, identity=None, protocols=("http/1.1",)):
    made = ssl.create_default_context(cafile=lab.made.folder / "ca.pem")
    made.set_alpn_protocols(list(protocols))
    if identity:
        made.load_cert_chain(f"{identity}.pem", f"{identity}.key")
    return made


def connect(lab, made, host=HOST, **more):
    return made.wrap_socket(lab.connect(V4, 443), server_hostname=host, **more)


@pytest.fixture(scope="module")
def shop(lab):
    return lab.shops.certificate("shop")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_certificate_of_the_hosts_authority_opens(lab, shop, version, tls):
    code, body = curl(lab, version, "--tls-max", tls, identity=shop)
    assert code == 200 and told(body)["x-subject"] == "CN=shop,O=Tests"


@pytest.mark.parametrize("version", VERSIONS)
def test_who_has_none_or_a_bad_one_is_blocked(lab, version):
    bad = {"none": None, "foreign": lab.strangers.certificate("foreign"),
           "expired": lab.shops.certificate("expired", "-days", "-1"), "self": lab.shops.folder / "self"}
    lab.shops.openssl("req", "-x509", *NEW_KEY, "-days", "30", "-subj", "/O=Tests/CN=shop", "-keyout",
                      lab.shops.folder / "self.key", "-out", lab.shops.folder / "self.pem")
    before = lab.counter("http_blocked")
    for name, identity in bad.items():
        code, body = curl(lab, version, "-i", identity=identity)
        assert code == 403 and re.search(r"(?i)\ncf-error-type: 1020\n", body), name
    assert lab.counter("http_blocked") == before + len(bad)


def test_without_tls_there_is_none(lab):
    with Wire(lab.connect(V4, 80)) as http:
        assert http.get(HOST, "/echo").response().status == 403


@pytest.mark.parametrize("version", VERSIONS)
def test_other_hosts_ask_for_none(lab, shop, version):
    code, body = curl(lab, version, host=OPEN, identity=shop)
    assert code == 200 and "x-subject" not in told(body)


def test_the_edge_names_the_authority_that_it_asks_for(lab):
    said = subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "openssl", "s_client", "-connect", f"{V4}:443", "-servername",
         HOST, "-CAfile", str(lab.made.folder / "ca.pem")], input=b"", capture_output=True, timeout=30).stdout.decode()
    assert "Acceptable client certificate CA names\nO = Tests, CN = Shops\n" in said


def test_the_origin_is_told_what_openssl_says_of_it(lab, shop):
    def says(*options):
        return subprocess.run(("openssl", "x509", "-in", f"{shop}.pem", "-noout", *options), check=True,
                              capture_output=True, text=True).stdout.partition("=")[2].strip()
    _, body = curl(lab, identity=shop)
    fields = told(body)
    pem = (shop.parent / f"{shop.name}.pem").read_text().split("-----")[2].replace("\n", "")
    assert fields["client-cert"] == f":{pem}:"
    assert fields["x-issuer"] == "CN=Shops,O=Tests"
    assert fields["x-serial"] == says("-serial").lower()
    assert fields["x-sha1"] == says("-fingerprint", "-sha1").replace(":", "").lower()
    assert fields["x-sha256"] == says("-fingerprint", "-sha256").replace(":", "").lower()
    assert fields["x-not-before"] == says("-startdate")
    assert fields["x-not-after"] == says("-enddate")
    assert len(fields["x-ski"]) == len(fields["x-issuer-ski"]) == 40


@pytest.mark.parametrize("version", VERSIONS)
def test_what_clients_say_of_one_is_not_believed(lab, version):
    names = ("Client-Cert", "Client-Cert-Chain", "Cf-Client-Cert-Der-Base64", "Cf-Client-Cert-Sha256", "client_cert")
    options = [word for name in names for word in ("-H", f"{name}: forged")]
    code, body = curl(lab, version, *options, host=OPEN)
    assert code == 200 and "forged" not in body


@pytest.fixture
def forwarding(lab):
    """HOST tells its origins of certificates; no rule does."""
    lab.brinkctl("ruleset", "delete", ZONE, REQUEST)
    lab.brinkctl("ruleset", "delete", ZONE, FIREWALL)
    lab.brinkctl("ca", "forward", ZONE, HOST)
    yield
    lab.brinkctl("ca", "forward", ZONE, HOST, "--off")


def certificate_of(identity):
    """Base64 of the DER."""
    return (identity.parent / f"{identity.name}.pem").read_text().split("-----")[2].replace("\n", "")


def test_a_host_that_forwards_tells_its_origins(lab, shop, forwarding):
    pem = certificate_of(shop)
    digest = hashlib.sha256(base64.b64decode(pem)).hexdigest()
    with Wire(connect(lab, context(lab, shop))) as http:
        first, second = (told(http.get(HOST, "/echo", "Client-Cert: :forged:").response().body) for _ in range(2))
    assert first["client-cert"] == second["client-cert"] == f":{pem}:"
    assert first["cf-client-cert-der-base64"] == pem
    assert first["cf-client-cert-sha256"] == digest
    assert "cf-client-cert-sha256" not in second and "cf-client-cert-der-base64" not in second
    with Http2(connect(lab, context(lab, shop, ("h2",)))) as client:
        for expected in (True, False):
            fields = told(bytes(client.response(client.request(HOST, "/echo")).body))
            assert fields["client-cert"] == f":{pem}:"
            assert ("cf-client-cert-sha256" in fields) == expected


def test_only_what_is_good_is_forwarded(lab, shop, forwarding):
    for identity in (None, lab.strangers.certificate("foreign"), lab.shops.certificate("late", "-days", "-1")):
        code, body = curl(lab, "-H", "Client-Cert: :forged:", identity=identity)
        assert code == 200 and not [name for name in told(body) if "client-cert" in name], body
    lab.brinkctl("ca", "forward", ZONE, HOST, "--off")
    assert lab.brinkctl("ca", "forward", ZONE) == [
        {"hostname": HOST, "china_network": False, "client_certificate_forwarding": False}]
    code, body = curl(lab, identity=shop)
    assert code == 200 and "client-cert" not in told(body)


def test_a_wildcard_forwards_too(lab, shop, forwarding):
    lab.brinkctl("ca", "forward", ZONE, f"*.{ZONE}")
    lab.brinkctl("ca", "hosts", ZONE, HOST, OPEN, "--authority", "Shops")
    try:
        _, body = curl(lab, identity=shop, host=OPEN)
        assert told(body)["client-cert"] == f":{certificate_of(shop)}:"
        lab.brinkctl("ca", "forward", ZONE, OPEN, "--off")
        _, body = curl(lab, identity=shop, host=OPEN)
        assert "client-cert" not in told(body), "what is said of the host itself"
    finally:
        lab.brinkctl("ca", "hosts", ZONE, HOST, "--authority", "Shops")
        lab.brinkctl("ca", "forward", ZONE, f"*.{ZONE}", "--off")


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_has_the_certificate_of_the_first(lab, shop, maximum):
    made = context(lab, shop)
    made.maximum_version = maximum
    with connect(lab, made) as first:
        assert Wire(first).get(HOST, "/echo").response().status == 200
        session = first.session
    with connect(lab, made, session=session) as again:
        answer = Wire(again).get(HOST, "/echo").response()
        assert again.session_reused and answer.status == 200
        assert told(answer.body)["x-subject"] == "CN=shop,O=Tests"
    without = context(lab)
    without.maximum_version = maximum
    with connect(lab, without) as first:
        assert Wire(first).get(HOST, "/echo").response().status == 403
        session = first.session
    with connect(lab, without, session=session) as again:
        assert Wire(again).get(HOST, "/echo").response().status == 403 and again.session_reused


def test_many_streams_of_a_connection_have_one_certificate(lab, shop):
    with Http2(connect(lab, context(lab, shop, ("h2",)))) as client:
        numbers = [client.request(HOST, "/echo") for _ in range(20)]
        for number in numbers:
            stream = client.response(number)
            assert stream.status == 200 and told(bytes(stream.body))["x-subject"] == "CN=shop,O=Tests"


def test_a_connection_of_another_host_does_not_do(lab, shop):
    with Wire(connect(lab, context(lab, shop), OPEN)) as http:
        assert http.get(HOST, "/echo").response().status == 421
        assert http.get(OPEN, "/echo").response().status == 200
    with Wire(connect(lab, context(lab, shop), HOST)) as http:
        assert http.get(OPEN, "/echo").response().status == 421
        assert http.get(HOST, "/echo").response().status == 200


def test_one_that_the_node_has_issued_is_good_until_it_is_revoked(lab, shop):
    csr = lab.shops.folder / "own.csr"
    lab.shops.request("/O=Tests/CN=own", "own")
    lab.brinkctl("ca", "hosts", ZONE, OWN)
    assert status(lab, host=OWN) == status(lab, host=OWN, identity=shop) == 403, "that authority is still to come"
    issued = lab.brinkctl("client-certificate", "issue", ZONE, csr, "--days", "30")
    (lab.shops.folder / "own.pem").write_text(issued["certificate"])
    own = lab.shops.folder / "own"
    assert status(lab, host=OWN, identity=own) == 200
    assert status(lab, host=OWN, identity=shop) == 403, "of an authority of another host"
    assert status(lab, host=HOST, identity=own) == 403
    with Wire(connect(lab, context(lab, own), OWN)) as http:
        assert http.get(OWN, "/echo").response().status == 200
        lab.brinkctl("client-certificate", "revoke", ZONE, issued["id"])
        assert http.get(OWN, "/echo").response().status == 410, "on the connection that there is"
        assert status(lab, "--http2", host=OWN, identity=own) == 410
        lab.brinkctl("client-certificate", "reactivate", ZONE, issued["id"])
        assert http.get(OWN, "/echo").response().status == 200


def test_a_host_that_asks_no_more_is_open_to_nobody(lab, shop):
    lab.brinkctl("ca", "hosts", ZONE, "--authority", "Shops", "--none")
    try:
        assert status(lab, identity=shop) == 403
    finally:
        lab.brinkctl("ca", "hosts", ZONE, HOST, "--authority", "Shops")
    assert status(lab, identity=shop) == 200
